import { tsDelta } from '../rtp/serial.ts';

const RATE_PER_MS = 8;
/** A frame counts as heard when this many of its 160 samples came. */
const MOST_OF_IT = 80;
/** Timestamps further than this from the clock (1 s) are a sender that started afresh. */
const ASTRAY = 8000;

export const FRAME = 160;

/** Where a packet's samples belong: its source and timestamp, and when it came, in ms since the start. */
export interface Stamp {
  readonly ssrc: number;
  readonly ts: number;
  readonly at: number;
}

/** What was heard, at the place its timestamps say; what did not come is silence. At most `maxMs`, 16 bytes a ms. */
export class Timeline {
  readonly samples: Int16Array;
  /** Samples that came, per frame of 20 ms. */
  private readonly heard: Uint8Array;
  private base: { readonly ssrc: number; readonly ts: number; readonly position: number } | undefined;
  private end = 0;

  constructor(maxMs: number) {
    this.samples = new Int16Array(maxMs * RATE_PER_MS);
    this.heard = new Uint8Array(Math.ceil(this.samples.length / FRAME));
  }

  /** Lays samples down; what lies outside is cut off. Returns the first frame that changed. */
  write(samples: Int16Array, stamp: Stamp): number {
    const position = this.place(samples.length, stamp);
    const from = Math.max(0, position);
    const to = Math.min(this.samples.length, position + samples.length);
    if (from >= to) return Number.POSITIVE_INFINITY;
    this.samples.set(samples.subarray(from - position, to - position), from);
    for (let at = from; at < to; at = (Math.floor(at / FRAME) + 1) * FRAME) this.mark(at, to);
    this.end = Math.max(this.end, to);
    return Math.floor(from / FRAME);
  }

  /** Whether sound came for most of a frame. */
  hasFrame(frame: number): boolean {
    return (this.heard[frame] ?? 0) >= MOST_OF_IT;
  }

  private mark(at: number, to: number): void {
    const frame = Math.floor(at / FRAME);
    const count = Math.min(to, (frame + 1) * FRAME) - at;
    this.heard[frame] = Math.min(FRAME, (this.heard[frame] as number) + count);
  }

  private place(length: number, { ssrc, ts, at }: Stamp): number {
    // A packet is sent when its last sample is there.
    const expected = at * RATE_PER_MS - length;
    const known = this.base?.ssrc === ssrc ? this.base.position + tsDelta(ts, this.base.ts) : undefined;
    if (known !== undefined && Math.abs(known - expected) <= ASTRAY) return known;
    const position = Math.max(Math.round(expected), this.end);
    this.base = { ssrc, ts, position };
    return position;
  }
}
