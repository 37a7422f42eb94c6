import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvRow, harmless, macOf, phonesIn } from '../../../src/portal/pages/assign-list.ts';

/** Lists of MAC addresses as people paste them, before the server sees them. */

const ROOMS = [
  { id: '1', left: 2 },
  { id: '2', left: 1 },
];
const A = '0004f2ab1201';
const B = '0004f2ab1202';
const C = '0004f2ab1203';
const D = '0004f2ab1204';

describe('MAC addresses', () => {
  test.each([A, A.toUpperCase(), '00:04:F2:AB:12:01', '00-04-f2-ab-12-01', '0004.f2ab.1201', ` ${A} `])(
    '%s is one',
    (text) => expect(macOf(text)).toBe(A),
  );

  test.each(['', '0004f2ab120', '0004f2ab12011', '0004f2ab120g', 'kitchen'])('%j is none', (text) =>
    expect(macOf(text)).toBeUndefined(),
  );
});

describe('lists', () => {
  test('names before or after, quotes, tabs, a heading, a byte order mark, empty lines', () => {
    const text = `\ufeffName;MAC\r\nKitchen;${A}\r\n\r\n${B}\t"Hall, ""left"""\n${C}`;
    const found = phonesIn(text, ROOMS).map(({ line, mac, name, item }) => [line, mac, name, item]);
    expect(found).toEqual([
      [2, A, 'Kitchen', '1'],
      [4, B, 'Hall, "left"', '1'],
      [5, C, '', '2'],
    ]);
  });

  test('what is wrong is said row by row', () => {
    const long = 'x'.repeat(101);
    const text = [`${A},${long}`, 'nonsense', A, B, C, D].join('\n');
    expect(phonesIn(text, ROOMS).map(({ mistake }) => mistake)).toEqual([
      'longName',
      'notMac',
      'twice',
      undefined,
      undefined,
      'tooMany',
    ]);
  });

  test('choices come before the order’s own order, and may be too many', () => {
    const items = (chosen: Record<string, string>) =>
      phonesIn([A, B, C].join('\n'), ROOMS, chosen).map(({ item, mistake }) => [item, mistake]);
    expect(items({ [A]: '2' })).toEqual([
      ['2', undefined],
      ['1', undefined],
      ['1', undefined],
    ]);
    expect(items({ [A]: '2', [B]: '2' }).map(([, mistake]) => mistake)).toEqual([
      'itemFull',
      'itemFull',
      undefined,
    ]);
  });

  test('whatever is pasted: no item gets more phones than it has room for, without saying so', () => {
    const line = fc.oneof(fc.constantFrom(A, B, C, D, 'nonsense', ''), fc.string());
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const ready = phonesIn(lines.join('\n'), ROOMS).filter(({ mistake }) => mistake === undefined);
        for (const { id, left } of ROOMS)
          expect(ready.filter(({ item }) => item === id).length).toBeLessThanOrEqual(left);
        expect(new Set(ready.map(({ mac }) => mac)).size).toBe(ready.length);
      }),
    );
  });
});

test('what a spreadsheet would count with is shown as text, and quotes survive', () => {
  expect(csvRow([harmless('=1+1'), harmless('Hall "A"'), '-pass'])).toBe('"\'=1+1","Hall ""A""","-pass"\r\n');
});
