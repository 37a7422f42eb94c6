import { isIP, isIPv6 } from 'node:net';
import { Worker } from 'node:worker_threads';
import type {
  MediaOptions,
  MediaPort,
  MediaRefusal,
  MediaRelay,
  MediaSession,
  MediaStats,
  OpenOptions,
  RelayOptions,
} from './media.ts';
import { Relay } from './relay.ts';
import { type Link, Session } from './session.ts';
import {
  type Command,
  Counters,
  type Reply,
  type Report,
  type Request,
  type WorkerStart,
} from './worker/protocol.ts';

/** The part of a worker thread that is used, so that a test can stand in for one. */
export interface Thread {
  postMessage(command: Command): void;
  on(event: 'message', handler: (report: Report) => void): unknown;
  on(event: 'error', handler: (error: Error) => void): unknown;
  on(event: 'exit', handler: () => void): unknown;
  terminate(): Promise<unknown>;
}

export interface MediaParts {
  readonly spawn: (start: WorkerStart) => Thread;
  readonly delay: (run: () => void, ms: number) => void;
}

const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 30_000;
/** A worker this old did not die of the same thing as the one before. */
const HEALTHY_AFTER_MS = 60_000;

const REAL_PARTS: MediaParts = {
  spawn: (start) =>
    new Worker(new URL('./worker-boot.mjs', import.meta.url), {
      workerData: start,
      execArgv: [],
      name: 'media',
    }),
  delay: (run, ms) => void setTimeout(run, ms).unref(),
};

/** Prompts out, digits in: one worker thread for all calls. Nothing runs before `start`. */
export function createMedia(options: MediaOptions, parts: MediaParts = REAL_PARTS): MediaPort {
  return new Media(options, parts);
}

class Media implements MediaPort, Link {
  private readonly options: MediaOptions;
  private readonly parts: MediaParts;
  private readonly memory = Counters.memory();
  private readonly sessions = new Map<number, Session>();
  private readonly relays = new Map<number, Relay>();
  private readonly waiting = new Map<number, (reply: Reply | undefined) => void>();
  private thread: Thread | undefined;
  private ready = false;
  private stopping = false;
  private lastNumber = 0;
  private failures = 0;
  private restarts = 0;

  constructor(options: MediaOptions, parts: MediaParts) {
    this.options = options;
    this.parts = parts;
  }

  start(): Promise<void> {
    const wrong = wrongAddress(this.options);
    if (wrong !== undefined) return Promise.reject(new Error(wrong));
    this.stopping = false;
    return this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const { thread } = this;
    const open = [...this.sessions.values(), ...this.relays.values()];
    await Promise.all(open.map((one) => one.close()));
    this.ready = false;
    this.thread = undefined;
    this.giveUpWaiting();
    await thread?.terminate();
  }

  async open({ offer, peer }: OpenOptions): Promise<MediaSession | MediaRefusal> {
    const id = ++this.lastNumber;
    // The session is known before the worker answers, so that no digit finds nobody home.
    const session = new Session({ id, link: this, localSdp: '' });
    this.sessions.set(id, session);
    const reply = await this.ask({ type: 'open', session: id, offer, peer });
    if (reply?.sdp === undefined) {
      this.sessions.delete(id);
      return { refused: reply?.refused ?? 'noPorts' };
    }
    session.localSdp = reply.sdp;
    return session;
  }

  async relay({ browser, urgent = false }: RelayOptions = {}): Promise<MediaRelay | MediaRefusal> {
    if (this.options.webrtc !== 'on') return { refused: 'notAcceptable' };
    const id = ++this.lastNumber;
    const talk = browser instanceof Session ? browser.id : undefined;
    const reply = await this.ask({ type: 'relay', session: id, browser: talk, urgent });
    if (reply?.sdp === undefined) return { refused: 'noPorts' };
    const relay = new Relay({ id, link: this, plainOffer: reply.sdp });
    this.relays.set(id, relay);
    return relay;
  }

  get available(): boolean {
    return this.ready;
  }

  stats(): MediaStats {
    const counters = new Counters(this.memory).read();
    return {
      sessions: this.sessions.size,
      relays: this.relays.size,
      workerRestarts: this.restarts,
      ...counters,
    };
  }

  ask(request: Request): Promise<Reply | undefined> {
    if (!this.ready || this.thread === undefined) return Promise.resolve(undefined);
    const ref = ++this.lastNumber;
    this.thread.postMessage({ ...request, ref });
    return new Promise((resolve) => this.waiting.set(ref, resolve));
  }

  post(command: Command): void {
    if (this.ready) this.thread?.postMessage(command);
  }

  drop(session: number): void {
    this.sessions.delete(session);
    this.relays.delete(session);
  }

  /** One life of the worker: resolves when it is ready, rejects when it never gets there. */
  private run(): Promise<void> {
    const { onProblem: _, ...settings } = this.options;
    const thread = this.parts.spawn({ settings, counters: this.memory });
    this.thread = thread;
    return new Promise((resolve, reject) => {
      let why = 'the media worker ended before it was ready';
      thread.on('message', (report) => {
        if (report.type === 'failed') why = `media: ${report.text}`;
        if (report.type === 'failed') void thread.terminate();
        else if (report.type === 'ready') resolve(this.becomeReady(thread));
        else this.hear(report);
      });
      thread.on('error', (error) => {
        why = `media worker: ${error.message}`;
      });
      thread.on('exit', () => {
        reject(new Error(why));
        this.lose(thread, why);
      });
    });
  }

  private becomeReady(thread: Thread): void {
    this.ready = true;
    this.parts.delay(() => {
      if (this.thread === thread) this.failures = 0;
    }, HEALTHY_AFTER_MS);
  }

  private hear(report: Exclude<Report, { type: 'ready' | 'failed' }>): void {
    switch (report.type) {
      case 'reply':
        this.waiting.get(report.ref)?.(report.reply);
        this.waiting.delete(report.ref);
        return;
      case 'problem':
        return this.options.onProblem?.(report.text, report.data);
      case 'digit':
        return this.sessions.get(report.session)?.heard({ digit: report.digit, source: report.source });
      case 'played':
        return this.sessions.get(report.session)?.played(report.ref);
      case 'recorded':
        return this.sessions.get(report.session)?.recorded(report.ref, report.mulaw);
      case 'lost':
        return this.loseOne(report.session, report.why);
      case 'silent':
        return this.sessions.get(report.session)?.onSilent?.();
    }
  }

  /** A browser is gone. A talk with it is over, and its port free; a relay is its call's to end. */
  private loseOne(id: number, why: string): void {
    this.relays.get(id)?.lost(why);
    const session = this.sessions.get(id);
    if (session === undefined) return;
    void this.ask({ type: 'close', session: id });
    session.lost(why);
  }

  /** The worker is gone: every call of it is over, and unless that was wanted, another one is started. */
  private lose(thread: Thread, why: string): void {
    if (this.thread !== thread) return;
    const wasReady = this.ready;
    this.ready = false;
    this.thread = undefined;
    this.giveUpWaiting();
    for (const one of [...this.sessions.values(), ...this.relays.values()]) one.lost();
    // Never ready and never restarted: `start` rejects, and starting again is the caller's decision.
    if (this.stopping || (!wasReady && this.restarts === 0)) return;
    this.options.onProblem?.('the media worker died and is started again', { why });
    this.restart();
  }

  private giveUpWaiting(): void {
    for (const resolve of this.waiting.values()) resolve(undefined);
    this.waiting.clear();
  }

  private restart(): void {
    this.restarts++;
    const wait = Math.min(LAST_RESTART_MS, FIRST_RESTART_MS * 2 ** this.failures++);
    this.parts.delay(() => {
      // A failed start is told and tried again by `lose`.
      if (!this.stopping) this.run().catch(() => undefined);
    }, wait);
  }
}

function wrongAddress({ address, externalAddress }: MediaOptions): string | undefined {
  const told = externalAddress ?? address;
  if (isIP(address) === 0 || isIP(told) === 0) return 'media: the address must be an IP address, not a name';
  if (told === '0.0.0.0' || told === '::') {
    return 'media: bound to every address, so the address phones send to must be configured (external address)';
  }
  if (isIPv6(address) !== isIPv6(told)) return 'media: the external address is of the other IP family';
  return undefined;
}
