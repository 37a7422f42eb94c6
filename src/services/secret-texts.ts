import { createHash, timingSafeEqual } from 'node:crypto';

/** Bytes of every random secret given out. */
export const SECRET_BYTES = 32;

/** What is kept of a random secret. With 256 bits there is nothing to guess, so a slow hash is not needed. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** Takes as long whether it is the same or not. `hash`: as `hashOf` writes it. */
export function isSecretOf(secret: string, hash: string): boolean {
  const [given, kept] = [Buffer.from(hashOf(secret)), Buffer.from(hash)];
  return given.length === kept.length && timingSafeEqual(given, kept);
}

/** 32 random bytes as text. `randomBytes`: node:crypto's. */
export function newSecret(randomBytes: (size: number) => Uint8Array): string {
  return Buffer.from(randomBytes(SECRET_BYTES)).toString('base64url');
}
