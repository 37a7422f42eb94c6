import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { passcodeProblems } from '../../../src/domain/passcode.ts';

describe('passcodeProblems', () => {
  test.each([
    ['583914', []],
    ['274961', []],
    ['12345', ['tooShort', 'ascending']],
    ['5839141234567', ['tooLong']],
    ['111111', ['repeated']],
    ['121212', ['repeated']],
    ['234234', ['repeated']],
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
    expect(passcodeProblems(passcode, { extension: '1001' })).toEqual(problems),
  );

  test('the extension backwards, and a shorter minimum', () => {
    expect(passcodeProblems('564321', { extension: '1234' })).toEqual(['holdsExtension']);
    expect(passcodeProblems('5839', { extension: '1001', minLength: 4 })).toEqual([]);
    expect(passcodeProblems('583', { extension: '1001', minLength: 4 })).toEqual(['tooShort']);
    expect(passcodeProblems('583914', { extension: '58' })).toEqual([]);
  });

  test('total, and never repeats what was typed', () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^\d{2,8}$/), (passcode, extension) => {
        const problems = passcodeProblems(passcode, { extension });
        return problems.every((problem) => /^[a-zA-Z]+$/.test(problem));
      }),
    );
  });
});
