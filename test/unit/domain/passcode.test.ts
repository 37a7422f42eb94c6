import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PASSCODE_LENGTH, passcodeProblems } from '../../../src/domain/passcode.ts';

const length = PASSCODE_LENGTH;
const short = { min: 4, max: 8 };

describe('passcodeProblems', () => {
  test.each([
    ['583914', []],
    ['274961', []],
    ['12345', ['tooShort', 'ascending']],
    ['5839141234567', ['tooLong']],
    ['111111', ['repeated']],
    ['121212', ['repeated']],
    ['234234', ['repeated']],
    ['1212121', ['repeated']],
    ['23423423', ['repeated']],
    ['583915', []],
    ['012345', ['ascending']],
    ['543210987654', ['descending']],
    ['456789', ['ascending']],
    ['789012', ['ascending']],
    ['987654', ['descending']],
    ['210987', ['descending']],
    ['581001', ['holdsExtension']],
    ['731250', []],
    ['58391a', ['notDigits']],
    ['', ['notDigits']],
    ['５８３９１４', ['notDigits']],
  ])('%s', (passcode, problems) =>
    expect(passcodeProblems(passcode, { extension: '1001', length })).toEqual(problems),
  );

  test('the extension, backwards too', () => {
    expect(passcodeProblems('564321', { extension: '1234', length })).toEqual(['holdsExtension']);
    expect(passcodeProblems('1002', { extension: '1002', length: short })).toEqual(['holdsExtension']);
    expect(passcodeProblems('583914', { extension: '58', length })).toEqual([]);
  });

  test('not the one it replaces', () => {
    const rules = { extension: '1001', length, previous: '583914' };
    expect(passcodeProblems('583914', rules)).toEqual(['unchanged']);
    expect(passcodeProblems('583915', rules)).toEqual([]);
  });

  test.each([
    ['583', ['tooShort']],
    ['5839', []],
    ['58391426', []],
    ['583914267', ['tooLong']],
  ])('another length: %s', (passcode, problems) =>
    expect(passcodeProblems(passcode, { extension: '1001', length: short })).toEqual(problems),
  );

  test('total, and never repeats what was typed', () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^\d{2,8}$/), (passcode, extension) => {
        const problems = passcodeProblems(passcode, { extension, length });
        return problems.every((problem) => /^[a-zA-Z]+$/.test(problem));
      }),
    );
  });
});
