/**
 * G.722 at 64 kbit/s (ITU-T Rec. G.722, clauses 3 and 6): the whole encoder, run once per prompt when prompts are
 * loaded, and the lower half of encoder and decoder, run while a call records or plays a recording.
 *
 * Two bands of 8 kHz each from a 24-tap mirror filter; 6 bits ADPCM for the lower, 2 for the upper. The lower band is
 * the sound at 8 kHz: who wants no more needs neither the upper band nor the filter. Names of the constants are the
 * Recommendation's.
 */

const QMF = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

const Q6 = Int32Array.from([
  0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219,
  1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
]);
const QM6 = [
  -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360,
  -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688,
  -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192,
  6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432,
  -136,
];
const QM4 = [
  0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
];
const QM2 = [-7408, -1616, 7408, 1616];
const WL = [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];
const WH = [798, -214, 798, -214];
const ILB = [
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960,
  3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

const LOWER_NB_MAX = 18432;
const UPPER_NB_MAX = 22528;

function saturate(value: number): number {
  return Math.max(-32768, Math.min(32767, value));
}

/** One band's adaptive predictor: two poles, six zeros, and the step size. */
class Band {
  /** The signal estimate the next sample is compared with. */
  estimate = 0;
  det: number;
  private nb = 0;
  private zeroEstimate = 0;
  private readonly a = new Int32Array(3);
  private readonly r = new Int32Array(3);
  private readonly p = new Int32Array(3);
  private readonly b = new Int32Array(7);
  private readonly d = new Int32Array(7);

  constructor(det: number) {
    this.det = det;
  }

  /** Scale factor adaptation (LOGSCL, SCALEL; LOGSCH, SCALEH). */
  rescale(weight: number, limit: number, shiftBase: number): void {
    const nb = ((this.nb * 127) >> 7) + weight;
    this.nb = Math.max(0, Math.min(limit, nb));
    const shift = shiftBase - (this.nb >> 11);
    const mantissa = ILB[(this.nb >> 6) & 31] as number;
    this.det = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }

  /** Predictor adaptation with the quantised difference. */
  adapt(difference: number): void {
    const { d, r, p } = this;
    d[0] = difference;
    r[0] = saturate(this.estimate + difference);
    p[0] = saturate(this.zeroEstimate + difference);
    this.adaptPoles();
    this.adaptZeros();
    for (let i = 6; i > 0; i--) d[i] = d[i - 1] as number;
    for (let i = 2; i > 0; i--) {
      r[i] = r[i - 1] as number;
      p[i] = p[i - 1] as number;
    }
    this.predict();
  }

  private adaptPoles(): void {
    const [, a1, a2] = this.a as unknown as [number, number, number];
    const [p0, p1, p2] = this.p as unknown as [number, number, number];
    const sameAsLast = p0 < 0 === p1 < 0;
    const sameAsBefore = p0 < 0 === p2 < 0;
    const scaled = saturate(a1 << 2);
    const feedback = Math.min(32767, sameAsLast ? -scaled : scaled);
    const second = (sameAsBefore ? 128 : -128) + (feedback >> 7) + ((a2 * 32512) >> 15);
    const newA2 = Math.max(-12288, Math.min(12288, second));
    const limit = saturate(15360 - newA2);
    const first = saturate((sameAsLast ? 192 : -192) + ((a1 * 32640) >> 15));
    this.a[1] = Math.max(-limit, Math.min(limit, first));
    this.a[2] = newA2;
  }

  private adaptZeros(): void {
    const { b, d } = this;
    const now = d[0] as number;
    const step = now === 0 ? 0 : 128;
    for (let i = 1; i < 7; i++) {
      const sameSign = (d[i] as number) < 0 === now < 0;
      b[i] = saturate((sameSign ? step : -step) + (((b[i] as number) * 32640) >> 15));
    }
  }

  private predict(): void {
    const { a, b, d, r } = this;
    const pole1 = ((a[1] as number) * saturate(2 * (r[1] as number))) >> 15;
    const pole2 = ((a[2] as number) * saturate(2 * (r[2] as number))) >> 15;
    let zeros = 0;
    for (let i = 6; i > 0; i--) zeros += ((b[i] as number) * saturate(2 * (d[i] as number))) >> 15;
    this.zeroEstimate = saturate(zeros);
    this.estimate = saturate(saturate(pole1 + pole2) + this.zeroEstimate);
  }
}

function encodeLower(band: Band, sample: number): number {
  const error = saturate(sample - band.estimate);
  const magnitude = error >= 0 ? error : -(error + 1);
  let level = 1;
  while (level < 30 && magnitude >= ((Q6[level] as number) * band.det) >> 12) level++;
  const code = lowerCode(level, error < 0);
  adaptLower(band, code);
  return code;
}

/** Encoder and decoder of the lower band follow the same four upper bits of a code. */
function adaptLower(band: Band, code: number): void {
  const four = code >> 2;
  const difference = (band.det * (QM4[four] as number)) >> 15;
  band.rescale(WL[four] as number, LOWER_NB_MAX, 8);
  band.adapt(difference);
}

/** Table of 6-bit codes by decision level: two irregular ones below zero, otherwise counting down. */
function lowerCode(level: number, negative: boolean): number {
  if (!negative) return 62 - level;
  return level < 3 ? 64 - level : 34 - level;
}

function encodeUpper(band: Band, sample: number): number {
  const error = saturate(sample - band.estimate);
  const magnitude = error >= 0 ? error : -(error + 1);
  const outer = magnitude >= (564 * band.det) >> 12;
  const code = error < 0 ? (outer ? 0 : 1) : outer ? 2 : 3;
  adaptUpper(band, code);
  return code;
}

function adaptUpper(band: Band, code: number): void {
  const difference = (band.det * (QM2[code] as number)) >> 15;
  band.rescale(WH[code] as number, UPPER_NB_MAX, 10);
  band.adapt(difference);
}

/** What the bands say of silence: no difference in the lower, the smallest in the upper; the steps shrink. */
const LOWER_SILENCE = 61;
const UPPER_SILENCE = 3;
/** Both of them. A decoder that hears nothing else is silent, and soon in one and the same state. */
export const G722_SILENCE = (UPPER_SILENCE << 6) | LOWER_SILENCE;
/** Samples after which it is: 125 ms. */
const SETTLED = 1000;

/** 16 kHz samples → one byte per two samples. An odd last sample is dropped: pad to whole frames first. */
export function encodeG722(samples: Int16Array): Buffer {
  return encodeBands(samples, { lower: new Band(32), upper: new Band(8), settling: false });
}

/**
 * The same for sounds that are played one after the other, though each is coded for itself: begins in the state in
 * which silence leaves a decoder, and its own silence leads back there. Otherwise the decoder would go on from the end
 * of the last one with what was meant for its beginning, and the first 100 ms were heard distorted.
 */
export function encodeG722Clip(samples: Int16Array): Buffer {
  const bands = { lower: new Band(32), upper: new Band(8) };
  for (let n = 0; n < SETTLED; n++) settle(bands);
  return encodeBands(samples, { ...bands, settling: true });
}

interface Bands {
  readonly lower: Band;
  readonly upper: Band;
}

function settle({ lower, upper }: Bands): number {
  adaptLower(lower, LOWER_SILENCE);
  adaptUpper(upper, UPPER_SILENCE);
  return G722_SILENCE;
}

function encodeBands(
  samples: Int16Array,
  { lower, upper, settling }: Bands & { readonly settling: boolean },
): Buffer {
  const out = Buffer.alloc(samples.length >> 1);
  const padded = new Int32Array(samples.length + 22);
  padded.set(samples, 22);
  for (let n = 0; n < out.length; n++) {
    let odd = 0;
    let even = 0;
    let sound = 0;
    for (let i = 0; i < 12; i++) {
      const first = padded[2 * n + 2 * i] as number;
      const second = padded[2 * n + 2 * i + 1] as number;
      odd += first * (QMF[i] as number);
      even += second * (QMF[11 - i] as number);
      sound |= first | second;
    }
    if (settling && sound === 0) {
      out[n] = settle({ lower, upper });
      continue;
    }
    const low = encodeLower(lower, (even + odd) >> 14);
    out[n] = (encodeUpper(upper, (even - odd) >> 14) << 6) | low;
  }
  return out;
}

/** The decoder's output has 15 bits (clause 6.2.1.1). */
const DECODED_MAX = 16383;

/** Codes 8 kHz samples as they come, a byte each: the far side's decoder hears them in the lower half of its range. */
export class NarrowG722Encoder {
  private readonly lower = new Band(32);

  encode(samples: Int16Array): Buffer {
    const out = Buffer.alloc(samples.length);
    for (let i = 0; i < out.length; i++) {
      out[i] = (UPPER_SILENCE << 6) | encodeLower(this.lower, (samples[i] as number) >> 1);
    }
    return out;
  }
}

/** Decodes what is below 4 kHz as it comes, to 8 kHz samples, one per byte. */
export class NarrowG722Decoder {
  private readonly lower = new Band(32);

  decode(payload: Uint8Array): Int16Array {
    const out = new Int16Array(payload.length);
    for (let i = 0; i < out.length; i++) {
      const code = (payload[i] as number) & 0x3f;
      const sample = this.lower.estimate + ((this.lower.det * (QM6[code] as number)) >> 15);
      out[i] = Math.max(-DECODED_MAX - 1, Math.min(DECODED_MAX, sample)) * 2;
      adaptLower(this.lower, code);
    }
    return out;
  }
}
