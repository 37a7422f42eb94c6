import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  type AddressInfo,
  createConnection,
  createServer,
  type Server,
  type Socket as TcpSocket,
} from 'node:net';
import { WsPeer } from './ws-peer.ts';

/** A message as it went over the wire, with just enough reading to assert on. Text is latin1. */
export class RawMessage {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get startLine(): string {
    return this.text.slice(0, this.text.indexOf('\r\n'));
  }

  /** Method of a request, '' of a response. */
  get method(): string {
    return this.text.startsWith('SIP/2.0 ') ? '' : (this.text.split(' ', 1)[0] ?? '');
  }

  /** Status of a response, 0 of a request. */
  get status(): number {
    return Number(/^SIP\/2\.0 (\d{3})/.exec(this.text)?.[1] ?? 0);
  }

  get uri(): string {
    return this.startLine.split(' ')[1] ?? '';
  }

  get body(): string {
    return this.text.slice(this.text.indexOf('\r\n\r\n') + 4);
  }

  /** First value of a header, '' when it is absent. */
  header(name: string): string {
    return this.headers(name)[0] ?? '';
  }

  headers(name: string): string[] {
    const head = this.text.slice(0, this.text.indexOf('\r\n\r\n'));
    const lines = head.split('\r\n').slice(1);
    const prefix = `${name.toLowerCase()}:`;
    return lines
      .filter((line) => line.toLowerCase().startsWith(prefix))
      .map((line) => line.slice(prefix.length).trim());
  }

  tag(name: 'From' | 'To'): string {
    return /;tag=([^;>\s]+)/.exec(this.header(name))?.[1] ?? '';
  }

  get cseq(): number {
    return Number(this.header('CSeq').split(' ')[0]);
  }

  get cseqMethod(): string {
    return this.header('CSeq').split(' ')[1] ?? '';
  }

  /** URI of the Contact. */
  get contact(): string {
    return /<([^>]*)>/.exec(this.header('Contact'))?.[1] ?? this.header('Contact');
  }
}

export type Match = (message: RawMessage) => boolean;

/** Matches requests by method, responses by status. */
export function matching(what: string | number | Match): Match {
  if (typeof what === 'function') return what;
  return typeof what === 'number' ? (one) => one.status === what : (one) => one.method === what;
}

interface Waiting {
  match: Match;
  take(message: RawMessage): void;
}

export interface RawPeerOptions {
  protocol?: 'udp' | 'tcp' | 'ws';
  /** Where messages go by default; over TCP and WebSocket this is who is dialled. */
  to?: { host: string; port: number };
  host?: string;
}

/** One end of raw SIP: sends what it is told, keeps what it gets, knows no rules. */
export class RawSipPeer {
  readonly protocol: 'udp' | 'tcp' | 'ws';
  readonly host: string;
  /** Everything received, dropped messages excluded. */
  readonly received: RawMessage[] = [];
  port = 0;
  /** Messages received for which this is true get lost. */
  dropIncoming: Match = () => false;
  /** Messages sent for which this is true get lost. */
  dropOutgoing: Match = () => false;
  readonly #to: { host: string; port: number } | undefined;
  #udp: UdpSocket | undefined;
  #tcp: TcpSocket | undefined;
  #web: WsPeer | undefined;
  #server: Server | undefined;
  #accepted: TcpSocket[] = [];
  #unseen: RawMessage[] = [];
  #waiting: Waiting[] = [];

  constructor(options: RawPeerOptions) {
    this.protocol = options.protocol ?? 'udp';
    // A browser does not know its address (RFC 7118 5).
    this.host = options.host ?? (this.protocol === 'ws' ? `${unique('b')}.invalid` : '127.0.0.1');
    this.#to = options.to;
  }

  /** A peer ready to send and receive. A TCP peer without `to` listens. */
  static async open(options: RawPeerOptions = {}): Promise<RawSipPeer> {
    const peer = new RawSipPeer(options);
    if (peer.protocol === 'udp') await peer.#openUdp();
    else if (peer.protocol === 'ws' && options.to) await peer.#openWeb(options.to);
    else if (options.to) await peer.#connect(options.to);
    else await peer.#listen();
    return peer;
  }

  /** `host:port` of this peer; of a WebSocket without port. */
  get hostPort(): string {
    return this.protocol === 'ws' ? this.host : `${this.host}:${this.port}`;
  }

  send(message: string | RawMessage): void {
    const text = typeof message === 'string' ? message : message.text;
    if (this.dropOutgoing(new RawMessage(text))) return;
    const data = Buffer.from(text, 'latin1');
    if (this.#web) this.#web.send(text);
    else if (this.#udp) this.#udp.send(data, this.#to?.port ?? 0, this.#to?.host ?? '127.0.0.1');
    else (this.#tcp ?? this.#accepted.at(-1))?.write(data);
  }

  /** The next message that matches and was not returned before; rejects after `ms`. */
  next(what: string | number | Match, ms = 3_000): Promise<RawMessage> {
    const match = matching(what);
    const index = this.#unseen.findIndex(match);
    if (index >= 0) return Promise.resolve(this.#unseen.splice(index, 1)[0]!);
    return new Promise((resolve, reject) => {
      const late = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        const seen = this.received.map((one) => one.startLine).join(' | ');
        reject(new Error(`no ${String(what)} within ${ms} ms; received: ${seen || 'nothing'}`));
      };
      const timer = setTimeout(late, ms);
      const waiting: Waiting = {
        match,
        take: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      };
      this.#waiting.push(waiting);
    });
  }

  /** How many messages matched so far. */
  count(what: string | number | Match): number {
    return this.received.filter(matching(what)).length;
  }

  async close(): Promise<void> {
    for (const socket of [this.#tcp, ...this.#accepted]) socket?.destroy();
    this.#web?.cut();
    if (this.#server) await new Promise<void>((resolve) => this.#server!.close(() => resolve()));
    if (this.#udp) await new Promise<void>((resolve) => this.#udp!.close(() => resolve()));
  }

  /** Cuts the TCP connection or WebSocket without a word. */
  cut(): void {
    this.#web?.cut();
    for (const socket of [this.#tcp, ...this.#accepted]) socket?.resetAndDestroy();
  }

  async #openUdp(): Promise<void> {
    const socket = createSocket('udp4');
    this.#udp = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data) => this.#take(data.toString('latin1')));
    socket.bind(0, this.host);
    await once(socket, 'listening');
    this.port = socket.address().port;
  }

  async #openWeb(to: { host: string; port: number }): Promise<void> {
    const web = await WsPeer.open(to);
    this.#web = web;
    this.port = web.port;
    web.socket.on('message', (data: Buffer) => this.#take(data.toString('latin1')));
  }

  async #connect(to: { host: string; port: number }): Promise<void> {
    const socket = createConnection(to);
    this.#tcp = socket;
    await once(socket, 'connect');
    this.port = socket.localPort ?? 0;
    this.#read(socket);
  }

  async #listen(): Promise<void> {
    const server = createServer((socket) => {
      this.#accepted.push(socket);
      this.#read(socket);
    });
    this.#server = server;
    server.listen(0, this.host);
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
  }

  #read(socket: TcpSocket): void {
    let pending = '';
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      pending += data.toString('latin1');
      for (;;) {
        const head = pending.indexOf('\r\n\r\n');
        const length = /^content-length\s*:\s*(\d+)/im.exec(pending.slice(0, Math.max(head, 0)))?.[1];
        const end = head + 4 + Number(length ?? 0);
        if (head < 0 || pending.length < end) return;
        this.#take(pending.slice(0, end));
        pending = pending.slice(end);
      }
    });
  }

  #take(text: string): void {
    if (text.trim() === '') return;
    const message = new RawMessage(text);
    if (this.dropIncoming(message)) return;
    this.received.push(message);
    const index = this.#waiting.findIndex((one) => one.match(message));
    if (index < 0) this.#unseen.push(message);
    else this.#waiting.splice(index, 1)[0]!.take(message);
  }
}

export type HeaderList = readonly (readonly [name: string, value: string])[];

let serial = 0;

/** Text that no other call returns. */
export function unique(prefix: string): string {
  serial += 1;
  return `${prefix}${process.pid.toString(36)}${serial}${Math.floor(Math.random() * 1e9).toString(36)}`;
}

/** One side of a dialog or transaction, as a raw peer keeps it by hand. */
export class RawDialog {
  readonly peer: RawSipPeer;
  readonly callId = unique('call-');
  readonly localTag = unique('tag-');
  from: string;
  to: string;
  remoteTag = '';
  /** Request-URI of the next request. */
  target: string;
  seq: number;
  routes: string[] = [];

  constructor(peer: RawSipPeer, uri: string, options: { from?: string; seq?: number } = {}) {
    this.peer = peer;
    this.target = uri;
    this.from = `<${options.from ?? `sip:alice@${peer.hostPort}`}>`;
    this.to = `<${uri}>`;
    this.seq = options.seq ?? 0;
  }

  /** The text of a request; ACK and CANCEL take the CSeq number (and for CANCEL the branch) of `of`. */
  request(
    method: string,
    options: { headers?: HeaderList; body?: string; of?: RawMessage; contact?: string | false } = {},
  ): string {
    const { of } = options;
    const seq = of ? of.cseq : ++this.seq;
    const via = `SIP/2.0/${this.peer.protocol.toUpperCase()} ${this.peer.hostPort};branch=z9hG4bK${unique('b')};rport`;
    const contact = options.contact ?? `sip:alice@${this.peer.hostPort}${transportOf(this.peer)}`;
    const lines = [
      `${method} ${this.target} SIP/2.0`,
      `Via: ${method === 'CANCEL' && of ? of.header('Via') : via}`,
      ...this.routes.map((route) => `Route: ${route}`),
      'Max-Forwards: 70',
      `From: ${this.from};tag=${this.localTag}`,
      `To: ${this.to}${this.remoteTag && method !== 'CANCEL' ? `;tag=${this.remoteTag}` : ''}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${seq} ${method}`,
      ...(contact && method !== 'ACK' && method !== 'CANCEL' ? [`Contact: <${contact}>`] : []),
      ...(options.headers ?? []).map(([name, value]) => `${name}: ${value}`),
    ];
    return finished(lines, options.body ?? '');
  }

  /** Learns tag and target from a response that makes the dialog. */
  learn(response: RawMessage): void {
    this.remoteTag = response.tag('To');
    if (response.contact) this.target = response.contact;
    this.routes = response.headers('Record-Route').reverse();
  }

  send(method: string, options: Parameters<RawDialog['request']>[1] = {}): RawMessage {
    const message = new RawMessage(this.request(method, options));
    this.peer.send(message);
    return message;
  }
}

function transportOf(peer: RawSipPeer): string {
  return peer.protocol === 'udp' ? '' : `;transport=${peer.protocol}`;
}

/** The text of a response to `request`. */
export function reply(
  request: RawMessage,
  status: number,
  options: { tag?: string; contact?: string; headers?: HeaderList; body?: string; reason?: string } = {},
): string {
  const to = request.header('To');
  const tagged = request.tag('To') || status === 100 ? to : `${to};tag=${options.tag ?? 'far-end'}`;
  const lines = [
    `SIP/2.0 ${status} ${options.reason ?? 'Whatever'}`,
    ...request.headers('Via').map((via) => `Via: ${via}`),
    ...request.headers('Record-Route').map((route) => `Record-Route: ${route}`),
    `From: ${request.header('From')}`,
    `To: ${tagged}`,
    `Call-ID: ${request.header('Call-ID')}`,
    `CSeq: ${request.header('CSeq')}`,
    ...(options.contact ? [`Contact: <${options.contact}>`] : []),
    ...(options.headers ?? []).map(([name, value]) => `${name}: ${value}`),
  ];
  return finished(lines, options.body ?? '');
}

function finished(lines: readonly string[], body: string): string {
  const typed = body.startsWith('v=0') && !lines.some((line) => /^content-type:/i.test(line));
  const type = typed ? ['Content-Type: application/sdp'] : [];
  return [...lines, ...type, `Content-Length: ${body.length}`, '', body].join('\r\n');
}

/** A small valid SDP; `mark` makes it recognisable. */
export function sdp(mark: string): string {
  return `v=0\r\no=- ${mark} 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`;
}
