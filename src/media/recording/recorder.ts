import type { CodecName } from '../codec/codecs.ts';
import { ALAW_TO_LINEAR, ULAW_TO_LINEAR } from '../codec/g711.ts';
import { NarrowG722Decoder } from '../codec/g722.ts';
import { keyIn } from '../digits/inband.ts';
import type { RecordOptions } from '../media.ts';
import type { RtpPacket } from '../rtp/packet.ts';
import { finish } from './finish.ts';
import { Highpass } from './highpass.ts';
import { Reorder } from './reorder.ts';
import { findSpeech, UNKNOWN } from './speech.ts';
import { FRAME, Timeline } from './timeline.ts';

/** ms a packet may be late before its frame is judged. */
const PATIENCE_MS = 200;
const FRAME_MS = 20;
/** Ticks between two looks for the silence that ends it. */
const LOOK_EVERY = 5;
const LONGEST_MS = 10_000;
/** Bytes, 200 ms: no phone sends more in one packet. */
const LONGEST_PACKET = 1600;

interface Held {
  /** Undefined: no audio, only a place in the sequence. */
  readonly codec: CodecName | undefined;
  readonly payload: Buffer;
  readonly ts: number;
  readonly at: number;
}

/**
 * Records one caller: packets in, G.711 out. Bounded by `maxMs` from the start (180 KB for ten seconds) whatever comes
 * in. Times are ms of any steady clock.
 */
export class Recorder {
  private readonly startedAt: number;
  private readonly maxMs: number;
  private readonly silentFrames: number;
  private readonly timeline: Timeline;
  private readonly reorder = new Reorder<Held>();
  private readonly highpass = new Highpass();
  private readonly levels: number[] = [];
  private readonly keys: boolean[] = [];
  private readonly frame = new Float64Array(FRAME);
  private ticks = 0;
  private ssrc: number | undefined;
  private decoder: NarrowG722Decoder | undefined;

  constructor({ maxMs, silenceMs }: RecordOptions, startedAt: number) {
    this.startedAt = startedAt;
    this.maxMs = Math.max(0, Math.min(LONGEST_MS, Math.floor(maxMs)));
    this.silentFrames = Math.max(1, silenceMs / FRAME_MS);
    this.timeline = new Timeline(this.maxMs);
  }

  /** A packet of the caller's stream; `codec` undefined when it is not audio (keys, comfort noise). */
  push(packet: RtpPacket, codec: CodecName | undefined, now: number): void {
    if (packet.ssrc !== this.ssrc) this.changeSource(packet.ssrc);
    const held = { codec, payload: packet.payload, ts: packet.ts, at: now - this.startedAt };
    for (const next of this.reorder.push(packet.seq, held)) this.write(next);
  }

  /** Every 20 ms. True: it is over, by time or by silence after speech. */
  tick(now: number): boolean {
    const elapsed = now - this.startedAt;
    this.judge(elapsed - PATIENCE_MS);
    return elapsed >= this.maxMs || this.fellSilent();
  }

  /** What was said until now, ready to play; undefined: nothing. It is over then. */
  finish(): Uint8Array | undefined {
    for (const rest of this.reorder.flush()) this.write(rest);
    this.judge(this.maxMs);
    return finish({ samples: this.timeline.samples, levels: this.levels, keys: this.keys });
  }

  private changeSource(ssrc: number): void {
    for (const rest of this.reorder.flush()) this.write(rest);
    this.ssrc = ssrc;
    this.decoder = undefined;
  }

  private write({ codec, payload, ts, at }: Held): void {
    if (codec === undefined || payload.length > LONGEST_PACKET) return;
    const frame = this.timeline.write(this.decode(codec, payload), { ssrc: this.ssrc as number, ts, at });
    // Later than we waited, from a phone or a network that stood still: judged again.
    if (frame < this.levels.length) this.levels.length = this.keys.length = frame;
  }

  private decode(codec: CodecName, payload: Buffer): Int16Array {
    if (codec === 'G722') {
      this.decoder ??= new NarrowG722Decoder();
      return this.decoder.decode(payload);
    }
    this.decoder = undefined;
    const table = codec === 'PCMU' ? ULAW_TO_LINEAR : ALAW_TO_LINEAR;
    const samples = new Int16Array(payload.length);
    for (let i = 0; i < samples.length; i++) samples[i] = table[payload[i] as number] as number;
    return samples;
  }

  /** Levels of the frames up to then. */
  private judge(untilMs: number): void {
    const until = Math.min(untilMs, this.maxMs) / FRAME_MS;
    while (this.levels.length + 1 <= until) {
      const index = this.levels.length;
      const level = this.timeline.hasFrame(index) ? this.levelOf(index) : UNKNOWN;
      const isKey = level > UNKNOWN && keyIn(this.frame) !== undefined;
      this.keys.push(isKey);
      this.levels.push(isKey ? UNKNOWN : level);
    }
  }

  /** dBFS; the frame's samples are in `this.frame` then. */
  private levelOf(index: number): number {
    let energy = 0;
    for (let i = 0; i < FRAME; i++) {
      const sample = this.highpass.next(this.timeline.samples[index * FRAME + i] as number);
      this.frame[i] = sample;
      energy += sample * sample;
    }
    return 10 * Math.log10(Math.max(energy / FRAME, 1e-2) / 32768 ** 2);
  }

  private fellSilent(): boolean {
    if (++this.ticks % LOOK_EVERY !== 0) return false;
    const speech = findSpeech(this.levels);
    return speech !== undefined && this.levels.length - speech.to >= this.silentFrames;
  }
}
