import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';
import type { Connection, ConnectionEvents } from './connections.ts';
import { StreamFramer } from './framer.ts';
import type { TransportLimits } from './limits.ts';
import type { Listener } from './listener.ts';
import { FlowError } from './listener.ts';

export interface ConnectionOptions {
  socket: Socket;
  listener: Listener;
  /** Peer as dialled, or as seen when accepted. */
  remoteAddress: string;
  remotePort: number;
  /** How long it may take to be connected; absent: it was accepted. */
  connectMs: number | undefined;
  clock: Clock;
  limits: TransportLimits;
  events: ConnectionEvents;
}

const KEEP_ALIVE_MS = 30_000;

/** One TCP connection, accepted or dialled. What is sent before it is connected waits for that. */
export class TcpConnection implements Connection {
  readonly protocol = 'tcp';
  readonly reliable = true;
  readonly listener: Listener;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: Socket;
  readonly #framer: StreamFramer;
  readonly #options: ConnectionOptions;
  #closed = false;
  #connected: boolean;
  #connectTimer: Timer | undefined;
  #sawMessage: boolean;
  #lastActivity: number;
  #lastHeard = Number.NEGATIVE_INFINITY;
  #startedAt: number;
  #halfSince: number | undefined;
  #unreadable = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.listener = options.listener;
    this.remoteAddress = options.remoteAddress;
    this.remotePort = options.remotePort;
    this.#framer = new StreamFramer(options.limits.maxMessageBytes);
    this.#connected = options.connectMs === undefined;
    this.#sawMessage = !this.#connected;
    this.#startedAt = options.clock.now();
    this.#lastActivity = this.#startedAt;
  }

  /** Begins to read. */
  open(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#receive(chunk));
    // Errors reach the senders through their callbacks and everybody else through `close`, which always follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
    if (this.#connected) return;
    socket.on('connect', () => this.#onConnect());
    const late = () => this.destroy();
    this.#connectTimer = this.#options.clock.setTimer(this.#options.connectMs ?? 0, late);
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? this.listener.config.host;
  }

  /** The listening port, which is also what peers are told on dialled connections. */
  get localPort(): number {
    return this.listener.port;
  }

  get closed(): boolean {
    return this.#closed || this.#socket.destroyed;
  }

  get standing(): boolean {
    return this.#isDialled && this.#connected && !this.closed;
  }

  get closeError(): FlowError | undefined {
    return this.closed ? this.#error() : undefined;
  }

  get quietSince(): number {
    return this.#lastActivity;
  }

  get proven(): boolean {
    return this.#sawMessage;
  }

  send(text: string, onError?: (error: Error) => void): void {
    if (this.#closed) {
      if (onError) queueMicrotask(() => onError(this.#error()));
      return;
    }
    this.#lastActivity = this.#options.clock.now();
    this.#socket.write(text, 'latin1', (error) => {
      if (error && onError) onError(this.#error());
    });
    if (this.#socket.writableLength > this.#options.limits.maxUnsentBytes) this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  doubt(since: number): void {
    if (this.#isDialled && this.#lastHeard <= since) this.destroy();
  }

  end(): void {
    if (this.#socket.writableLength > 0) this.#socket.destroy();
    else this.#socket.destroySoon();
  }

  checkDeadlines(now: number): void {
    const { firstMessageMs, halfMessageMs, idleMs } = this.#options.limits;
    const silent = !this.#sawMessage && now - this.#startedAt >= firstMessageMs;
    const half = this.#halfSince !== undefined && now - this.#halfSince >= halfMessageMs;
    if (silent || half || now - this.#lastActivity >= idleMs) this.destroy();
  }

  get #isDialled(): boolean {
    return this.#options.connectMs !== undefined;
  }

  #error(): FlowError {
    const peer = `${this.remoteAddress}:${this.remotePort}`;
    return this.#connected
      ? new FlowError('FLOW_CLOSED', `the connection to ${peer} is closed`)
      : new FlowError('FLOW_FAILED', `no connection to ${peer}`);
  }

  #onConnect(): void {
    this.#connected = true;
    this.#connectTimer?.cancel();
  }

  #onClose(): void {
    this.#closed = true;
    this.#connectTimer?.cancel();
    this.#options.events.onClosed(this);
  }

  #receive(chunk: string): void {
    if (this.#unreadable) return;
    this.#lastActivity = this.#options.clock.now();
    this.#lastHeard = this.#lastActivity;
    this.#framer.push(chunk);
    const before = this.#halfSince;
    let progress = false;
    while (!this.#unreadable && this.#handleNext()) progress = true;
    if (!this.#framer.midMessage) this.#halfSince = undefined;
    else if (progress || before === undefined) this.#halfSince = this.#lastActivity;
  }

  #handleNext(): boolean {
    const frame = this.#framer.next();
    if (frame === undefined || this.#closed) return false;
    const { events } = this.#options;
    if (frame.kind === 'ping') {
      events.onPing();
      this.send('\r\n');
    } else if (frame.kind === 'message') {
      if (events.onMessage(frame.message, this, frame.size)) this.#sawMessage = true;
    } else {
      this.#unreadable = true;
      events.onBroken(frame.message, frame.status, this);
      this.#socket.destroySoon();
    }
    return true;
  }
}
