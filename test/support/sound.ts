import { readFileSync } from 'node:fs';
import type { CodecName } from '../../src/media/codec/codecs.ts';
import { ALAW_TO_LINEAR, ULAW_TO_LINEAR } from '../../src/media/codec/g711.ts';
import { NarrowG722Decoder } from '../../src/media/codec/g722.ts';
import { halve } from '../../src/media/codec/resample.ts';
import { readWav } from '../../src/media/prompts/wav.ts';

/** Sounds for tests, as samples at 8 kHz, and whether one is heard in another. */

const PROMPTS = new URL('../../config/prompts/en-GB/', import.meta.url);
const RATE = 8000;

/** A prompt as somebody's voice. */
export function voiceOf(prompt: string): Int16Array {
  const sound = readWav(readFileSync(new URL(`${prompt}.wav`, PROMPTS)));
  if ('wrong' in sound) throw new Error(sound.wrong);
  return sound.rate === RATE ? sound.samples : halve(sound.samples);
}

/** Coded audio, all of one stream. */
export function decoded(codec: CodecName, data: Uint8Array): Int16Array {
  if (codec === 'G722') return new NarrowG722Decoder().decode(data);
  const table = codec === 'PCMU' ? ULAW_TO_LINEAR : ALAW_TO_LINEAR;
  return Int16Array.from(data, (code) => table[code] as number);
}

/** The loudest of these samples, 0 to 1. */
export function peakOf(samples: Int16Array): number {
  return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) / 32_768;
}

export function silence(ms: number): Int16Array {
  return new Int16Array((ms * RATE) / 1000);
}

/** Noise of one loudness, the same on each run; `level` in dBFS. */
export function noise(ms: number, level: number): Int16Array {
  const most = 32768 * 10 ** (level / 20) * Math.sqrt(3);
  let state = 12345;
  return silence(ms).map(() => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state / 2 ** 31 - 1) * most;
  });
}

/** Sines added up; `level` in dBFS of each. */
export function tones(ms: number, hz: readonly number[], level: number): Int16Array {
  const amplitude = 32768 * Math.SQRT2 * 10 ** (level / 20);
  return silence(ms).map((_, n) =>
    hz.reduce((sum, one) => sum + amplitude * Math.sin((2 * Math.PI * one * n) / RATE), 0),
  );
}

/** The two tones of a key. */
export function keyTone(key: string, ms: number, level = -12): Int16Array {
  const at = '123456789*0#'.indexOf(key);
  const row = [697, 770, 852, 941][Math.floor(at / 3)] as number;
  const column = [1209, 1336, 1477][at % 3] as number;
  return tones(ms, [row, column], level);
}

export function inARow(...parts: readonly Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

/** Both at once, as long as the first. */
export function mixed(one: Int16Array, other: Int16Array): Int16Array {
  return one.map((sample, i) => Math.max(-32768, Math.min(32767, sample + (other[i] ?? 0))));
}

export function louder(samples: Int16Array, decibels: number): Int16Array {
  return samples.map((sample) => Math.round(sample * 10 ** (decibels / 20)));
}

/** dBFS. */
export function rms(samples: Int16Array): number {
  const energy = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
  return 10 * Math.log10(energy / 32768 ** 2);
}

/** dBFS. */
export function peak(samples: Int16Array): number {
  return 20 * Math.log10(samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 32768);
}

/**
 * Where `wanted` is most nearly found in `heard` (a sample), and how nearly: the normalised cross-correlation, 1 for
 * the same sound at any loudness, near 0 for another.
 */
export function likeness(heard: Int16Array, wanted: Int16Array): { at: number; value: number } {
  let best = { at: -1, value: 0 };
  const own = wanted.reduce((sum, x) => sum + x * x, 0);
  for (let at = 0; at + wanted.length <= heard.length; at++) {
    // Every fourth sample finds the place, all of them say how good it is.
    if (best.at >= 0 && correlation({ heard, wanted, own: own / 4 }, at, 4) < best.value - 0.2) continue;
    const value = correlation({ heard, wanted, own }, at, 1);
    if (value > best.value) best = { at, value };
  }
  return best;
}

function correlation(
  { heard, wanted, own }: { heard: Int16Array; wanted: Int16Array; own: number },
  at: number,
  step: number,
): number {
  let product = 0;
  let energy = 0;
  for (let i = 0; i < wanted.length; i += step) {
    const sample = heard[at + i] as number;
    product += sample * (wanted[i] as number);
    energy += sample * sample;
  }
  return product / (Math.sqrt(energy * own) + 1);
}

/** How much of the last 100 ms is a tone of `hz`. */
export function toneIn(samples: Int16Array | undefined, hz: number): number {
  const last = samples?.slice(-800) ?? new Int16Array();
  let [re, im, power] = [0, 0, 0];
  for (const [n, x] of last.entries()) {
    re += x * Math.cos((2 * Math.PI * hz * n) / 8000);
    im += x * Math.sin((2 * Math.PI * hz * n) / 8000);
    power += x * x;
  }
  return power === 0 ? 0 : (2 * (re * re + im * im)) / (last.length * power);
}
