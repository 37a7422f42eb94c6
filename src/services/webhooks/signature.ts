import { createHmac } from 'node:crypto';

/** Secrets and signatures as the Standard Webhooks specification has them, so that its libraries verify ours. */

const PREFIX = 'whsec_';
/** Octets of a secret; the specification wants 24 to 64. */
export const SECRET_BYTES = 32;

/** `whsec_<base64>` of these random octets: what the receiver is given. */
export function secretText(key: Uint8Array): string {
  return PREFIX + Buffer.from(key).toString('base64');
}

export interface Signed {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
}

/** `v1,<base64>` of HMAC-SHA256 over `id.timestamp.body`, by the octets the secret stands for. */
export function signatureOf({ id, timestamp, body }: Signed, secret: string): string {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`, 'utf8').digest('base64')}`;
}
