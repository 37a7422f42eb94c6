import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';
import type { App, Delivery } from '../dialog/app.ts';
import { sipFrame } from './commands.ts';
import { encodeFrame, FrameReader } from './frames.ts';

export interface AppLimits {
  maxConnections: number;
  /** Largest frame accepted, in octets. */
  maxFrameBytes: number;
  /** Octets an application may leave unread before its connection is closed. */
  maxQueueBytes: number;
  /** Methods and call records one application may route. */
  maxRoutes: number;
  /** Milliseconds a new connection has to authenticate. */
  authenticateMs: number;
  /** Milliseconds the rest of a half-received frame may take. */
  frameMs: number;
}

export const defaultAppLimits: AppLimits = {
  maxConnections: 64,
  maxFrameBytes: 1_048_576,
  maxQueueBytes: 16_777_216,
  maxRoutes: 32,
  authenticateMs: 10_000,
  frameMs: 10_000,
};

/** What a connection tells its server. */
export interface ConnectionEvents {
  payload(connection: AppConnection, payload: string): void;
  closed(connection: AppConnection, reason: string): void;
}

/** One application: frames in, one ordered queue of frames out. */
export class AppConnection implements App {
  authenticated = false;
  readonly routes = new Set<string>();
  readonly #socket: Socket;
  readonly #limits: AppLimits;
  readonly #clock: Clock;
  readonly #events: ConnectionEvents;
  readonly #reader: FrameReader;
  #queue: string[] = [];
  #queuedBytes = 0;
  #open = true;
  #deadline: Timer | undefined;
  #reason = 'closed by the application';

  constructor(socket: Socket, options: { limits: AppLimits; clock: Clock; events: ConnectionEvents }) {
    this.#socket = socket;
    this.#limits = options.limits;
    this.#clock = options.clock;
    this.#events = options.events;
    this.#reader = new FrameReader(options.limits.maxFrameBytes);
  }

  get open(): boolean {
    return this.#open;
  }

  /** Octets written and not yet read by the application. */
  get queuedBytes(): number {
    return this.#queuedBytes + this.#socket.writableLength;
  }

  start(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 45_000);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end(this.#reason));
    this.#deadline = this.#clock.setTimer(this.#limits.authenticateMs, () =>
      this.close('not authenticated in time'),
    );
  }

  /** The secret was right: the deadline is lifted. */
  accept(): void {
    this.authenticated = true;
    this.#deadline?.cancel();
    this.#deadline = undefined;
  }

  deliver(delivery: Delivery): void {
    this.post(sipFrame(delivery));
  }

  /** Queues one payload. All of one turn of the event loop leave in one write. */
  post(payload: string): void {
    if (!this.#open) return;
    if (this.#queue.length === 0) setImmediate(() => this.#flush());
    const frame = encodeFrame(payload);
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
    if (this.queuedBytes > this.#limits.maxQueueBytes) this.close('does not read');
  }

  /** Closes after what is queued, if the peer reads it; the connection counts as gone at once. */
  finish(reason: string): void {
    this.#flush();
    this.#socket.end();
    this.#end(reason);
    this.#deadline = this.#clock.setTimer(1_000, () => this.#socket.destroy());
    this.#socket.once('close', () => this.#deadline?.cancel());
  }

  /** Closes at once. */
  close(reason: string): void {
    this.#socket.destroy();
    this.#end(reason);
  }

  #flush(): void {
    const frames = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    if (frames.length > 0 && !this.#socket.destroyed) this.#socket.write(frames.join(''), 'latin1');
  }

  #onData(chunk: Buffer): void {
    if (!this.#open) return;
    const { payloads, broken } = this.#reader.feed(chunk);
    for (const payload of payloads) if (this.#open) this.#events.payload(this, payload);
    if (broken) this.close(broken);
    else if (this.#open && this.authenticated) this.#watchHalfFrame();
  }

  /** Half a frame must become a whole one in time. */
  #watchHalfFrame(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
    if (this.#reader.buffered === 0) return;
    this.#deadline = this.#clock.setTimer(this.#limits.frameMs, () =>
      this.close('a frame was not completed'),
    );
  }

  #end(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reason = reason;
    this.#deadline?.cancel();
    this.#events.closed(this, reason);
  }
}
