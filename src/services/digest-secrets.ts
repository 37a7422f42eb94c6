import { createHash } from 'node:crypto';
import type { DigestSecrets, Host } from '../domain/directory.ts';

/** H(user:realm:password) per algorithm, hex (RFC 8760); what is kept of a SIP password. */
export function digestSecrets(user: string, realm: string, password: string): DigestSecrets {
  const a1 = `${user}:${realm}:${password}`;
  const hex = (algorithm: string): string => createHash(algorithm).update(a1, 'utf8').digest('hex');
  return { md5: hex('md5'), sha256: hex('sha256') };
}

/** The SIP password of a phone of the demo data, which everybody can read there. */
export function demoPassword(host: string): string {
  return `demo-${host}`;
}

/** Whether a phone still has that password. */
export function hasDemoPassword({ id, digest }: Pick<Host, 'id' | 'digest'>, realm: string): boolean {
  return digest.md5 === digestSecrets(id, realm, demoPassword(id)).md5;
}
