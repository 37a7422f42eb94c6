import { trimBlanks } from './text.ts';

/** A parsed URI. `user` keeps its escapes; `host` of an IPv6 literal has no brackets (see `formatHost`). */
export interface Uri {
  /** Lower case. */
  scheme: string;
  /** Without the password part. For `tel:` the number. */
  user: string | undefined;
  /** Lower case is not forced. Empty for schemes other than sip and sips. */
  host: string;
  port: number | undefined;
  /** Names in lower case, values as written ('' when there is none). */
  params: ReadonlyMap<string, string>;
  /** What follows `?`, as written; '' when absent. */
  headers: string;
}

/** A `name-addr` or `addr-spec` with its header parameters. */
export interface NameAddr {
  /** Display name without quotes and escapes. */
  display: string;
  /** The URI as written, without `<>`. */
  uri: string;
  /** Names in lower case, values as written (quotes kept), '' when there is none. */
  params: ReadonlyMap<string, string>;
  tag: string | undefined;
}

/** One Via element. */
export interface Via {
  /** Transport in upper case: 'UDP'. */
  protocol: string;
  /** Without brackets for IPv6. */
  host: string;
  port: number | undefined;
  params: ReadonlyMap<string, string>;
  branch: string | undefined;
}

const NO_PARAMS: ReadonlyMap<string, string> = new Map();
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
const HOST_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/;
const URI_FORBIDDEN = /[<>"\u0000- \u007f]/;
const DISPLAY = /^[^"<>,;:@\\]*$/;
const PARAM = /^[ \t]*([^ \t;,="<>]+)[ \t]*(?:=[ \t]*("(?:[^"\\]|\\.)*"|[^ \t;,"<>=]+)[ \t]*)?$/s;
const VIA_PROTOCOL = /^[ \t]*[^ \t/;,]+[ \t]*\/[ \t]*[^ \t/;,]+[ \t]*\/[ \t]*([^ \t/;,]+)[ \t]+/;
const SENT_BY = /(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))[ \t]*(?::[ \t]*(\d{1,5})[ \t]*)?(?=;|$)/y;

/** `host`, in brackets if it is an IPv6 literal. */
export function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function toPort(digits: string | undefined): number | undefined | null {
  if (digits === undefined) return undefined;
  const port = Number(digits);
  return port <= 65535 ? port : null;
}

function uriParams(text: string): ReadonlyMap<string, string> {
  if (text === '') return NO_PARAMS;
  const params = new Map<string, string>();
  for (const part of text.split(';')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).toLowerCase();
    if (!params.has(name)) params.set(name, equals < 0 ? '' : part.slice(equals + 1));
  }
  return params;
}

function parseTel(rest: string): Uri | undefined {
  const semicolon = rest.indexOf(';');
  const user = semicolon < 0 ? rest : rest.slice(0, semicolon);
  if (user === '') return undefined;
  const params = semicolon < 0 ? NO_PARAMS : uriParams(rest.slice(semicolon + 1));
  return { scheme: 'tel', user, host: '', port: undefined, params, headers: '' };
}

/** Where host, parameters and headers of `user@host:port;params?headers` begin; the user part may hold `;` and `?`. */
function parseSip(scheme: string, rest: string): Uri | undefined {
  const at = rest.indexOf('@');
  const tail = rest.slice(at + 1);
  const question = tail.indexOf('?');
  const address = question < 0 ? tail : tail.slice(0, question);
  const semicolon = address.indexOf(';');
  const match = HOST_PORT.exec(semicolon < 0 ? address : address.slice(0, semicolon));
  if (match === null || at === 0) return undefined;
  const port = toPort(match[3]);
  if (port === null) return undefined;
  return {
    scheme,
    user: at < 0 ? undefined : (rest.slice(0, at).split(':', 1)[0] ?? ''),
    host: match[1] ?? match[2] ?? '',
    port,
    params: semicolon < 0 ? NO_PARAMS : uriParams(address.slice(semicolon + 1)),
    headers: question < 0 ? '' : tail.slice(question + 1),
  };
}

/** Parses a URI (RFC 3261 19.1, RFC 3966). Schemes other than sip, sips and tel give only `scheme`. */
export function parseUri(text: string): Uri | undefined {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1 || URI_FORBIDDEN.test(text)) return undefined;
  const scheme = text.slice(0, colon).toLowerCase();
  const rest = text.slice(colon + 1);
  if (scheme === 'sip' || scheme === 'sips') return parseSip(scheme, rest);
  if (scheme === 'tel') return parseTel(rest);
  if (!SCHEME.test(scheme)) return undefined;
  return { scheme, user: undefined, host: '', port: undefined, params: NO_PARAMS, headers: '' };
}

/** Position after the quoted string that starts at `start`; -1 if it has no end. */
function endOfQuoted(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i + 1;
  }
  return -1;
}

/** Position of the first `mark` outside quotes and `<>` at or after `from`; -1 if there is none. */
function indexOutside(text: string, mark: number, from: number): number {
  let angle = false;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === mark && !angle) return i;
    if (code === 0x22 && !angle) {
      i = endOfQuoted(text, i) - 1;
      if (i < 0) return -1;
    } else if (code === 0x3c) angle = true;
    else if (code === 0x3e) angle = false;
  }
  return -1;
}

/** Position of the first comma that separates list elements (not in quotes or `<>`); -1 if there is none. */
export function topLevelComma(text: string, from = 0): number {
  return text.indexOf(',', from) < 0 ? -1 : indexOutside(text, 0x2c, from);
}

/** Splits a list header at its top-level commas and trims the elements. Empty elements are kept. */
export function splitList(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (;;) {
    const comma = topLevelComma(text, start);
    if (comma < 0) break;
    parts.push(trimBlanks(text.slice(start, comma)));
    start = comma + 1;
  }
  parts.push(trimBlanks(text.slice(start)));
  return parts;
}

/** Text of a quoted string without quotes and escapes; other text as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  const inner = text.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\(.)/gs, '$1') : inner;
}

/** Parses `;a=b;c` from the first semicolon on. Undefined for an empty parameter or stray text. */
function parseParams(text: string): ReadonlyMap<string, string> | undefined {
  const trimmed = trimBlanks(text);
  if (trimmed === '') return NO_PARAMS;
  if (!trimmed.startsWith(';')) return undefined;
  const params = new Map<string, string>();
  let start = 1;
  while (start >= 1) {
    const next = indexOutside(trimmed, 0x3b, start);
    const match = PARAM.exec(next < 0 ? trimmed.slice(start) : trimmed.slice(start, next));
    if (match === null) return undefined;
    const name = (match[1] ?? '').toLowerCase();
    if (!params.has(name)) params.set(name, match[2] ?? '');
    start = next + 1;
  }
  return params;
}

function withParams(display: string, uri: string, rest: string): NameAddr | undefined {
  const params = parseParams(rest);
  if (params === undefined || parseUri(uri) === undefined) return undefined;
  const tag = params.get('tag');
  return { display, uri, params, tag: tag === '' ? undefined : tag };
}

/** Without `<>` every parameter is the header's, and `?` and `,` are not allowed (RFC 3261 20.10). */
function parseAddrSpec(text: string): NameAddr | undefined {
  const semicolon = text.indexOf(';');
  const uri = trimBlanks(semicolon < 0 ? text : text.slice(0, semicolon));
  if (uri.includes(',') || uri.includes('?')) return undefined;
  return withParams('', uri, semicolon < 0 ? '' : text.slice(semicolon));
}

/** Parses one From, To, Contact, Route … value: `"Name" <uri>;params`, `Name <uri>`, or a bare URI. */
export function parseNameAddr(text: string): NameAddr | undefined {
  const trimmed = trimBlanks(text);
  const quoted = trimmed.startsWith('"');
  const nameEnd = quoted ? endOfQuoted(trimmed, 0) : trimmed.indexOf('<');
  if (nameEnd < 0) return quoted ? undefined : parseAddrSpec(trimmed);
  const open = trimmed.indexOf('<', nameEnd);
  const close = trimmed.indexOf('>', open);
  if (open < 0 || close < 0) return undefined;
  if (quoted && trimBlanks(trimmed.slice(nameEnd, open)) !== '') return undefined;
  const name = trimBlanks(trimmed.slice(0, nameEnd));
  if (!quoted && name !== '' && !DISPLAY.test(name)) return parseAddrSpec(trimmed);
  return withParams(unquote(name), trimmed.slice(open + 1, close), trimmed.slice(close + 1));
}

interface ViaHead {
  protocol: string;
  host: string;
  port: number | undefined;
  length: number;
}

/** Protocol and sent-by of a Via element, whatever its parameters look like: enough to answer somebody. */
export function parseViaHead(text: string): ViaHead | undefined {
  const protocol = VIA_PROTOCOL.exec(text);
  if (protocol === null) return undefined;
  SENT_BY.lastIndex = protocol[0].length;
  const sentBy = SENT_BY.exec(text);
  const port = toPort(sentBy?.[3]);
  if (sentBy === null || port === null) return undefined;
  const host = sentBy[1] ?? sentBy[2] ?? '';
  return {
    protocol: (protocol[1] ?? '').toUpperCase(),
    host,
    port,
    length: protocol[0].length + sentBy[0].length,
  };
}

/** Parses one Via element. The SIP version in it is not judged. */
export function parseVia(text: string): Via | undefined {
  const head = parseViaHead(text);
  if (head === undefined) return undefined;
  const params = parseParams(text.slice(head.length));
  if (params === undefined) return undefined;
  const branch = params.get('branch');
  const { protocol, host, port } = head;
  return { protocol, host, port, params, branch: branch === '' ? undefined : branch };
}
