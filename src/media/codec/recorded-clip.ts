import { type Clip, type CodecName, FRAME_BYTES, SILENCE } from './codecs.ts';
import { encodeAlaw, PCMU_SILENCE, ULAW_TO_LINEAR } from './g711.ts';
import { NarrowG722Encoder } from './g722.ts';

/** Ten seconds: nobody's name is longer. */
export const LONGEST_RECORDING = 80_000;

const ULAW_TO_ALAW = Uint8Array.from(ULAW_TO_LINEAR, encodeAlaw);
/** Frames the G.722 coder is run in over before one that is asked for out of turn: it adapts within 100 ms. */
const RUN_IN = 5;

/**
 * A recording as a clip, without holding up the calls that play meanwhile: G.711 is a table, and G.722 is coded frame
 * by frame as it is played.
 */
export function recordedClip(mulaw: Uint8Array): Clip {
  const said = mulaw.subarray(0, LONGEST_RECORDING);
  const frames = Math.ceil(said.length / FRAME_BYTES);
  const PCMU = Buffer.alloc(frames * FRAME_BYTES, PCMU_SILENCE);
  PCMU.set(said);
  const PCMA = Buffer.from(PCMU.map((code) => ULAW_TO_ALAW[code] as number));
  const G722 = Buffer.concat(Array.from({ length: frames }, () => SILENCE.G722));
  const coder = new FrameCoder(PCMU, G722);
  return {
    frames,
    data: { PCMU, PCMA, G722 },
    prepare: (codec: CodecName, frame: number) => {
      if (codec === 'G722') coder.upTo(frame);
    },
  };
}

/** Codes from u-law to G.722, each frame once while they are asked for in turn. */
class FrameCoder {
  private readonly from: Buffer;
  private readonly into: Buffer;
  private encoder = new NarrowG722Encoder();
  private next = 0;

  constructor(from: Buffer, into: Buffer) {
    this.from = from;
    this.into = into;
  }

  upTo(frame: number): void {
    if (frame < this.next) return;
    if (frame > this.next + RUN_IN) {
      this.encoder = new NarrowG722Encoder();
      this.next = frame - RUN_IN;
    }
    for (; this.next <= frame; this.next++) this.code(this.next * FRAME_BYTES);
  }

  private code(at: number): void {
    const samples = Int16Array.from(
      this.from.subarray(at, at + FRAME_BYTES),
      (code) => ULAW_TO_LINEAR[code] as number,
    );
    this.encoder.encode(samples).copy(this.into, at);
  }
}
