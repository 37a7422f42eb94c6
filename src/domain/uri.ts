/** A sip or sips URI in parts (RFC 3261 19.1.1). Parameter and header names are lower case. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** User part as written, password and all; undefined when there is none. */
  readonly user: string | undefined;
  /** Lower case; IPv6 in brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
}

const URI = /^(sips?):(?:([^@\s]*)@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?(;[^?\s]*)?(\?\S*)?$/i;

/** Parameters that must stand in both URIs or in neither (RFC 3261 19.1.4). */
const TELLING_PARAMS = ['transport', 'user', 'ttl', 'method', 'maddr'] as const;

/** The parts of a sip or sips URI, or undefined for anything else. Accepts `<…>` around it. */
export function parseSipUri(text: string): SipUri | undefined {
  const trimmed = text.trim();
  const bare = trimmed.startsWith('<') && trimmed.endsWith('>') ? trimmed.slice(1, -1) : trimmed;
  const [, scheme, user, host, port, params, headers] = URI.exec(bare) ?? [];
  if (!scheme || !host || user === '' || Number(port ?? 0) > 65_535) return undefined;
  return {
    scheme: scheme.toLowerCase() === 'sips' ? 'sips' : 'sip',
    user,
    host: host.toLowerCase(),
    port: port === undefined ? undefined : Number(port),
    params: parsePairs(params, ';'),
    headers: parsePairs(headers, '&'),
  };
}

/** Whether two URIs are the same by RFC 3261 19.1.4; anything but sip and sips is compared as text. */
export function sameUri(one: string, other: string): boolean {
  const a = parseSipUri(one);
  const b = parseSipUri(other);
  if (!a || !b) return one.trim() === other.trim();
  return (
    a.scheme === b.scheme &&
    unescaped(a.user ?? '') === unescaped(b.user ?? '') &&
    a.host === b.host &&
    a.port === b.port &&
    sameParams(a.params, b.params) &&
    sameHeaders(a.headers, b.headers)
  );
}

function sameParams(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (TELLING_PARAMS.some((name) => a.has(name) !== b.has(name))) return false;
  return [...a].every(([name, value]) => !b.has(name) || b.get(name)?.toLowerCase() === value.toLowerCase());
}

function sameHeaders(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}

/** `;a=1;lr` or `?a=1&b=2` to a map; unescaped, since %61 and a are the same. */
function parsePairs(text: string | undefined, separator: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of (text ?? '').slice(1).split(separator)) {
    const equals = pair.indexOf('=');
    const name = unescaped(equals < 0 ? pair : pair.slice(0, equals)).toLowerCase();
    if (name !== '') pairs.set(name, equals < 0 ? '' : unescaped(pair.slice(equals + 1)));
  }
  return pairs;
}

/**
 * Undoes %-escapes byte by byte, so that broken UTF-8 cannot fail. Reserved characters stay escaped: `%40` is not
 * `@` (RFC 3261 19.1.4: only characters outside the reserved set equal their escapes).
 */
function unescaped(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (escaped: string, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[;/?:@&=+$,%]/.test(character) ? escaped.toUpperCase() : character;
  });
}
