import { Secret, TOTP } from 'otpauth';

/** Codes of authenticator apps: RFC 6238 with SHA-1, 30 s and six digits, which every app knows. */

/** Bytes of a secret (RFC 4226 R6 asks for 20 at best). */
export const TOTP_SECRET_BYTES = 20;
const PERIOD = 30;
/** Steps a clock may be off, to either side. */
const WINDOW = 1;
const ISSUER = 'Hotdesk';

/** How long a step goes on being taken, ms. */
export const TOTP_LIFETIME_MS = (2 * WINDOW + 1) * PERIOD * 1000;

function totpOf(secret: Uint8Array, label = ''): TOTP {
  const { buffer } = Uint8Array.from(secret);
  const settings = { algorithm: 'SHA1', digits: 6, period: PERIOD };
  return new TOTP({ ...settings, issuer: ISSUER, label, secret: new Secret({ buffer }) });
}

/** The step a code belongs to, now or one before or after; undefined: none. `now` in ms since 1970. */
export function totpStep(secret: Uint8Array, code: string, now: number): number | undefined {
  const token = code.replaceAll(' ', '');
  // The library throws at other characters of more than a byte.
  if (!/^\d{6}$/.test(token)) return undefined;
  const delta = totpOf(secret).validate({ token, timestamp: now, window: WINDOW });
  return delta === null ? undefined : TOTP.counter({ period: PERIOD, timestamp: now }) + delta;
}

/** A secret as an app takes it: `text` to type (RFC 4648 base 32), `uri` in a QR code. */
export function totpSecret(
  secret: Uint8Array,
  email: string,
): { readonly text: string; readonly uri: string } {
  const totp = totpOf(secret, email);
  return { text: totp.secret.base32, uri: totp.toString() };
}
