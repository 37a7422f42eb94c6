import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import { parseMessage } from '../message/parse.ts';
import type { Connection, ConnectionEvents } from './connections.ts';
import type { TransportLimits } from './limits.ts';
import type { Listener } from './listener.ts';
import { FlowError } from './listener.ts';

export interface WsConnectionOptions {
  socket: Socket;
  listener: Listener;
  remoteAddress: string;
  remotePort: number;
  clock: Clock;
  limits: TransportLimits;
  events: ConnectionEvents;
}

const KEEP_ALIVE_MS = 30_000;
/** How long a peer may take to answer our close frame. */
const CLOSING_MS = 5_000;
/** RFC 6455 7.4.1: we stop; what came is not what this protocol carries. */
const GOING_AWAY = 1001;
const NOT_SIP = 1007;
/** Keep-alives of RFC 5626 3.5.1, also as frames of their own (RFC 7118 6). */
const LINE_ENDS = /^(?:\r\n)*$/;

/**
 * One accepted connection, from the first octet on: until it is a WebSocket nothing can be sent on it, but it counts, and its
 * deadlines run. Each message of the WebSocket is one SIP message (RFC 7118 5).
 */
export class WsConnection implements Connection {
  readonly protocol = 'ws';
  readonly reliable = true;
  readonly listener: Listener;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #options: WsConnectionOptions;
  readonly #socket: Socket;
  #web: WebSocket | undefined;
  #gone = false;
  #sawMessage = false;
  #startedAt: number;
  #lastActivity: number;
  #lastHeard: number;
  #pingedAt: number | undefined;
  #halfSince: number | undefined;
  #closingSince: number | undefined;
  /** Octets read when the last frame was complete, and when deadlines were looked at. */
  #readAtFrame = 0;
  #readAtCheck = 0;

  constructor(options: WsConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.listener = options.listener;
    this.remoteAddress = options.remoteAddress;
    this.remotePort = options.remotePort;
    this.#startedAt = options.clock.now();
    this.#lastActivity = this.#startedAt;
    this.#lastHeard = this.#startedAt;
  }

  /** Begins to look after the socket. */
  open(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // Errors reach the senders through their callbacks and everybody else through `close`, which always follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
  }

  /** The handshake is done. */
  upgraded(web: WebSocket): void {
    this.#web = web;
    this.#readAtFrame = this.#socket.bytesRead;
    web.on('message', (data) => this.#receive(data as Buffer));
    web.on('ping', () => this.#frameEnds());
    web.on('pong', () => this.#frameEnds());
    // What breaks RFC 6455 gets its close code (1002, 1007, 1009) from the library, which tells us here.
    web.on('error', () => this.#options.events.onBroken(undefined, 400, this));
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? this.listener.config.host;
  }

  get localPort(): number {
    return this.listener.port;
  }

  get closed(): boolean {
    return this.#gone || this.#web?.readyState !== WebSocket.OPEN;
  }

  get closeError(): FlowError | undefined {
    return this.closed ? this.#error() : undefined;
  }

  /** Pings and pongs do not count: who holds a connection by them alone is the first to make room. */
  get quietSince(): number {
    return this.#lastActivity;
  }

  get proven(): boolean {
    return this.#sawMessage;
  }

  /** As text where it is text: browsers read both, some clients only that. */
  send(text: string, onError?: (error: Error) => void): void {
    const web = this.#web;
    if (web === undefined || this.closed) {
      if (onError) queueMicrotask(() => onError(this.#error()));
      return;
    }
    this.#lastActivity = this.#options.clock.now();
    const data = Buffer.from(text, 'latin1');
    web.send(data, { binary: !isUtf8(data) }, (error) => {
      if (error && onError) onError(this.#error());
    });
    if (web.bufferedAmount > this.#options.limits.maxUnsentBytes) this.destroy();
  }

  destroy(): void {
    if (this.#web) this.#web.terminate();
    else this.#socket.destroy();
  }

  end(): void {
    const behind = this.#socket.writableLength > 0;
    this.#web?.close(GOING_AWAY);
    if (behind) this.#socket.destroy();
    else this.#socket.destroySoon();
  }

  checkDeadlines(now: number): void {
    const { limits } = this.#options;
    const silent = !this.#sawMessage && now - this.#startedAt >= limits.firstMessageMs;
    const unborn = this.#web === undefined && now - this.#startedAt >= limits.handshakeMs;
    const over = silent || unborn || now - this.#lastActivity >= limits.idleMs;
    if (over || this.#isHalf(now) || this.#isDying(now) || this.#isDead(now)) this.destroy();
  }

  /** Part of a message waits for the rest for too long. */
  #isHalf(now: number): boolean {
    if (this.#web === undefined || this.#socket.bytesRead === this.#readAtFrame) this.#halfSince = undefined;
    else this.#halfSince ??= now;
    return this.#halfSince !== undefined && now - this.#halfSince >= this.#options.limits.halfMessageMs;
  }

  /** We said that we close, and the peer does not. */
  #isDying(now: number): boolean {
    if (this.#web === undefined || this.#web.readyState === WebSocket.OPEN) return false;
    this.#closingSince ??= now;
    return now - this.#closingSince >= CLOSING_MS;
  }

  /** Nothing came back for a ping: the peer has gone without a word. */
  #isDead(now: number): boolean {
    const { pingMs, pongMs } = this.#options.limits;
    const read = this.#socket.bytesRead;
    if (read !== this.#readAtCheck) {
      this.#readAtCheck = read;
      this.#lastHeard = now;
      this.#pingedAt = undefined;
    }
    if (this.#pingedAt !== undefined) return now - this.#pingedAt >= pongMs;
    if (now - this.#lastHeard < pingMs || this.closed) return false;
    this.#pingedAt = now;
    this.#web?.ping();
    return false;
  }

  #frameEnds(): void {
    this.#readAtFrame = this.#socket.bytesRead;
    this.#halfSince = undefined;
  }

  #receive(data: Buffer): void {
    this.#frameEnds();
    if (this.closed) return;
    this.#lastActivity = this.#options.clock.now();
    const text = data.toString('latin1');
    const { events } = this.#options;
    if (LINE_ENDS.test(text)) return this.#keepAlive(text);
    const message = parseMessage(text, 'datagram');
    if (message !== undefined) {
      if (events.onMessage(message, this, text.length)) this.#sawMessage = true;
      return;
    }
    events.onBroken(undefined, 400, this);
    this.#web?.close(NOT_SIP);
  }

  #keepAlive(text: string): void {
    this.#options.events.onPing();
    if (text === '\r\n\r\n') this.send('\r\n');
  }

  #onClose(): void {
    this.#gone = true;
    this.#options.events.onClosed(this);
  }

  #error(): FlowError {
    return new FlowError(
      'FLOW_CLOSED',
      `the connection to ${this.remoteAddress}:${this.remotePort} is closed`,
    );
  }
}
