import { Secret, TOTP } from 'otpauth';
import { expect, test } from 'vitest';
import { totpSecret, totpStep } from '../../../src/services/totp.ts';

const secret = Buffer.from('12345678901234567890');
const NOW = 1_111_111_109_000;
const STEP = Math.floor(NOW / 30_000);

function codeAt(ms: number): string {
  return TOTP.generate({ secret: Secret.fromLatin1('12345678901234567890'), timestamp: ms });
}

/** RFC 6238 appendix B, the last six of its eight digits. */
test.each([
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
])('at %i s the code is %s', (seconds, code) => {
  expect(totpStep(secret, code, seconds * 1000)).toBe(Math.floor(seconds / 30));
});

test('a clock may be a step off, and no more; each code is of its own step, whenever it comes', () => {
  for (const steps of [-1, 0, 1])
    expect(totpStep(secret, codeAt(NOW + steps * 30_000), NOW)).toBe(STEP + steps);
  for (const steps of [-2, 2]) expect(totpStep(secret, codeAt(NOW + steps * 30_000), NOW)).toBeUndefined();
});

test.each(['', '08180', '0818044', 'abcdef', '０８１８０４', '-81804', '8.1804', '081804\0'])(
  '%j is no code',
  (code) => expect(totpStep(secret, code, NOW)).toBeUndefined(),
);

test('a code may be typed as apps show it', () => {
  expect(totpStep(secret, '081 804', NOW)).toBe(STEP);
});

test('what an app is given', () => {
  const { text, uri } = totpSecret(secret, 'kim+x@example.com');
  expect(text).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
  const url = new URL(uri);
  expect(decodeURIComponent(url.pathname)).toBe('/Hotdesk:kim+x@example.com');
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    ...{ secret: text, issuer: 'Hotdesk', algorithm: 'SHA1', digits: '6', period: '30' },
  });
});
