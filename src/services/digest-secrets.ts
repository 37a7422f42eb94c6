import { createHash } from 'node:crypto';
import type { DigestSecrets } from '../domain/directory.ts';

/** H(user:realm:password) per algorithm, hex (RFC 8760); what is kept of a SIP password. */
export function digestSecrets(user: string, realm: string, password: string): DigestSecrets {
  const a1 = `${user}:${realm}:${password}`;
  const hex = (algorithm: string): string => createHash(algorithm).update(a1, 'utf8').digest('hex');
  return { md5: hex('md5'), sha256: hex('sha256') };
}
