import { createHmac } from 'node:crypto';

/** The pseudorandom function of TLS 1.2 (RFC 5246 5), with SHA-256. */
export function prf(secret: Buffer, options: { label: string; seed: Buffer; length: number }): Buffer {
  const seed = Buffer.concat([Buffer.from(options.label, 'ascii'), options.seed]);
  const output: Buffer[] = [];
  let a: Buffer = seed;
  for (let have = 0; have < options.length; have += 32) {
    a = hmac(secret, a);
    output.push(hmac(secret, Buffer.concat([a, seed])));
  }
  return Buffer.concat(output).subarray(0, options.length);
}

function hmac(key: Buffer, data: Buffer): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
