/** Between 16 and 8 kHz: a 63-tap windowed sinc (Hamming), cut at 3.6 kHz. */

const TAPS = 63;
const CUT_HZ = 3600;
const RATE_HZ = 16000;
const HALF = (TAPS - 1) / 2;

const FILTER = makeFilter();

function makeFilter(): Float64Array {
  const taps = Float64Array.from({ length: TAPS }, (_, i) => {
    const x = i - HALF;
    const turn = (2 * Math.PI * CUT_HZ) / RATE_HZ;
    const sinc = x === 0 ? turn / Math.PI : Math.sin(turn * x) / (Math.PI * x);
    return sinc * (0.54 - 0.46 * Math.cos((2 * Math.PI * i) / (TAPS - 1)));
  });
  const sum = taps.reduce((a, b) => a + b, 0);
  return taps.map((tap) => tap / sum);
}

function clamp16(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(value)));
}

/** 16 kHz → 8 kHz. Half as many samples (rounded up), not delayed. */
export function halve(samples: Int16Array): Int16Array {
  const out = new Int16Array(Math.ceil(samples.length / 2));
  for (let n = 0; n < out.length; n++) {
    const from = 2 * n - HALF;
    const first = Math.max(0, -from);
    const last = Math.min(TAPS, samples.length - from);
    let sum = 0;
    for (let k = first; k < last; k++) sum += (FILTER[k] as number) * (samples[from + k] as number);
    out[n] = clamp16(sum);
  }
  return out;
}

/** 8 kHz → 16 kHz, for an operator's 8 kHz recording on a G.722 call. */
export function double(samples: Int16Array): Int16Array {
  const out = new Int16Array(samples.length * 2);
  for (let n = 0; n < out.length; n++) {
    let sum = 0;
    for (let k = (n + HALF) & 1; k < TAPS; k += 2) {
      const at = (n + HALF - k) >> 1;
      if (at >= 0 && at < samples.length) sum += (FILTER[k] as number) * (samples[at] as number);
    }
    out[n] = clamp16(2 * sum);
  }
  return out;
}
