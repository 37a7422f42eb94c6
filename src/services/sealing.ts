import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { type Peppers, pepperTable } from './peppers.ts';

/** Keeps short secrets in the store that must be had back in clear, unlike passcodes. */
export interface Sealing {
  /** `<key id>:<base64>`, different each time. `context`: what it belongs to, such as `webhook:orders`; not secret. */
  seal(secret: string, context: string): string;
  /** The secret, or undefined for what was changed, belongs elsewhere, or was sealed by a key nobody has any more. */
  open(sealed: string, context: string): string | undefined;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Keeps the keys made here apart from every other use of the pepper. */
const PURPOSE = 'hotdesk sealing 1';

/** AES-256-GCM under keys made of the peppers by HKDF-SHA256. @throws RangeError for peppers that will not do */
export function createSealing(peppers: Peppers): Sealing {
  const keys = new Map([...pepperTable(peppers)].map(([id, pepper]) => [id, keyOf(pepper)]));
  const current = keyOf(peppers.pepper);
  return {
    seal: (secret, context) => `${peppers.keyId}:${encrypt(current, secret, context).toString('base64')}`,
    open: (sealed, context) => {
      const [id = '', text = '', ...rest] = sealed.split(':');
      const key = keys.get(id);
      const box = Buffer.from(text, 'base64');
      // Text that is not exactly what `seal` wrote is not looked at, though a decoder may let it pass.
      if (!key || rest.length > 0 || box.toString('base64') !== text) return undefined;
      return decrypt(key, box, context);
    },
  };
}

function keyOf(pepper: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', pepper, '', PURPOSE, 32));
}

/** Nonce, ciphertext, tag. */
function encrypt(key: Uint8Array, secret: string, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context, 'utf8'));
  return Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Uint8Array, box: Buffer, context: string): string | undefined {
  if (box.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, key, box.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context, 'utf8')).setAuthTag(box.subarray(-TAG_BYTES));
  try {
    const clear = decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([clear, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
