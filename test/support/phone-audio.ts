import { randomBytes } from 'node:crypto';
import { type CodecName, makeClip, SILENCE } from '../../src/media/codec/codecs.ts';
import { ALAW_TO_LINEAR, ULAW_TO_LINEAR } from '../../src/media/codec/g711.ts';
import type { PromptEar } from './prompt-ear.ts';
import { RtpPeer } from './rtp-peer.ts';
import type { Endpoint } from './wire.ts';

const FRAME_MS = 20;

/** What the two sides agreed on. */
export interface AudioPath {
  readonly remote: Endpoint;
  readonly codec: CodecName;
  readonly payloadType: number;
  /** Payload type of telephone-event, undefined when none was agreed. */
  readonly eventType: number | undefined;
}

/** ms a key is held and the pause after it. */
export interface KeyTiming {
  readonly on: number;
  readonly gap: number;
}

/** A person at a keypad. */
export const BY_HAND: KeyTiming = { on: 120, gap: 180 };
/** What a soft-key macro of a VVX sends. */
export const MACRO: KeyTiming = { on: 50, gap: 50 };

/** The audio of a test phone: speaks with a voice of its own, presses keys, and listens. */
export class PhoneAudio {
  /** Eight octets in every frame we send, so that the other end can tell whom it hears. */
  readonly voice: string = randomBytes(4).toString('hex');
  /** Frames heard of each voice. */
  readonly voices = new Map<string, number>();
  readonly #peer: RtpPeer;
  readonly #ear: PromptEar;
  #path: AudioPath | undefined;
  #speaking = false;
  /** Coded words still to be said; from the first on there is silence instead of the voice. */
  #words: Buffer | undefined;
  #heard = 0;
  #clock: NodeJS.Timeout | undefined;
  #pressing: Promise<void> = Promise.resolve();

  constructor(peer: RtpPeer, ear: PromptEar) {
    this.#peer = peer;
    this.#ear = ear;
  }

  static async open(ear: PromptEar): Promise<PhoneAudio> {
    return new PhoneAudio(await RtpPeer.open(), ear);
  }

  get port(): number {
    return this.#peer.port;
  }

  /** Talks to this address from now on; `speaking` false while held. */
  use(path: AudioPath, speaking: boolean): void {
    this.#path = path;
    this.#speaking = speaking;
    this.#peer.sendTo({ address: path.remote.host, port: path.remote.port });
    this.#clock ??= setInterval(() => this.#tick(), FRAME_MS);
  }

  /** Says this (samples at 8 kHz) and is silent after it. */
  say(samples: Int16Array): void {
    if (!this.#path) throw new Error('nothing was agreed yet');
    this.#words = Buffer.concat([
      this.#words ?? Buffer.alloc(0),
      makeClip(samples, 8000).data[this.#path.codec],
    ]);
  }

  /** Everything heard so far in G.711, at 8 kHz. */
  heard(): Int16Array {
    const { codec, payloadType } = this.#path ?? { codec: 'PCMA', payloadType: 8 };
    if (codec === 'G722') throw new Error('this phone understands G.711 only');
    const table = codec === 'PCMU' ? ULAW_TO_LINEAR : ALAW_TO_LINEAR;
    const packets = this.#peer.packets.filter((packet) => packet.payloadType === payloadType);
    return Int16Array.from(
      Buffer.concat(packets.map(({ payload }) => payload)),
      (code) => table[code] as number,
    );
  }

  /** Keys heard by RFC 4733. */
  keys(): string {
    const { eventType } = this.#path ?? {};
    const events = this.#peer.packets.filter((packet) => packet.payloadType === eventType);
    const presses = new Map(events.map(({ ts, payload }) => [ts, payload[0] ?? 0]));
    return [...presses.values()].map((event) => '0123456789*#ABCD'[event]).join('');
  }

  /** Presses the keys one after the other by RFC 4733; resolves when the last one is up again. */
  press(keys: string, { on, gap }: KeyTiming): Promise<void> {
    const payloadType = this.#path?.eventType;
    if (payloadType === undefined) throw new Error('no telephone-event was agreed');
    const sent = this.#pressing.then(() =>
      this.#peer.sendDigits(keys, { onMs: on, gapMs: gap, payloadType }),
    );
    this.#pressing = sent;
    return sent;
  }

  close(): Promise<void> {
    clearInterval(this.#clock);
    this.#peer.target = undefined;
    return this.#peer.close();
  }

  #tick(): void {
    if (!this.#path) return;
    this.#listen(this.#path);
    if (!this.#speaking) return;
    this.#peer.ts = (this.#peer.ts + 160) >>> 0;
    this.#peer.sendPacket({ payloadType: this.#path.payloadType, payload: this.#frame(this.#path) });
  }

  #frame({ codec }: AudioPath): Buffer {
    if (this.#words) {
      const frame = Buffer.from(SILENCE[codec]);
      this.#words.copy(frame);
      this.#words = this.#words.subarray(frame.length);
      return frame;
    }
    const frame = Buffer.alloc(160, 0xd5);
    frame.write(this.voice, 'latin1');
    return frame;
  }

  #listen({ codec, payloadType }: AudioPath): void {
    const fresh = this.#peer.packets.slice(this.#heard);
    this.#heard += fresh.length;
    for (const packet of fresh) {
      if (packet.payloadType !== payloadType) continue;
      const voice = packet.payload.toString('latin1', 0, 8);
      if (/^[0-9a-f]{8}$/.test(voice)) this.voices.set(voice, (this.voices.get(voice) ?? 0) + 1);
      else this.#ear.hear(codec, packet.payload);
    }
  }
}
