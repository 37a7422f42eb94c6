import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEmergencyCall } from '../../../src/domain/emergency.ts';
import { createNumberPlan } from '../../../src/services/number-plan.ts';

const uk = createNumberPlan('GB');

describe('createNumberPlan', () => {
  test.each(['XX', 'gb', '', '001', '__proto__'])('no country %s', (country) => {
    expect(createNumberPlan(country)).toBeUndefined();
  });

  test.each([
    ['GB', '999', '999'],
    ['GB', '112', '999'],
    ['US', '911', '911'],
    ['DE', '112', '112'],
    ['AU', '000', '000'],
    ['NZ', '111', '111'],
    ['JP', '119', '110'],
  ])('%s: %s is an emergency number, and sos becomes %s', (country, number, first) => {
    const plan = createNumberPlan(country);
    expect(plan?.isEmergency(number)).toBe(true);
    expect(plan && isEmergencyCall('urn:service:sos', { plan })).toBe(first);
  });

  test.each(['9999', '1120', '99', '9x9x9', '+999', '', '911', '1001', '111'])('GB: %s is none', (number) => {
    expect(uk?.isEmergency(number)).toBe(false);
  });

  test.each([
    ['02079460101', '+442079460101'],
    ['+442079460101', '+442079460101'],
    ['01134960103', '+441134960103'],
    ['+33142685300', '+33142685300'],
    ['0033142685300', '+33142685300'],
    ['1001', undefined],
    ['999', undefined],
    ['+999', undefined],
    ['*90', undefined],
    ['', undefined],
    ['1'.repeat(40), undefined],
  ])('GB: %s is %s', (digits, number) => expect(uk?.toE164(digits)).toBe(number));

  test('national short numbers', () => {
    expect(['111', '101', '1471', '1009', '2001'].map((digits) => uk?.isShortNumber?.(digits))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  test('total', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\+?\d{1,25}$/)), (text) => {
        const number = uk?.toE164(text);
        uk?.isEmergency(text);
        uk?.isShortNumber?.(text);
        return number === undefined || /^\+\d+$/.test(number);
      }),
    );
  });
});
