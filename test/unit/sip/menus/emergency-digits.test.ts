import { describe, expect, test } from 'vitest';
import { DirectoryTable } from '../../../../src/domain/directory-table.ts';
import { createNumberPlan } from '../../../../src/services/number-plan.ts';
import { emergencyDigits } from '../../../../src/sip/menus/emergency-digits.ts';
import { company, host, site, UK, viewOf } from '../../domain/example.ts';

/** What keys typed one by one may become: nobody waits for a number that cannot come. */

function digitsAt(more: Parameters<typeof site>[1], numberPlan = UK) {
  const table = new DirectoryTable();
  table.put({ kind: 'company', value: company() });
  table.put({ kind: 'site', value: site('london', more) });
  table.put({ kind: 'host', value: host('d1') });
  return emergencyDigits({ view: viewOf({ directory: table }), numberPlan, domain: 'hotdesk.test' }, 'd1');
}

const beginnings = ({ begins }: ReturnType<typeof digitsAt>): string[] =>
  [...'0123456789*#', '11', '12', '99', '90', '999', '112', '55', '555', '5555', '099'].filter((digits) =>
    begins(digits),
  );

describe('in the United Kingdom', () => {
  test('the beginnings of 999 and 112, and nothing else', () => {
    expect(beginnings(digitsAt({}))).toEqual(['1', '9', '11', '99']);
  });

  test("with a number of the site's own, and with a digit for an outside line", () => {
    expect(beginnings(digitsAt({ emergencyNumbers: ['5555'] }))).toContain('555');
    expect(beginnings(digitsAt({ emergencyNumbers: ['5555'] }))).not.toContain('5555');
    expect(beginnings(digitsAt({ outsideLinePrefix: '0' }))).toEqual(['0', '1', '9', '11', '99', '099']);
  });

  test('the number is found, and with the digit for an outside line', () => {
    const { number } = digitsAt({ emergencyNumbers: ['5555'], outsideLinePrefix: '0' });
    expect(['999', '112', '5555', '0999'].map(number)).toEqual(['999', '112', '5555', '999']);
    expect(['', '9', '99', '9999', '1', '*', '99*', '#'].map(number)).toEqual(Array(8).fill(undefined));
  });
});

test.each([
  ['GB', ['9', '99', '1', '11'], '999'],
  ['FR', ['1'], '15'],
  ['US', ['9', '91'], '911'],
  ['AU', ['0', '00'], '000'],
])('%s by its numbering plan', (country, wanted, called) => {
  const digits = digitsAt({}, createNumberPlan(country));
  for (const beginning of wanted) expect(digits.begins(beginning), beginning).toBe(true);
  expect(digits.number(called)).toBe(called);
  expect(digits.begins('7')).toBe(false);
});

test('a phone nobody knows has the national numbers', () => {
  const facts = { view: viewOf({ directory: undefined }), numberPlan: UK, domain: 'hotdesk.test' };
  const digits = emergencyDigits(facts, 'd1');
  expect([digits.begins('99'), digits.number('999')]).toEqual([true, '999']);
});
