import { type Clip, type CodecName, FRAME_BYTES } from '../codec/codecs.ts';

/** What is being played on one call: clips one after another, a frame at a time, in whatever codec is asked for. */
export class Player {
  private clips: readonly Clip[] = [];
  private clip = 0;
  private frame = 0;

  /** Replaces what plays. */
  start(clips: readonly Clip[]): void {
    this.clips = clips.filter((clip) => clip.frames > 0);
    this.clip = 0;
    this.frame = 0;
  }

  stop(): void {
    this.start([]);
  }

  get playing(): boolean {
    return this.clip < this.clips.length;
  }

  /** At the very beginning of what `start` was given. */
  get atStart(): boolean {
    return this.playing && this.clip === 0 && this.frame === 0;
  }

  /** Copies the next frame to `at` in `into`. The position is in frames, so the codec may change in between. */
  copyFrame(codec: CodecName, into: Buffer, at: number): void {
    const clip = this.clips[this.clip];
    if (clip === undefined) return;
    const from = this.frame * FRAME_BYTES;
    clip.prepare?.(codec, this.frame);
    clip.data[codec].copy(into, at, from, from + FRAME_BYTES);
    if (++this.frame < clip.frames) return;
    this.frame = 0;
    this.clip++;
  }
}
