import { ALAW_TO_LINEAR, ULAW_TO_LINEAR } from '../codec/g711.ts';
import { EventDecoder } from '../digits/events.ts';
import { ToneDetector } from '../digits/inband.ts';
import type { DigitSource } from '../media.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { Agreed } from '../sdp/agree.ts';
import type { Crypto, Endpoint } from '../sdp/remote.ts';
import type { Latch } from './latch.ts';
import { isRtcp, parseRtp, type RtpPacket } from './packet.ts';
import { seqDelta } from './serial.ts';
import { SrtpReceiver } from './srtp.ts';

/** Why a datagram was not taken. RTCP is no fault, and not counted. */
export type Dropped = 'source' | 'srtp' | 'malformed' | 'rtcp';

export interface IncomingOptions {
  readonly latch: Latch;
  readonly now: () => number;
  readonly onDigit: (digit: string, source: DigitSource) => void;
}

/** The far side's RTP stream: digits are heard in it, and a recorder if there is one; nothing else is kept. */
export class Incoming {
  /** Hears every packet while it is set. */
  recorder: Recorder | undefined;
  /** Told of every packet while it is set; no digits are heard in the audio then. */
  onPacket: ((packet: RtpPacket) => void) | undefined;
  private readonly options: IncomingOptions;
  private readonly events = new EventDecoder();
  private eventTypes: readonly number[] = [];
  private codec: Pick<Agreed, 'codec' | 'payloadType'> | undefined;
  private tones: ToneDetector | undefined;
  private lastTone: { ssrc: number; seq: number } | undefined;
  private crypto: Crypto | undefined;
  private srtp: SrtpReceiver | undefined;

  constructor(options: IncomingOptions) {
    this.options = options;
  }

  /** New terms: what events are called, how audio is coded, which key opens it. */
  follow(agreed: Agreed, terms: { eventTypes: readonly number[]; inband: boolean }): void {
    this.eventTypes = terms.eventTypes;
    this.codec = agreed;
    const listen = terms.inband && agreed.events === undefined && agreed.codec !== 'G722';
    this.tones = listen ? (this.tones ?? new ToneDetector()) : undefined;
    const { crypto } = agreed;
    const same =
      crypto?.suite === this.crypto?.suite && this.crypto?.master.equals(crypto?.master ?? Buffer.alloc(0));
    if (!same) this.srtp = crypto && new SrtpReceiver(crypto.master, crypto.suite);
    this.crypto = crypto;
  }

  /** One datagram. Returns why it was dropped, or undefined when it is the caller's RTP. */
  receive(data: Buffer, from: Endpoint): Dropped | undefined {
    if (!this.options.latch.allows(from.address)) return 'source';
    if (isRtcp(data)) return 'rtcp';
    const plain = this.srtp ? this.srtp.open(data) : data;
    if (plain === undefined) return 'srtp';
    const packet = parseRtp(plain);
    if (packet === undefined) return 'malformed';
    this.options.latch.heard(from);
    this.recorder?.push(packet, this.codecOf(packet), this.options.now());
    this.onPacket?.(packet);
    if (this.eventTypes.includes(packet.payloadType)) return this.hearEvent(packet);
    if (packet.payloadType === this.codec?.payloadType) this.hearTones(packet);
    return undefined;
  }

  private codecOf({ payloadType }: RtpPacket): Agreed['codec'] | undefined {
    return payloadType === this.codec?.payloadType ? this.codec.codec : undefined;
  }

  private hearEvent(packet: RtpPacket): Dropped | undefined {
    if (packet.payload.length < 4) return 'malformed';
    for (const digit of this.events.push({ ...packet, now: this.options.now() })) {
      this.options.onDigit(digit, 'rtp');
    }
    return undefined;
  }

  /** Late and repeated audio packets would be heard as a gap or a second press. */
  private hearTones(packet: RtpPacket): void {
    if (this.tones === undefined || this.onPacket !== undefined) return;
    const last = this.lastTone;
    if (last?.ssrc === packet.ssrc && seqDelta(packet.seq, last.seq) <= 0) return;
    this.lastTone = { ssrc: packet.ssrc, seq: packet.seq };
    const table = this.codec?.codec === 'PCMU' ? ULAW_TO_LINEAR : ALAW_TO_LINEAR;
    for (const digit of this.tones.push(packet.payload, table)) this.options.onDigit(digit, 'inband');
  }
}
