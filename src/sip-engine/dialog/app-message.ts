/** SIP text as drachtio-srf writes it: incomplete on purpose, so the strict parser cannot read it. */

import { canonicalName, isKnownName } from '../message/names.ts';

/** One message of an application, before the engine completes it. */
export interface AppMessage {
  startLine: string;
  /** Requests only, else ''. */
  method: string;
  /** Requests only, else ''. */
  uri: string;
  /** Responses only, else 0. */
  status: number;
  reason: string;
  /** Canonical names, values without line breaks, in order. */
  headers: [name: string, value: string][];
  /** Octets, as the frame held them: the application's Content-Length is not trusted. */
  body: string;
}

const TOKEN = /^[A-Za-z0-9.!*_+`'~-]+$/;

/**
 * The spelling of a header name on the wire: known ones as their RFC writes them, `X-…` and `P-…` untouched,
 * others capitalised after each dash (DP §18).
 */
export function wireName(name: string): string {
  const canonical = canonicalName(name);
  if (isKnownName(canonical) || /^(x-|P-)/i.test(name)) return canonical;
  return name.replace(/(^|-)([a-z])/g, (_match, dash: string, letter: string) => dash + letter.toUpperCase());
}

/** Reads a message of an application; undefined when its start line is not SIP. Bad header lines are dropped. */
export function parseAppMessage(text: string): AppMessage | undefined {
  const end = text.indexOf('\r\n\r\n');
  const lines = (end < 0 ? text.replace(/(\r\n)+$/, '') : text.slice(0, end)).split('\r\n');
  const startLine = lines[0] ?? '';
  const start = parseStartLine(startLine);
  if (!start) return undefined;
  const body = end < 0 ? '' : text.slice(end + 4);
  return { startLine, ...start, headers: lines.slice(1).flatMap(parseHeaderLine), body };
}

function parseStartLine(line: string): Pick<AppMessage, 'method' | 'uri' | 'status' | 'reason'> | undefined {
  const response = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/.exec(line);
  if (response) return { method: '', uri: '', status: Number(response[1]), reason: response[2] ?? '' };
  const request = /^(\S+) (\S+) SIP\/2\.0$/.exec(line);
  if (!request || !TOKEN.test(request[1]!)) return undefined;
  return { method: request[1]!, uri: request[2]!, status: 0, reason: '' };
}

function parseHeaderLine(line: string): [string, string][] {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).trim();
  if (!TOKEN.test(name)) return [];
  // A lone CR or LF inside a value would start a new header at a careless receiver.
  const value = line
    .slice(colon + 1)
    .replace(/[\r\n\0]+/g, ' ')
    .trim();
  return [[wireName(name), value]];
}

/** First value of a header, name in canonical spelling. */
export function appHeader(message: AppMessage, name: string): string | undefined {
  return message.headers.find((header) => header[0] === name)?.[1];
}
