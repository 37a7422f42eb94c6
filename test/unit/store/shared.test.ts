import { expect, test } from 'vitest';
import { createKeys } from '../../../src/store/redis/keys.ts';
import { readShared } from '../../../src/store/redis/shared.ts';
import type { SharedEntry } from '../../../src/store/store.ts';

const keys = createKeys('acme');

/** Pages as HSCAN gives them, one after the other. */
function reading(...pages: readonly unknown[]) {
  const asked: unknown[][] = [];
  const problems: string[] = [];
  const entries = new Map<string, SharedEntry | undefined>();
  const read = readShared(
    {
      keys,
      call: async (...command) => {
        asked.push(command);
        return pages[asked.length - 1];
      },
      onProblem: (text) => problems.push(text),
    },
    10,
    (page) => {
      for (const [name, entry] of page) entries.set(name, entry);
    },
  );
  return { read, asked, problems, entries };
}

test('shared entries are read page by page, and those written meanwhile are known', async () => {
  const { read, asked, problems, entries } = reading(
    [
      '7',
      [
        'old',
        '10 1001 {"a":"b c"}',
        'lapsed',
        '3 1000 1',
        'changed',
        '11 2000 "first"',
        'removed',
        '12 2000 1',
      ],
    ],
    ['0', ['changed', '14 2000 "second"', 'removed', '13 2000 ', 'gone', '9 2000 ', 'bad', '1 2']],
  );
  const newer = await read;
  expect(asked.map(([command, key, cursor]) => [command, key, cursor])).toEqual([
    ['HSCAN', 'hd:{acme}:sh', '0'],
    ['HSCAN', 'hd:{acme}:sh', '7'],
  ]);
  expect(entries).toEqual(
    new Map<string, unknown>([
      ['old', { value: { a: 'b c' }, expiresAt: 1_001 }],
      ['lapsed', { value: 1, expiresAt: 1_000 }],
      ['changed', { value: 'second', expiresAt: 2_000 }],
      ['removed', undefined],
      ['gone', undefined],
    ]),
  );
  expect(newer).toEqual(
    new Map([
      ['changed', 14],
      ['removed', 13],
    ]),
  );
  expect(problems).toHaveLength(1);
});

test('a page that repeats an older value changes nothing', async () => {
  const { read, entries } = reading(
    ['7', ['a', '12 2000 "new"', 'b', '13 2000 ']],
    ['0', ['a', '11 2000 "old"', 'b', '12 2000 1']],
  );
  const newer = await read;
  expect(entries.get('a')?.value).toBe('new');
  expect(entries.get('b')).toBeUndefined();
  expect(newer.get('b')).toBe(13);
});

test.each([null, 'x', ['0'], ['0', ['odd']]])('a page that is none is no state: %j', async (page) => {
  await expect(reading(page).read).rejects.toThrow('cannot be read');
});
