import { expect, test } from 'vitest';
import { base32, otpauthUri, totpCode, totpStep } from '../../../src/services/totp.ts';

const secret = Buffer.from('12345678901234567890');

/** RFC 6238 appendix B, the last six of its eight digits. */
test.each([
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
])('at %i s the code is %s', (seconds, code) => {
  expect(totpCode(secret, Math.floor(seconds / 30))).toBe(code);
  expect(totpStep(secret, code, seconds * 1000)).toBe(Math.floor(seconds / 30));
});

test('a clock may be a step off, and no more', () => {
  const now = 1_111_111_109_000;
  const code = (steps: number) => totpCode(secret, Math.floor(now / 30_000) + steps);
  for (const steps of [-1, 0, 1])
    expect(totpStep(secret, code(steps), now)).toBe(Math.floor(now / 30_000) + steps);
  for (const steps of [-2, 2]) expect(totpStep(secret, code(steps), now)).toBeUndefined();
});

test.each(['', '08180', '0818044', 'abcdef', '０８１８０４', '-81804', '8.1804'])('%j is no code', (code) => {
  expect(totpStep(secret, code, 1_111_111_109_000)).toBeUndefined();
});

test('a code may be typed as apps show it', () => {
  expect(totpStep(secret, '081 804', 1_111_111_109_000)).toBeDefined();
});

/** RFC 4648 10. */
test.each([
  ['', ''],
  ['f', 'MY'],
  ['fo', 'MZXQ'],
  ['foobar', 'MZXW6YTBOI'],
])('%j in base 32 is %s', (text, encoded) => expect(base32(Buffer.from(text))).toBe(encoded));

test('what a QR code holds', () => {
  const uri = new URL(otpauthUri({ secret, issuer: 'Hotdesk', email: 'kim+x@example.com' }));
  expect(uri.pathname).toBe('/Hotdesk:kim%2Bx%40example.com');
  expect(uri.searchParams.get('secret')).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
});
