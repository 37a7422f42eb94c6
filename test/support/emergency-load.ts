import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { SipText, userOf } from './sip-text.ts';

/** Emergency calls by the thousand: bare sockets that call, and a PSAP that answers at once. */

const DOMAIN = 'hotdesk.example';
export const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n';
/** ms before an INVITE without any answer is sent again, and again: Timer A of RFC 3261 17.1.1.2, and the end. */
const TIMER_A = [500, 1000, 2000, 4000, 8000];

export interface Arrival {
  /** performance.now() of the first INVITE of this call. */
  readonly at: number;
  readonly invite: SipText;
}

/** Answers every call, and remembers what came first of each. */
export class Psap {
  readonly arrivals = new Map<string, Arrival>();
  readonly #socket: Socket = createSocket('udp4');
  readonly #host: string;
  #port = 0;
  /** Gives no sign of life. */
  deaf = false;
  /** Status instead of 200. */
  refuses: number | undefined;

  constructor(host: string) {
    this.#host = host;
    this.#socket.on('message', (data, from) => {
      if (!this.deaf) this.#take(new SipText(data.toString('latin1')), from);
    });
  }

  async open(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#socket.bind(port, this.#host, resolve));
    this.#port = this.#socket.address().port;
    return this;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: this.#host, port: this.#port };
  }

  close(): void {
    this.#socket.close();
  }

  #take(message: SipText, from: { readonly address: string; readonly port: number }): void {
    const { method } = message;
    if (message.status !== undefined || method === 'ACK') return;
    const isInvite = method === 'INVITE';
    if (isInvite) this.#note(message);
    const status = isInvite && this.refuses !== undefined ? this.refuses : 200;
    const names = ['Via', 'From', 'Call-ID', 'CSeq'];
    const copied = names.flatMap((name) => message.headers(name).map((value) => `${name}: ${value}`));
    const to = message.header('To');
    const tagged = /;tag=/.test(to) ? to : `${to};tag=psap`;
    const body = isInvite && status === 200 ? SDP : '';
    const lines = [
      `SIP/2.0 ${status} Whatever`,
      ...copied,
      `To: ${tagged}`,
      `Contact: <sip:psap@${this.#host}:${this.#port}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
    ];
    this.#socket.send([...lines, '', body].join('\r\n'), from.port, from.address);
  }

  #note(invite: SipText): void {
    const id = /a=call:(\S+)/.exec(invite.text)?.[1];
    if (id !== undefined && !this.arrivals.has(id)) this.arrivals.set(id, { at: performance.now(), invite });
  }
}

export interface Dialled {
  /** Request-URI. */
  readonly uri: string;
  /** User part of From. */
  readonly from: string;
  readonly headers?: readonly string[];
}

export interface Placed {
  readonly id: string;
  readonly sentAt: number;
  /** Final status the caller got; 0: none. */
  readonly status: number;
  /** What a refusal says of itself. */
  readonly why: string;
}

interface RequestParts {
  readonly id: string;
  readonly dialled: Dialled;
  readonly seq: number;
  readonly to?: string;
  readonly body?: string;
}

let serial = 0;

/** One telephone, as far as emergency calls go. */
export class Caller {
  readonly #socket: Socket = createSocket({
    type: 'udp4',
    lookup: (host, _options, done) => done(null, host, 4),
  });
  readonly #server: { readonly host: string; readonly port: number };
  readonly #waiting = new Map<string, (message: SipText) => void>();
  #host = '';
  #port = 0;

  constructor(server: { readonly host: string; readonly port: number }) {
    this.#server = server;
    this.#socket.on('message', (data) => {
      const message = new SipText(data.toString('latin1'));
      this.#waiting.get(message.header('Call-ID'))?.(message);
      if (message.status === undefined && message.method !== 'ACK') this.#agree(message);
    });
  }

  async open(host = '127.0.0.1', port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#socket.bind(port, host, resolve));
    this.#host = host;
    this.#port = this.#socket.address().port;
    return this;
  }

  get port(): number {
    return this.#port;
  }

  close(): void {
    this.#socket.close();
  }

  /** Calls, acknowledges, hangs up. Resolves at the final answer, or when a phone would give up. */
  async place(dialled: Dialled): Promise<Placed> {
    serial += 1;
    const id = `sos-${process.pid}-${serial}`;
    const sentAt = performance.now();
    let final: SipText | undefined;
    let heard = false;
    const settled = new Promise<void>((resolve) => {
      this.#waiting.set(id, (message) => {
        if (message.status === undefined) return;
        heard = true;
        if (message.status < 200) return;
        final ??= message;
        this.#send('ACK', { id, dialled, seq: 1, to: message.header('To') });
        resolve();
      });
    });
    const text = this.#request('INVITE', { id, dialled, seq: 1, body: `${SDP}a=call:${id}\r\n` });
    for (const wait of TIMER_A) {
      if (!heard) this.#transmit(text);
      await Promise.race([settled, sleep(wait)]);
      if (final) break;
    }
    if (final?.status === 200) this.#send('BYE', { id, dialled, seq: 2, to: final.header('To') });
    setTimeout(() => this.#waiting.delete(id), 2000).unref();
    const why = final ? final.header('Reason') || final.header('Warning') || final.header('Retry-After') : '';
    return { id, sentAt, status: final?.status ?? 0, why };
  }

  #agree(message: SipText): void {
    const names = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];
    const copied = names.flatMap((name) => message.headers(name).map((value) => `${name}: ${value}`));
    this.#transmit(['SIP/2.0 200 OK', ...copied, 'Content-Length: 0', '', ''].join('\r\n'));
  }

  #send(method: string, parts: RequestParts): void {
    this.#transmit(this.#request(method, parts));
  }

  #request(method: string, parts: RequestParts): string {
    const { id, dialled, seq, to = `<${dialled.uri}>`, body = '' } = parts;
    return [
      `${method} ${dialled.uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.#host}:${this.#port};branch=z9hG4bK${id}${seq}${method};rport`,
      'Max-Forwards: 70',
      `From: <sip:${dialled.from}@${DOMAIN}>;tag=${id}`,
      `To: ${to}`,
      `Call-ID: ${id}`,
      `CSeq: ${seq} ${method}`,
      `Contact: <sip:${dialled.from}@${this.#host}:${this.#port}>`,
      ...(method === 'INVITE' ? (dialled.headers ?? []) : []),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  }

  #transmit(text: string): void {
    this.#socket.send(Buffer.from(text, 'latin1'), this.#server.port, this.#server.host);
  }
}

/** Number a PSAP would call back, as the INVITE shows it. */
export function shownTo(arrival: Arrival): string {
  return userOf(arrival.invite.header('P-Asserted-Identity'));
}

/** `sip:999@…` and all the other ways to ask for help in the United Kingdom. */
export const UK_FORMS: readonly string[] = [
  `sip:999@${DOMAIN}`,
  `sip:112@${DOMAIN};user=phone`,
  `sip:999;phone-context=+44@${DOMAIN};user=phone`,
  'tel:999',
  'tel:112;phone-context=+44',
  'urn:service:sos',
  'urn:service:sos.fire',
  `sip:9-9-9@${DOMAIN}`,
  `sip:999%23@${DOMAIN}`,
];
