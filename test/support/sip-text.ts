/** A SIP message as the far side saw it: enough reading for tests, nothing a server would need. */
export class SipText {
  readonly text: string;
  readonly startLine: string;
  readonly body: string;
  readonly #headers: readonly (readonly [name: string, value: string])[];

  constructor(text: string) {
    const end = text.indexOf('\r\n\r\n');
    const head = (end < 0 ? text : text.slice(0, end)).replace(/\r\n[ \t]+/g, ' ').split('\r\n');
    this.text = text;
    this.startLine = head[0] ?? '';
    this.body = end < 0 ? '' : text.slice(end + 4);
    this.#headers = head.slice(1).map(splitHeader);
  }

  /** Status of a response, undefined for a request. */
  get status(): number | undefined {
    const found = /^SIP\/2\.0 (\d{3})/.exec(this.startLine);
    return found ? Number(found[1]) : undefined;
  }

  /** Method of the request, or of the request that is answered. */
  get method(): string {
    return this.status === undefined
      ? (this.startLine.split(' ')[0] ?? '')
      : (this.header('CSeq').split(' ')[1] ?? '');
  }

  get requestUri(): string {
    return this.startLine.split(' ')[1] ?? '';
  }

  /** All values of a header, long or compact name, in order. */
  headers(name: string): string[] {
    const wanted = longName(name);
    return this.#headers.filter(([key]) => key === wanted).map(([, value]) => value);
  }

  /** First value of a header, `''` when absent. */
  header(name: string): string {
    return this.headers(name)[0] ?? '';
  }
}

/** User part of the first SIP URI in a header value or Request-URI. */
export function userOf(value: string): string {
  return decodeURIComponent(/sips?:([^@;>]*)@/.exec(value)?.[1] ?? '');
}

const COMPACT: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  k: 'supported',
  x: 'session-expires',
};

function longName(name: string): string {
  const lower = name.trim().toLowerCase();
  return COMPACT[lower] ?? lower;
}

function splitHeader(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  return [longName(line.slice(0, colon)), line.slice(colon + 1).trim()];
}
