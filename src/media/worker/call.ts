import type { Clip } from '../codec/codecs.ts';
import type { RecordOptions } from '../media.ts';
import { Recorder } from '../recording/recorder.ts';
import { type Dropped, Incoming } from '../rtp/incoming.ts';
import { Latch } from '../rtp/latch.ts';
import { Outgoing } from '../rtp/outgoing.ts';
import type { Paced } from '../rtp/pacer.ts';
import { makeOffer, type Negotiation, type Terms, take } from '../sdp/negotiation.ts';
import type { Endpoint } from '../sdp/remote.ts';
import type { Counter, Report, Settings } from './protocol.ts';

export interface CallOptions {
  readonly session: number;
  readonly peer: string;
  readonly settings: Pick<Settings, 'latch' | 'inband' | 'silentAfterMs'>;
  readonly terms: Terms;
  readonly negotiation: Negotiation;
  readonly now: () => number;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  readonly tell: (report: Report) => void;
  readonly count: (counter: Counter) => void;
  /** Does work of some milliseconds when the clock can spare them. */
  readonly later: (work: () => void) => void;
}

const COUNTED: Readonly<Record<Exclude<Dropped, 'rtcp'>, Counter>> = {
  source: 'sourcesRefused',
  srtp: 'srtpRefused',
  malformed: 'malformed',
};

/** One call in the worker: its SDP, its two RTP streams, and the watch for silence. Sockets and clock are outside. */
export class Call implements Paced {
  private readonly options: CallOptions;
  private readonly latch: Latch;
  private readonly outgoing: Outgoing;
  private readonly incoming: Incoming;
  private negotiation: Negotiation;
  private playRef = 0;
  private recordRef = 0;
  private heardAt: number;
  private silent = false;

  constructor(options: CallOptions) {
    const { session, now, send, tell } = options;
    this.options = options;
    this.negotiation = options.negotiation;
    this.latch = new Latch(options.settings.latch, options.peer);
    this.outgoing = new Outgoing({
      randomBytes: options.terms.randomBytes,
      send,
      onPlayed: () => tell({ type: 'played', session, ref: this.playRef }),
    });
    this.incoming = new Incoming({
      latch: this.latch,
      now,
      onDigit: (digit, source) => tell({ type: 'digit', session, digit, source }),
    });
    this.heardAt = now();
  }

  /** The far side's offer or answer. The local SDP now valid, or undefined: not acceptable, nothing changed. */
  take(remoteSdp: string): string | undefined {
    const next = take(this.negotiation, remoteSdp, this.options.terms);
    if (next?.agreed === undefined) return undefined;
    if (!this.awaitsAudio()) this.heardAt = this.options.now();
    this.negotiation = next;
    this.latch.follow(next.agreed.remote);
    this.outgoing.follow(next.agreed, next.crypto);
    const inband = this.options.settings.inband === 'auto';
    this.incoming.follow(next.agreed, { eventTypes: next.eventTypes, inband });
    return next.sdp;
  }

  /** An offer of ours. */
  offer(): string {
    this.negotiation = makeOffer(this.negotiation, this.options.terms);
    return this.negotiation.sdp;
  }

  play(ref: number, clips: readonly Clip[]): void {
    this.playRef = ref;
    this.outgoing.play(clips);
  }

  stop(): void {
    this.outgoing.stop();
  }

  /** Whatever is recorded already is thrown away. */
  record(ref: number, options: RecordOptions): void {
    this.recordRef = ref;
    this.incoming.recorder = new Recorder(options, this.options.now());
  }

  /** Ends the recording and tells of it; nothing of it stays. */
  stopRecording(): void {
    const { recorder } = this.incoming;
    this.incoming.recorder = undefined;
    if (recorder === undefined) return;
    const { session, tell } = this.options;
    const ref = this.recordRef;
    this.finish(recorder, (mulaw) => tell({ type: 'recorded', session, ref, mulaw }));
  }

  /** The call is over: what was recorded until then. */
  end(): Promise<Uint8Array | undefined> {
    const { recorder } = this.incoming;
    this.incoming.recorder = undefined;
    if (recorder === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => this.finish(recorder, resolve));
  }

  receive(data: Buffer, from: Endpoint): void {
    const dropped = this.incoming.receive(data, from);
    if (dropped === undefined) {
      this.options.count('packetsReceived');
      this.heardAt = this.options.now();
      this.silent = false;
    } else if (dropped !== 'rtcp') this.options.count(COUNTED[dropped]);
  }

  tick(): void {
    this.outgoing.tick(this.latch.target);
    if (this.incoming.recorder?.tick(this.options.now())) this.stopRecording();
    if (this.silent || !this.awaitsAudio()) return;
    if (this.options.now() - this.heardAt < this.options.settings.silentAfterMs) return;
    this.silent = true;
    this.options.tell({ type: 'silent', session: this.options.session });
  }

  /** `done` is told whatever happens: somebody waits for it. */
  private finish(recorder: Recorder, done: (mulaw: Uint8Array | undefined) => void): void {
    this.options.later(() => {
      let mulaw: Uint8Array | undefined;
      try {
        mulaw = recorder.finish();
      } finally {
        done(mulaw);
      }
    });
  }

  /** Only a call that is not held owes us audio. */
  private awaitsAudio(): boolean {
    return this.negotiation.agreed?.direction === 'sendrecv';
  }
}
