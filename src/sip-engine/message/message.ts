import type { NameAddr, Via } from './address.ts';
import { parseNameAddr, parseVia, splitList, topLevelComma } from './address.ts';
import { canonicalName, isKnownName } from './names.ts';
import { reasonPhrase } from './reasons.ts';

export type { NameAddr, Uri, Via } from './address.ts';
export { formatHost, parseNameAddr, parseUri, parseVia, splitList, unquote } from './address.ts';

/** What is wrong with the form of a received message; the sanity check decides what follows from it. */
export type Defect = 'start-line' | 'header' | 'unterminated' | 'content-length' | 'truncated';

export interface CSeq {
  seq: number;
  method: string;
}

const CSEQ = /^(\d{1,20})[ \t]+([^ \t]+)$/;
const LINE_BREAK = /[\r\n]+[ \t]*/g;

/** A value that cannot end its own header: line breaks become one space. */
function singleLine(value: string): string {
  return value.includes('\r') || value.includes('\n') ? value.replace(LINE_BREAK, ' ') : value;
}

/**
 * A SIP request or response. Text is latin1: one character is one octet, in headers and body alike.
 * Header names are given in any spelling or compact form; known ones are kept in their full spelling.
 * Parsed values are made on first use and kept until the header changes.
 */
export class SipMessage {
  readonly isRequest: boolean;
  /** As in the start line: 'SIP/2.0'. */
  version = 'SIP/2.0';
  uri = '';
  status = 0;
  reason = '';
  body = '';
  /** First defect of form found by the parser. */
  defect: Defect | undefined;
  /** Octets of start line and headers as received; 0 for a message made here. */
  headBytes = 0;
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  #method = '';
  #topVia: Via | undefined | null = null;
  #from: NameAddr | undefined | null = null;
  #to: NameAddr | undefined | null = null;
  #cseq: CSeq | undefined | null = null;

  constructor(isRequest: boolean) {
    this.isRequest = isRequest;
  }

  /** A request without headers. */
  static request(method: string, uri: string): SipMessage {
    const message = new SipMessage(true);
    message.method = method;
    message.uri = singleLine(uri);
    return message;
  }

  /** A response with the Vias, From, To, Call-ID and CSeq of `request` (RFC 3261 8.2.6.2). No tag is added. */
  static response(request: SipMessage, status: number, reason?: string): SipMessage {
    const message = new SipMessage(false);
    message.status = status;
    message.reason = singleLine(reason ?? reasonPhrase(status));
    for (const via of request.getAll('Via')) message.append('Via', via);
    for (const name of ['From', 'To', 'Call-ID', 'CSeq']) {
      const value = request.get(name);
      if (value !== undefined) message.append(name, value);
    }
    if (status === 100 && request.has('Timestamp'))
      message.append('Timestamp', request.get('Timestamp') ?? '');
    return message;
  }

  /** The request's method; of a response that of its CSeq ('' if there is none). */
  get method(): string {
    return this.isRequest ? this.#method : (this.cseq?.method ?? '');
  }

  set method(method: string) {
    this.#method = method;
  }

  #indexOf(name: string, from = 0): number {
    const canonical = canonicalName(name);
    const exact = this.#names.indexOf(canonical, from);
    if (exact >= 0 || isKnownName(canonical)) return exact;
    const lower = canonical.toLowerCase();
    for (let i = from; i < this.#names.length; i++) {
      const candidate = this.#names[i] ?? '';
      if (candidate.length === lower.length && candidate.toLowerCase() === lower) return i;
    }
    return -1;
  }

  /** The first value, or undefined. */
  get(name: string): string | undefined {
    const index = this.#indexOf(name);
    return index < 0 ? undefined : this.#values[index];
  }

  /** All values in order, one per header line (lists are not split). */
  getAll(name: string): string[] {
    const found: string[] = [];
    for (let i = this.#indexOf(name); i >= 0; i = this.#indexOf(name, i + 1))
      found.push(this.#values[i] ?? '');
    return found;
  }

  has(name: string): boolean {
    return this.#indexOf(name) >= 0;
  }

  /** How many header lines have this name. */
  count(name: string): number {
    let count = 0;
    for (let i = this.#indexOf(name); i >= 0; i = this.#indexOf(name, i + 1)) count++;
    return count;
  }

  /** Replaces all values of `name` by one, at the place of the first. */
  set(name: string, value: string): this {
    const index = this.#indexOf(name);
    if (index < 0) return this.add(name, value);
    this.#values[index] = singleLine(value);
    for (let i = this.#indexOf(name, index + 1); i >= 0; i = this.#indexOf(name, i)) this.#removeAt(i);
    this.#forget(name);
    return this;
  }

  /** Replaces the first value only (Via of a proxy hop keeps the rest). */
  setFirst(name: string, value: string): this {
    const index = this.#indexOf(name);
    if (index < 0) return this.add(name, value);
    this.#values[index] = singleLine(value);
    this.#forget(name);
    return this;
  }

  /** Adds a value after all others. */
  add(name: string, value: string): this {
    this.append(singleLine(canonicalName(name)), singleLine(value));
    this.#forget(name);
    return this;
  }

  /** Adds a value before all other headers. */
  prepend(name: string, value: string): this {
    this.#names.unshift(singleLine(canonicalName(name)));
    this.#values.unshift(singleLine(value));
    this.#forget(name);
    return this;
  }

  delete(name: string): this {
    for (let i = this.#indexOf(name); i >= 0; i = this.#indexOf(name, i)) this.#removeAt(i);
    this.#forget(name);
    return this;
  }

  /** Adds a header with a canonical name and a clean value and no look at the caches: for the parser. */
  append(name: string, value: string): void {
    this.#names.push(name);
    this.#values.push(value);
  }

  #removeAt(index: number): void {
    this.#names.splice(index, 1);
    this.#values.splice(index, 1);
  }

  #forget(name: string): void {
    const canonical = canonicalName(name);
    if (canonical === 'Via') this.#topVia = null;
    else if (canonical === 'From') this.#from = null;
    else if (canonical === 'To') this.#to = null;
    else if (canonical === 'CSeq') this.#cseq = null;
  }

  /** All headers in order. */
  get headers(): Iterable<readonly [name: string, value: string]> {
    return this.#names.map((name, i) => [name, this.#values[i] ?? ''] as const);
  }

  /** The first element of the first Via. */
  get topVia(): Via | undefined {
    if (this.#topVia === null) this.#topVia = parseTopVia(this.get('Via'));
    return this.#topVia;
  }

  get from(): NameAddr | undefined {
    if (this.#from === null) this.#from = parseOptional(this.get('From'));
    return this.#from;
  }

  get to(): NameAddr | undefined {
    if (this.#to === null) this.#to = parseOptional(this.get('To'));
    return this.#to;
  }

  /** Undefined also for a number above 2^32-1 (RFC 3261 8.1.1.5 allows 2^31-1; RFC 4475 asks to survive more). */
  get cseq(): CSeq | undefined {
    if (this.#cseq === null) this.#cseq = parseCSeq(this.get('CSeq'));
    return this.#cseq;
  }

  get callId(): string | undefined {
    return this.get('Call-ID');
  }

  /** Every Contact in order, `*` alone for the wildcard. Values that do not parse are left out. */
  contacts(): NameAddr[] | '*' {
    const parsed: NameAddr[] = [];
    for (const value of this.getAll('Contact')) {
      if (value === '*') return '*';
      for (const element of splitList(value)) {
        const address = parseNameAddr(element);
        if (address !== undefined) parsed.push(address);
      }
    }
    return parsed;
  }

  /** The message as it goes on the wire; Content-Length is always that of `body`. */
  toString(): string {
    let text = this.isRequest
      ? `${this.#method} ${this.uri} ${this.version}\r\n`
      : `${this.version} ${this.status} ${this.reason}\r\n`;
    for (let i = 0; i < this.#names.length; i++) {
      if (this.#names[i] !== 'Content-Length') text += `${this.#names[i]}: ${this.#values[i]}\r\n`;
    }
    return `${text}Content-Length: ${this.body.length}\r\n\r\n${this.body}`;
  }
}

function parseOptional(value: string | undefined): NameAddr | undefined {
  return value === undefined ? undefined : parseNameAddr(value);
}

function parseTopVia(value: string | undefined): Via | undefined {
  if (value === undefined) return undefined;
  const comma = topLevelComma(value);
  return parseVia(comma < 0 ? value : value.slice(0, comma));
}

function parseCSeq(value: string | undefined): CSeq | undefined {
  const match = value === undefined ? null : CSEQ.exec(value);
  if (match === null) return undefined;
  const seq = Number(match[1]);
  return seq > 0xffffffff ? undefined : { seq, method: match[2] ?? '' };
}

/** Copies Record-Route, in order: for responses that create a dialog (RFC 3261 12.1.1). */
export function copyRecordRoute(request: SipMessage, response: SipMessage): void {
  for (const value of request.getAll('Record-Route')) response.add('Record-Route', value);
}
