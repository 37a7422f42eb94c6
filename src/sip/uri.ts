/** The little of URIs and name-addrs that call handling needs; the registrar's comparison stands in domain/uri.ts. */

/**
 * User part of the first SIP URI or name-addr, or the number of a tel URI, %-decoded and without password and
 * parameters; `''` when there is none or it does not decode. Total for any input, in linear time.
 */
export function userOf(text: string): string {
  const [, userInfo, number] = /^\s*(?:sips?:([^@<>]*)@|tel:([^;>,\s]*))/i.exec(addressOf(text)) ?? [];
  const user = (userInfo ?? number ?? '').split(/[;:]/, 1)[0] ?? '';
  try {
    return decodeURIComponent(user);
  } catch {
    return '';
  }
}

/** What follows `<`, or all of an addr-spec; a quoted display name may hold anything and is skipped. */
function addressOf(text: string): string {
  const rest = text.replace(/^\s*"(?:[^"\\]|\\.)*"/s, '');
  return rest.slice(rest.indexOf('<') + 1);
}

/** Host part of a SIP URI, lower case, without port and parameters. */
export function hostOf(text: string): string {
  const match = /sips?:(?:[^@<>]*@)?(\[[^\]]+\]|[^:;>?\s]+)/i.exec(text);
  return (match?.[1] ?? '').toLowerCase();
}

/** The display name of a name-addr, unquoted; `''` when there is none. */
export function displayNameOf(text: string): string {
  const quoted = /^\s*"((?:[^"\\]|\\.)*)"\s*</s.exec(text);
  if (quoted) return (quoted[1] ?? '').replace(/\\(.)/gs, '$1');
  return (/^([^"<]*)</.exec(text)?.[1] ?? '').trim();
}

/** A name-addr; the name is quoted and stripped of what would end the header early (RFC 3261 25.1). */
export function nameAddr(name: string, uri: string): string {
  const clean = name.replace(/[\u0000-\u001f\u007f]/g, ' ').trim();
  return clean === '' ? `<${uri}>` : `"${clean.replace(/["\\]/g, '\\$&')}" <${uri}>`;
}

/** Puts a user part into a SIP URI that has none or another one; parameters stay. */
export function withUser(uri: string, user: string): string {
  return uri.replace(/^(sips?:)(?:[^@]*@)?/i, (_, scheme: string) => `${scheme}${encodeUser(user)}@`);
}

/** Takes the user part out of a SIP URI: where to send, not for whom. */
export function withoutUser(uri: string): string {
  return uri.replace(/^(sips?:)[^@]*@/i, '$1');
}

/** Escapes what RFC 3261 does not allow in a user part. Half a surrogate pair becomes U+FFFD. */
export function encodeUser(user: string): string {
  return user.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/gu, (c) =>
    encodeURIComponent(/\p{Surrogate}/u.test(c) ? '\ufffd' : c),
  );
}
