/** G.711 (ITU-T Rec. G.711): one byte per sample at 8 kHz. */

/** What a decoder hears as nothing. */
export const PCMU_SILENCE = 0xff;
export const PCMA_SILENCE = 0xd5;

const ULAW_BIAS = 132;
const ULAW_CLIP = 32635;

/** 16-bit linear → u-law. */
export function encodeUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), ULAW_CLIP) + ULAW_BIAS;
  const segment = 24 - Math.clz32(magnitude);
  const step = (magnitude >> (segment + 3)) & 0x0f;
  return ~(sign | (segment << 4) | step) & 0xff;
}

/** 16-bit linear → A-law; negative values are complemented, as the reference does. */
export function encodeAlaw(sample: number): number {
  const magnitude = (sample < 0 ? ~sample : sample) >> 4;
  const segment = magnitude < 32 ? magnitude >> 4 : 28 - Math.clz32(magnitude);
  const step = segment < 2 ? magnitude : magnitude >> (segment - 1);
  const code = (segment << 4) | (step & 0x0f);
  return (sample < 0 ? code : code | 0x80) ^ 0x55;
}

function decodeUlaw(code: number): number {
  const bits = ~code & 0xff;
  const segment = (bits >> 4) & 7;
  const magnitude = ((((bits & 0x0f) << 3) + ULAW_BIAS) << segment) - ULAW_BIAS;
  return bits & 0x80 ? -magnitude : magnitude;
}

function decodeAlaw(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 256) << (segment - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

/** u-law byte → 16-bit linear. */
export const ULAW_TO_LINEAR = Int16Array.from({ length: 256 }, (_, code) => decodeUlaw(code));
/** A-law byte → 16-bit linear. */
export const ALAW_TO_LINEAR = Int16Array.from({ length: 256 }, (_, code) => decodeAlaw(code));

/** Encodes a whole clip of 8 kHz samples. */
export function encodeG711(samples: Int16Array, encode: (sample: number) => number): Buffer {
  const out = Buffer.alloc(samples.length);
  for (let i = 0; i < samples.length; i++) out[i] = encode(samples[i] as number);
  return out;
}
