import { LONGEST_RECORDING } from './codec/recorded-clip.ts';
import { digitOfInfo } from './digits/info.ts';
import { DigitMerge } from './digits/merge.ts';
import type { Digit, MediaSession, PlayItem, Recording, RecordOptions } from './media.ts';
import type { Command, Reply, Request } from './worker/protocol.ts';

/** How a session reaches its worker. `ask` resolves with undefined when the worker died meanwhile. */
export interface Link {
  ask(request: Request): Promise<Reply | undefined>;
  post(command: Command): void;
  /** The session is gone: forget it. */
  drop(session: number): void;
}

const MOST_QUEUED = 64;

/** The main thread's half of a call: merges the digit paths and turns messages into promises. */
export class Session implements MediaSession {
  localSdp: string;
  onSilent: (() => void) | undefined;
  onClosed: ((why?: string) => void) | undefined;
  readonly id: number;
  private readonly link: Link;
  private readonly merge = new DigitMerge();
  private readonly queue: Digit[] = [];
  private handler: ((digit: Digit) => void) | undefined;
  private playRef = 0;
  private finishPlay: ((how: 'done' | 'stopped') => void) | undefined;
  private recordRef = 0;
  private finishRecord: ((recording: Recording | undefined) => void) | undefined;
  private closed = false;

  constructor(options: { id: number; link: Link; localSdp: string }) {
    this.id = options.id;
    this.link = options.link;
    this.localSdp = options.localSdp;
  }

  get onDigit(): ((digit: Digit) => void) | undefined {
    return this.handler;
  }

  set onDigit(handler: ((digit: Digit) => void) | undefined) {
    this.handler = handler;
    while (this.queue.length > 0 && this.handler !== undefined) this.handler(this.queue.shift() as Digit);
  }

  async renegotiate(remoteSdp: string): Promise<string | undefined> {
    if (this.closed) return undefined;
    const reply = await this.link.ask({ type: 'renegotiate', session: this.id, sdp: remoteSdp });
    if (reply?.sdp !== undefined) this.localSdp = reply.sdp;
    return reply?.sdp;
  }

  async reoffer(): Promise<string> {
    const reply = this.closed ? undefined : await this.link.ask({ type: 'reoffer', session: this.id });
    if (reply?.sdp !== undefined) this.localSdp = reply.sdp;
    return this.localSdp;
  }

  play(clips: readonly PlayItem[]): Promise<'done' | 'stopped'> {
    this.finish('stopped');
    if (this.closed) return Promise.resolve('stopped');
    const ref = ++this.playRef;
    this.link.post({ type: 'play', session: this.id, ref, clips: clips.map(copyOf) });
    return new Promise((resolve) => {
      this.finishPlay = resolve;
    });
  }

  record(options: RecordOptions): Promise<Recording | undefined> {
    this.finishRecording(undefined);
    if (this.closed) return Promise.resolve(undefined);
    const ref = ++this.recordRef;
    this.link.post({ type: 'record', session: this.id, ref, options });
    return new Promise((resolve) => {
      this.finishRecord = resolve;
    });
  }

  stopRecording(): void {
    if (this.finishRecord !== undefined) this.link.post({ type: 'stopRecording', session: this.id });
  }

  stop(): void {
    if (this.finishPlay === undefined) return;
    this.link.post({ type: 'stop', session: this.id });
    this.finish('stopped');
  }

  info(contentType: string | undefined, body: string): boolean {
    const digit = digitOfInfo(contentType, body);
    if (digit === undefined) return false;
    this.heard({ digit, source: 'info' });
    return true;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.end();
    const reply = await this.link.ask({ type: 'close', session: this.id });
    this.finishRecording(reply?.recorded);
  }

  /** A digit by any path. */
  heard(digit: Digit): void {
    const counted = this.closed ? undefined : this.merge.push(digit);
    if (counted === undefined) return;
    if (this.handler !== undefined) this.handler(counted);
    else if (this.queue.length < MOST_QUEUED) this.queue.push(counted);
  }

  /** The worker sent the last frame of a play. */
  played(ref: number): void {
    if (ref === this.playRef) this.finish('done');
  }

  /** The worker ended a recording; undefined: nothing was said. */
  recorded(ref: number, mulaw: Uint8Array | undefined): void {
    if (ref === this.recordRef) this.finishRecording(mulaw);
  }

  /** The worker died under the call, or a browser is gone. */
  lost(why?: string): void {
    if (this.closed) return;
    this.end();
    this.finishRecording(undefined);
    this.onClosed?.(why);
  }

  private end(): void {
    this.closed = true;
    this.queue.length = 0;
    this.finish('stopped');
    this.link.drop(this.id);
  }

  private finish(how: 'done' | 'stopped'): void {
    const finish = this.finishPlay;
    this.finishPlay = undefined;
    finish?.(how);
  }

  private finishRecording(mulaw: Uint8Array | undefined): void {
    const finish = this.finishRecord;
    this.finishRecord = undefined;
    finish?.(mulaw && { mulaw });
  }
}

/** A view would take all of its memory along to the worker. */
function copyOf(item: PlayItem): PlayItem {
  return typeof item === 'string'
    ? item
    : { mulaw: new Uint8Array(item.mulaw.subarray(0, LONGEST_RECORDING)) };
}
