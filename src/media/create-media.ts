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
import { LOOK_MS, Pulse, Watch } from './pulse.ts';
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
  /** Again and again until what it returns is called; never twice at once to make up for time lost. */
  readonly repeat: (run: () => void, ms: number) => () => void;
}

const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 30_000;
/** A worker this old did not die of the same thing as the one before. */
const HEALTHY_AFTER_MS = 60_000;
/** What a worker that is told to end may take; one that hangs in the operating system never does. */
const LAST_BREATH_MS = 2_000;
/** So many of those are borne with; then none is started until one of them has ended. */
const MOST_UNDEAD = 3;
/** ms between two lines of the log about requests nobody answered. */
const TELL_LATE_EVERY = 10_000 / LOOK_MS;

export const REAL_PARTS: MediaParts = {
  spawn: (start) =>
    new Worker(new URL('./worker-boot.mjs', import.meta.url), {
      workerData: start,
      execArgv: [],
      name: 'media',
    }),
  delay: (run, ms) => void setTimeout(run, ms).unref(),
  repeat: (run, ms) => {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
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
  private readonly waiting = new Map<number, Waiting>();
  private thread: Thread | undefined;
  private watch: Watch | undefined;
  private stopWatching: () => void = () => undefined;
  private ready = false;
  private stopping = false;
  private lastNumber = 0;
  private failures = 0;
  private restarts = 0;
  private hangs = 0;
  private undead = 0;
  private toldLateAt = Number.NEGATIVE_INFINITY;

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
    this.stopWatching();
    this.giveUpWaiting();
    if (thread) await this.end(thread);
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
      workerHangs: this.hangs,
      ...counters,
    };
  }

  ask(request: Request): Promise<Reply | undefined> {
    if (!this.ready || this.thread === undefined) return Promise.resolve(undefined);
    const ref = ++this.lastNumber;
    const askedAt = this.watch?.now ?? 0;
    this.thread.postMessage({ ...request, ref });
    return new Promise((resolve) => this.waiting.set(ref, { resolve, askedAt, type: request.type }));
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
    const pulse = Pulse.memory();
    const thread = this.parts.spawn({ settings, counters: this.memory, pulse });
    this.thread = thread;
    return new Promise((resolve, reject) => {
      let why = 'the media worker ended before it was ready';
      this.keepWatch(thread, new Watch(new Pulse(pulse), () => thread.postMessage({ type: 'ping' })), reject);
      thread.on('message', (report) => {
        if (this.thread !== thread) return;
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

  /** From now on it is seen when this worker hangs, or leaves a request without an answer. */
  private keepWatch(thread: Thread, watch: Watch, reject: (error: Error) => void): void {
    this.stopWatching();
    this.watch = watch;
    // Told in looks of the watch before.
    this.toldLateAt = Number.NEGATIVE_INFINITY;
    this.stopWatching = this.parts.repeat(() => {
      const why = watch.look();
      if (why === undefined) return this.giveUpLate(watch);
      this.hangs++;
      this.undead++;
      reject(new Error(why));
      this.lose(thread, why);
      void thread.terminate().then(() => this.undead--);
    }, LOOK_MS);
  }

  /** A worker that lives has failed to answer; whoever asked goes on without. */
  private giveUpLate(watch: Watch): void {
    for (const [ref, { resolve, askedAt, type }] of this.waiting) {
      if (!watch.isLate(askedAt)) return; // they are in the order they were asked
      this.waiting.delete(ref);
      resolve(undefined);
      if (watch.now - this.toldLateAt < TELL_LATE_EVERY) continue;
      this.toldLateAt = watch.now;
      this.options.onProblem?.('the media worker has left a request without an answer', { request: type });
    }
  }

  private becomeReady(thread: Thread): void {
    this.ready = true;
    this.watch?.becomeReady();
    this.parts.delay(() => {
      if (this.thread === thread) this.failures = 0;
    }, HEALTHY_AFTER_MS);
  }

  private hear(report: Exclude<Report, { type: 'ready' | 'failed' }>): void {
    switch (report.type) {
      case 'reply':
        return this.answered(report);
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

  private answered({ ref, session, reply }: Extract<Report, { type: 'reply' }>): void {
    const waiting = this.waiting.get(ref);
    this.waiting.delete(ref);
    waiting?.resolve(reply);
    // Too late: what was opened has nobody to close it.
    const isKnown = waiting !== undefined || this.sessions.has(session) || this.relays.has(session);
    if (!isKnown && reply.sdp !== undefined) void this.ask({ type: 'close', session });
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
    this.stopWatching();
    this.giveUpWaiting();
    for (const one of [...this.sessions.values(), ...this.relays.values()]) one.lost();
    // Never ready and never restarted: `start` rejects, and starting again is the caller's decision.
    if (this.stopping || (!wasReady && this.restarts === 0)) return;
    this.options.onProblem?.('the media worker died and is started again', { why });
    this.restart();
  }

  private giveUpWaiting(): void {
    for (const { resolve } of this.waiting.values()) resolve(undefined);
    this.waiting.clear();
  }

  private restart(): void {
    this.restarts++;
    const wait = Math.min(LAST_RESTART_MS, FIRST_RESTART_MS * 2 ** this.failures++);
    this.parts.delay(() => this.runAgain(), wait);
  }

  private runAgain(): void {
    if (this.stopping) return;
    // A failed start is told and tried again by `lose`.
    if (this.undead < MOST_UNDEAD) return void this.run().catch(() => undefined);
    this.options.onProblem?.('media workers hang and do not end: restart Hotdesk', { hanging: this.undead });
    this.parts.delay(() => this.runAgain(), LAST_RESTART_MS);
  }

  private end(thread: Thread): Promise<unknown> {
    const lastBreath = new Promise<void>((resolve) => this.parts.delay(resolve, LAST_BREATH_MS));
    return Promise.race([thread.terminate(), lastBreath]);
  }
}

/** Who waits for an answer of the worker's. */
interface Waiting {
  readonly resolve: (reply: Reply | undefined) => void;
  readonly askedAt: number;
  readonly type: Request['type'];
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
