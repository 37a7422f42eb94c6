/** The little of URIs and name-addrs that call handling needs; the registrar's comparison stands in domain/uri.ts. */

/** User part of a SIP URI or name-addr, %-decoded; `''` when there is none or it does not decode. */
export function userOf(text: string): string {
  const match = /sips?:([^@<>]*)@/i.exec(text);
  const user = match?.[1]?.split(';')[0] ?? '';
  try {
    return decodeURIComponent(user);
  } catch {
    return '';
  }
}

/** Host part of a SIP URI, lower case, without port and parameters. */
export function hostOf(text: string): string {
  const match = /sips?:(?:[^@<>]*@)?(\[[^\]]+\]|[^:;>?\s]+)/i.exec(text);
  return (match?.[1] ?? '').toLowerCase();
}

/** The display name of a name-addr, unquoted; `''` when there is none. */
export function displayNameOf(text: string): string {
  const quoted = /^\s*"((?:[^"\\]|\\.)*)"\s*</.exec(text);
  if (quoted) return (quoted[1] ?? '').replace(/\\(.)/g, '$1');
  const plain = /^\s*([^"<]*?)\s*</.exec(text);
  return plain?.[1] ?? '';
}

/** A name-addr; the name is quoted and stripped of what would end the header early (RFC 3261 25.1). */
export function nameAddr(name: string, uri: string): string {
  const clean = name.replace(/[\r\n]/g, ' ').trim();
  return clean === '' ? `<${uri}>` : `"${clean.replace(/["\\]/g, '\\$&')}" <${uri}>`;
}

/** Puts a user part into a SIP URI that has none or another one; parameters stay. */
export function withUser(uri: string, user: string): string {
  return uri.replace(/^(sips?:)(?:[^@]*@)?/i, `$1${encodeUser(user)}@`);
}

/** Escapes what RFC 3261 does not allow in a user part. */
export function encodeUser(user: string): string {
  return user.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/g, (c) => encodeURIComponent(c));
}
