import { encodeAlaw, encodeG711, encodeUlaw, PCMA_SILENCE, PCMU_SILENCE } from './g711.ts';
import { encodeG722Clip, G722_SILENCE } from './g722.ts';
import { double, halve } from './resample.ts';

/** The names of RFC 3551, as they stand in rtpmap. */
export type CodecName = 'PCMA' | 'PCMU' | 'G722';
export const CODEC_NAMES: readonly CodecName[] = ['PCMA', 'PCMU', 'G722'];

/** 20 ms of any of the three. */
export const FRAME_BYTES = 160;
/** RTP clock ticks per frame; G.722's is 8 kHz too, by an old mistake everybody keeps (RFC 3551 4.5.2). */
export const FRAME_TICKS = 160;

export const STATIC_PAYLOAD: Readonly<Record<CodecName, number>> = { PCMU: 0, PCMA: 8, G722: 9 };

/** A prompt in every codec: whole frames, shared by all calls, never written to. Or a recording, for one call. */
export interface Clip {
  readonly frames: number;
  readonly data: Readonly<Record<CodecName, Buffer>>;
  /** Asked before a frame of `data` is used; a clip without it is complete. */
  readonly prepare?: (codec: CodecName, frame: number) => void;
}

/** One frame of nothing, to be repeated. */
export const SILENCE: Readonly<Record<CodecName, Buffer>> = {
  PCMA: Buffer.alloc(FRAME_BYTES, PCMA_SILENCE),
  PCMU: Buffer.alloc(FRAME_BYTES, PCMU_SILENCE),
  G722: Buffer.alloc(FRAME_BYTES, G722_SILENCE),
};

/** Codes samples at 8 or 16 kHz into a clip, padded with silence to whole frames. */
export function makeClip(samples: Int16Array, rate: 8000 | 16000): Clip {
  const perFrame = rate / 50;
  const frames = Math.ceil(samples.length / perFrame);
  const whole = new Int16Array(frames * perFrame);
  whole.set(samples);
  const narrow = rate === 8000 ? whole : halve(whole);
  const wide = rate === 16000 ? whole : double(whole);
  return {
    frames,
    data: {
      PCMA: encodeG711(narrow, encodeAlaw),
      PCMU: encodeG711(narrow, encodeUlaw),
      G722: encodeG722Clip(wide),
    },
  };
}
