import type { Defect } from './message.ts';
import { SipMessage } from './message.ts';
import { canonicalName, isKnownName } from './names.ts';
import { trimBlanks } from './text.ts';

const REQUEST_LINE = /^([A-Za-z0-9.!%*_+`'~-]+) ([^\u0000- <>"\u007f]+) (SIP\/\d{1,3}\.\d{1,3})$/i;
const STATUS_LINE = /^(SIP\/\d{1,3}\.\d{1,3}) (\d{3})(?: (.*))?$/i;
const TOKEN = /^[A-Za-z0-9.!%*_+`'~-]+$/;
const LONE_CR = /\r+/g;
const DIGITS = /^\d{1,9}$/;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;

/** A parsed head, and where in the text its body begins. */
export interface Head {
  message: SipMessage;
  bodyStart: number;
}

function mark(message: SipMessage, defect: Defect): void {
  message.defect ??= defect;
}

function requestOf(method: string, uri: string, version: string): SipMessage {
  const message = SipMessage.request(method, uri);
  message.version = version.toUpperCase();
  return message;
}

function responseOf(version: string, status: number, reason: string): SipMessage {
  const message = new SipMessage(false);
  message.version = version.toUpperCase();
  message.status = status;
  message.reason = reason;
  return message;
}

function isVersion(word: string | undefined): word is string {
  return word?.slice(0, 4).toUpperCase() === 'SIP/';
}

/** A line that is nearly right is kept and marked, so that it can be answered with 400 or 505. */
function parseNearlyStartLine(line: string): SipMessage | undefined {
  const words = line.split(/[ \t\r]+/).filter((word) => word !== '');
  const [first = '', second = ''] = words;
  const last = words.at(-1);
  let message: SipMessage | undefined;
  if (isVersion(first)) message = responseOf(first, Number(second), '');
  else if (words.length > 2 && isVersion(last))
    message = requestOf(first, words.slice(1, -1).join(' '), last);
  if (message !== undefined) mark(message, 'start-line');
  return message;
}

function parseStartLine(line: string): SipMessage | undefined {
  const request = REQUEST_LINE.exec(line);
  if (request !== null) return requestOf(request[1] ?? '', request[2] ?? '', request[3] ?? '');
  const response = STATUS_LINE.exec(line);
  if (response === null) return parseNearlyStartLine(line);
  return responseOf(response[1] ?? '', Number(response[2]), response[3] ?? '');
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Position after leading line ends (RFC 3261 7.5). */
function skipLineEnds(text: string): number {
  let position = 0;
  for (let code = text.charCodeAt(0); code === CR || code === LF; code = text.charCodeAt(position))
    position++;
  return position;
}

/** Position of the LF that ends the header starting at `start`, folded lines included; -1 without one. */
function headerEnd(text: string, start: number): number {
  let end = text.indexOf('\n', start);
  while (end >= 0 && isBlank(text.charCodeAt(end + 1))) end = text.indexOf('\n', end + 1);
  return end;
}

/** Unfolds to single spaces; a CR of its own could smuggle in a header further on, so it is a defect. */
function cleanValue(message: SipMessage, raw: string): string {
  const value = raw.includes('\n') ? raw.split('\n').map(trimBlanks).join(' ') : raw;
  const trimmed = trimBlanks(value);
  if (!trimmed.includes('\r')) return trimmed;
  mark(message, 'header');
  return trimmed.replace(LONE_CR, ' ');
}

function addHeader(message: SipMessage, line: string): void {
  const colon = line.indexOf(':');
  if (colon < 1) {
    mark(message, 'header');
    return;
  }
  const spelling = isBlank(line.charCodeAt(colon - 1))
    ? trimBlanks(line.slice(0, colon))
    : line.slice(0, colon);
  const name = canonicalName(spelling);
  if (!isKnownName(name) && !TOKEN.test(name)) mark(message, 'header');
  else message.append(name, cleanValue(message, line.slice(colon + 1)));
}

/** Reads headers up to the empty line. Returns where the body begins; -1 if there is no empty line. */
function addHeaders(message: SipMessage, text: string, from: number): number {
  let start = from;
  while (start < text.length) {
    if (text.charCodeAt(start) === CR && text.charCodeAt(start + 1) === LF) return start + 2;
    const end = headerEnd(text, start);
    if (end < 0) return -1;
    const withCr = text.charCodeAt(end - 1) === CR;
    if (!withCr) mark(message, 'header');
    if (end > start) addHeader(message, text.slice(start, withCr ? end - 1 : end));
    start = end + 1;
  }
  return -1;
}

/** Parses start line and headers. Undefined where the text is no SIP at all. */
export function parseHead(text: string): Head | undefined {
  const start = skipLineEnds(text);
  const end = text.indexOf('\n', start);
  if (end < 0) return undefined;
  const withCr = text.charCodeAt(end - 1) === CR;
  const message = parseStartLine(text.slice(start, withCr ? end - 1 : end));
  if (message === undefined) return undefined;
  if (!withCr) mark(message, 'start-line');
  const bodyStart = addHeaders(message, text, end + 1);
  if (bodyStart < 0) mark(message, 'unterminated');
  message.headBytes = (bodyStart < 0 ? text.length : bodyStart) - start;
  return { message, bodyStart: bodyStart < 0 ? text.length : bodyStart };
}

/** The declared body length in octets; undefined without a Content-Length, -1 where it is no number. */
export function declaredLength(message: SipMessage): number | undefined {
  const value = message.get('Content-Length');
  if (value === undefined) return undefined;
  return DIGITS.test(value) ? Number(value) : -1;
}

/**
 * Parses one message out of a datagram or a stream's frame (latin1 text). Leading line ends are skipped and the body is cut
 * at Content-Length; without one a datagram's rest is the body and a stream's message has none (RFC 3261 18.3).
 * Undefined where the text is no SIP; smaller faults are noted in `defect`. Never throws.
 */
export function parseMessage(text: string, framing: 'datagram' | 'stream'): SipMessage | undefined {
  const head = parseHead(text);
  if (head === undefined) return undefined;
  const { message, bodyStart } = head;
  const length = declaredLength(message);
  const available = text.length - bodyStart;
  if (length === undefined) {
    message.body = framing === 'datagram' ? text.slice(bodyStart) : '';
    return message;
  }
  if (length < 0) mark(message, 'content-length');
  else if (length > available) mark(message, 'truncated');
  message.body = length < 0 ? text.slice(bodyStart) : text.slice(bodyStart, bodyStart + length);
  return message;
}
