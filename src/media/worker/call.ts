import { type Clip, type CodecName, STATIC_PAYLOAD } from '../codec/codecs.ts';
import { transcoded } from '../codec/transcode.ts';
import type { RecordOptions } from '../media.ts';
import { Recorder } from '../recording/recorder.ts';
import { type Dropped, Incoming } from '../rtp/incoming.ts';
import { Latch } from '../rtp/latch.ts';
import { Outgoing } from '../rtp/outgoing.ts';
import type { Paced } from '../rtp/pacer.ts';
import type { RtpPacket } from '../rtp/packet.ts';
import { type Agreed, type Policy, RELAYED, REVERSED } from '../sdp/agree.ts';
import { makeOffer, type Negotiation, type OfferWishes, type Terms, take } from '../sdp/negotiation.ts';
import type { Direction, Endpoint } from '../sdp/remote.ts';
import type { SrtpKeys } from '../webrtc/dtls/server.ts';
import { WebTransport } from '../webrtc/transport.ts';
import type { Counter, Report, Settings } from './protocol.ts';

export interface CallOptions {
  readonly session: number;
  readonly peer: string;
  readonly settings: Pick<Settings, 'latch' | 'inband' | 'silentAfterMs'>;
  readonly terms: Terms;
  readonly negotiation: Negotiation;
  /** An emergency call: encrypted first where calls have to be, and in the clear for who speaks no other way. */
  readonly urgent?: boolean | undefined;
  /** It may be joined to a call of another kind, and takes only what can be made of the other's. */
  readonly relayed?: boolean | undefined;
  readonly now: () => number;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  readonly tell: (report: Report) => void;
  readonly count: (counter: Counter) => void;
  /** Does work of some milliseconds when the clock can spare them. */
  readonly later: (work: () => void) => void;
  /** The browser is gone, or never came; why, in words. */
  readonly onLost?: (why: string) => void;
}

/** What one side of a relay wants, as the other side is to be asked for. */
export interface RelayTerms {
  readonly direction: Direction;
  /** If they can agree on one codec, nothing has to be coded anew. */
  readonly codec: CodecName;
}

function termsOf({ direction, codec }: Agreed): RelayTerms {
  return { direction: REVERSED[direction], codec };
}

function policyOf({ terms: { policy }, urgent, relayed }: CallOptions): Policy {
  const srtp = urgent && policy.srtp === 'required' ? 'optional' : policy.srtp;
  return { ...policy, srtp, codecs: relayed ? RELAYED : policy.codecs };
}

const SUITE = 'AES_CM_128_HMAC_SHA1_80';

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
  /** The far side's, if it is a browser. */
  private readonly web: WebTransport;
  private readonly terms: Terms;
  private negotiation: Negotiation;
  private keys: SrtpKeys | undefined;
  /** The call whose audio goes out here, and ours there. */
  private other: Call | undefined;
  /** Of a relayed call: our latest offer, as long as there is none later, and the far side's that waits for its answer. */
  private offered: Negotiation | undefined;
  private pending: string | undefined;
  private proposed: RelayTerms | undefined;
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
    this.web = new WebTransport({
      ...{ now, send },
      onPath: (to) => this.latch.follow(to),
      onKeys: (keys) => this.unlock(keys),
      onEnd: (why) => options.onLost?.(why),
    });
    this.terms = { ...options.terms, policy: policyOf(options), fingerprint: this.web.fingerprint };
    this.heardAt = now();
  }

  /** The far side's offer or answer. The local SDP now valid, or undefined: not acceptable, nothing changed. */
  take(remoteSdp: string): string | undefined {
    const next = take(this.negotiation, remoteSdp, this.terms);
    if (next?.agreed === undefined) return undefined;
    this.apply(next);
    this.web.watch();
    return next.sdp;
  }

  /** An offer of ours. */
  offer(): string {
    this.negotiation = makeOffer(this.negotiation, this.terms);
    if (this.negotiation.web) this.web.expect(this.negotiation.web);
    return this.negotiation.sdp;
  }

  /** What it speaks, once that is agreed. */
  get codec(): CodecName {
    return this.negotiation.agreed?.codec ?? 'PCMA';
  }

  /** Where the far side signals from: its audio may, too. */
  trust(peer: string): void {
    this.latch.trust(peer);
  }

  /** Joins it to another call, or parts them. */
  relay(other: Call | undefined): void {
    this.other = other;
    this.outgoing.relay(other !== undefined);
    this.incoming.onPacket = other && ((packet) => other.forward(packet, this.kindOf(packet)));
  }

  /**
   * Relayed calls: the far side's offer, kept until the other call's far side has answered what this returns: what to offer
   * there. Undefined: not acceptable.
   */
  consider(remoteSdp: string): RelayTerms | undefined {
    const next = take(this.settled(), remoteSdp, this.terms);
    if (next?.agreed === undefined) return undefined;
    this.pending = remoteSdp;
    return termsOf(next.agreed);
  }

  /** Relayed calls: an offer of ours, which changes nothing until it is answered. */
  propose(terms: RelayTerms, toBrowser: boolean): string {
    const secure = this.options.terms.policy.srtp === 'required';
    if (!toBrowser) this.proposed = terms;
    return this.proposeSo(terms, { toBrowser, secure });
  }

  /** Relayed calls: the latest offer again, for who does not take it as it is; undefined: nothing else can be offered. */
  proposeOtherwise(): string | undefined {
    const { proposed, offered, terms } = this;
    if (!proposed || !offered || this.negotiation.agreed || terms.policy.srtp === 'off') return undefined;
    return this.proposeSo(proposed, { toBrowser: false, secure: offered.crypto === undefined });
  }

  private proposeSo(
    { direction, codec }: RelayTerms,
    wishes: Pick<OfferWishes, 'toBrowser' | 'secure'>,
  ): string {
    const codecs = RELAYED.toSorted((one, other) => Number(other === codec) - Number(one === codec));
    const made = makeOffer(this.settled(), this.terms, { direction, codecs, ...wishes });
    this.offered = made;
    this.negotiation = { ...this.negotiation, local: made.local, web: made.web };
    if (made.web) this.web.expect(made.web);
    return made.sdp;
  }

  /** Relayed calls: the answer to our offer, the first or a later one; what to answer there. */
  conclude(remoteSdp: string): RelayTerms | undefined {
    const next = this.offered && take(this.offered, remoteSdp, this.terms);
    if (next?.agreed === undefined) return undefined;
    this.apply(next);
    return termsOf(next.agreed);
  }

  /** Relayed calls: what to answer the far side with; once answered it stays so. */
  respond({ direction }: RelayTerms): string | undefined {
    const { pending } = this;
    if (pending === undefined) return this.negotiation.sdp;
    const next = take(this.settled(), pending, { ...this.terms, direction });
    if (next?.agreed === undefined) return undefined;
    this.pending = undefined;
    this.apply(next);
    return next.sdp;
  }

  /** A browser has answered, or been answered: from now on it has to come. */
  watch(): void {
    if (this.negotiation.web) this.web.watch();
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
    if (this.negotiation.web && !(this.web.receive(data, from) && this.keys)) return;
    const dropped = this.incoming.receive(data, from);
    if (dropped === undefined) {
      this.options.count('packetsReceived');
      this.heardAt = this.options.now();
      this.silent = false;
    } else if (dropped !== 'rtcp') this.options.count(COUNTED[dropped]);
  }

  tick(): void {
    if (this.negotiation.web) this.web.tick();
    this.outgoing.tick(this.latch.target);
    if (this.incoming.recorder?.tick(this.options.now())) this.stopRecording();
    if (this.silent || this.other || !this.awaitsAudio()) return;
    if (this.options.now() - this.heardAt < this.options.settings.silentAfterMs) return;
    this.silent = true;
    this.options.tell({ type: 'silent', session: this.options.session });
  }

  /** Without an offer of ours that nobody has answered. */
  private settled(): Negotiation {
    return { ...this.negotiation, offering: false };
  }

  private apply(next: Negotiation): void {
    if (!this.awaitsAudio()) this.heardAt = this.options.now();
    this.negotiation = next;
    const { agreed, web } = next;
    this.latch.follow(agreed?.remote);
    if (web) this.web.expect(web);
    if (agreed?.web) this.web.follow(agreed.web);
    this.settle();
  }

  private unlock(keys: SrtpKeys): void {
    this.keys = keys;
    this.settle();
  }

  /** Tells both streams what is agreed; a browser's are silent until there are keys. */
  private settle(): void {
    const { agreed, crypto, eventTypes, web } = this.negotiation;
    if (agreed === undefined) return;
    const { keys } = this;
    const inband = this.options.settings.inband === 'auto';
    if (!web) {
      this.outgoing.follow(agreed, crypto);
      return this.incoming.follow(agreed, { eventTypes, inband });
    }
    const locked: Agreed = { ...agreed, direction: 'inactive' };
    const terms = { tag: 1, suite: SUITE } as const;
    this.outgoing.follow(keys ? agreed : locked, keys && { ...terms, master: keys.local });
    const theirs = keys && { ...terms, master: keys.remote };
    this.incoming.follow({ ...agreed, crypto: theirs }, { eventTypes, inband });
  }

  /** What a packet of the far side's holds: audio in a codec, a telephone-event, or nothing that can be passed on. */
  private kindOf({ payloadType }: RtpPacket): CodecName | 'event' | undefined {
    const { agreed, eventTypes } = this.negotiation;
    if (eventTypes.includes(payloadType)) return 'event';
    if (payloadType === agreed?.payloadType) return agreed.codec;
    // Both were offered, and whoever has both may change at any time (RFC 3264 7).
    return RELAYED.find((codec) => STATIC_PAYLOAD[codec] === payloadType);
  }

  /** The other call's packet, as our far side has it numbered and coded. */
  private forward(packet: RtpPacket, kind: CodecName | 'event' | undefined): void {
    const { agreed } = this.negotiation;
    if (agreed === undefined || kind === undefined) return;
    const to = this.latch.target;
    if (kind === 'event') {
      const { events } = agreed;
      if (events) this.outgoing.forward(packet, packet.payload, { payloadType: events.payloadType, to });
      return;
    }
    const payload = transcoded(packet.payload, kind, agreed.codec);
    if (payload) this.outgoing.forward(packet, payload, { payloadType: agreed.payloadType, to });
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
