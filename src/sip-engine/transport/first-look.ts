/** What can be seen of a message without reading it: enough to tell what must not wait. */
export interface FirstLook {
  /** `''` for a response. */
  readonly method: string;
  /** Request-URI; `''` for a response. */
  readonly uri: string;
  /** Begins something: a request that is no part of what goes on, as far as its method tells. */
  readonly isNew: boolean;
  readonly address: string;
  readonly port: number;
}

const BEGINS = new Set(['INVITE', 'REGISTER', 'SUBSCRIBE', 'OPTIONS', 'MESSAGE', 'PUBLISH', 'REFER']);
/** Octets of a datagram that are looked at: no number that matters stands further behind. */
export const LOOKED_AT = 512;
const LONGEST_METHOD = 32;

interface Peer {
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** Looks at how a datagram begins. Total for any text. */
export function firstLook(text: string, { remoteAddress: address, remotePort: port }: Peer): FirstLook {
  const space = text.indexOf(' ');
  const method = space < LONGEST_METHOD ? text.slice(0, Math.max(space, 0)).trimStart() : '';
  if (method === '' || method === 'SIP/2.0') return { method: '', uri: '', isNew: false, address, port };
  const end = text.indexOf(' ', space + 1);
  const uri = end < 0 ? '' : text.slice(space + 1, end);
  return { method, uri, isNew: BEGINS.has(method), address, port };
}
