import { describe, expect, test } from 'vitest';
import { canonicalPassword, passwordProblems } from '../../../src/domain/password.ts';

const email = 'kim.archer@example.com';
const problems = (password: string) => passwordProblems(password, { email });

describe('passwords', () => {
  test.each([
    'a lamp in the harbour',
    'Tr0ub4dor&3-bicycle',
    'ünïcödé wörks too',
    '多くの文字を使った長い合言葉です',
    'x7!kQ2#vB9@m',
    'my password is a purple elephant',
  ])('%s will do', (password) => expect(problems(password)).toEqual([]));

  test.each([
    ['elevenchars', 'tooShort'],
    ['', 'tooShort'],
    ['x7!kQ2#vB9@m'.repeat(11), 'tooLong'],
    ['aaaaaaaaaaaaaaaa', 'repeated'],
    ['abababababab', 'repeated'],
    ['kim.archer@example.com', 'holdsEmail'],
    ['KIM.ARCHER@example.com!1', 'holdsEmail'],
    ['example.com-2026', 'holdsEmail'],
    ['password1234', 'common'],
    ['Password-2026!', 'common'],
    ['qwertyuiop123', 'common'],
    ['correct horse battery staple', 'common'],
    ['administrator', 'common'],
    ['123456789012', 'common'],
    ['hotdesk hotdesk 1', 'common'],
    ['tab\tin the midst of it', 'odd'],
  ])('%j: %s', (password, problem) => expect(problems(password)).toContain(problem));

  test('is the same however its letters are composed', () => {
    expect(canonicalPassword('u\u0308ber')).toBe(canonicalPassword('\u00fcber'));
  });

  test('counts characters, not bytes', () => {
    expect(problems('😀😁😂🤣😃😄😅😆😉😊😋😎')).toEqual([]);
    expect(problems('😀😁😂🤣😃😄😅😆😉😊😋')).toEqual(['tooShort']);
  });
});
