import { encodeG711, encodeUlaw } from '../codec/g711.ts';
import { highpass } from './highpass.ts';
import { findSpeech, type Speech } from './speech.ts';
import { FRAME } from './timeline.ts';

/** What was recorded: samples at 8 kHz, and of each frame of 20 ms its level and whether a key's tone is in it. */
export interface Take {
  readonly samples: Int16Array;
  /** dBFS; `UNKNOWN` where nothing came. */
  readonly levels: readonly number[];
  readonly keys: readonly boolean[];
}

/**
 * Frames before and after the speech: 100 ms, of silence where nothing was heard. The far side's G.722 decoder needs
 * them: it comes from another clip and hears the first 50 ms of this one badly.
 */
const MARGIN = 5;
/** The prompts' level (config/prompts/make-prompts.sh), in dBFS. */
const WANTED_RMS = -22;
const MOST_PEAK = -3;
/** dB: beyond this it is the noise that would be heard. */
const MOST_GAIN = 20;
const FADE_IN = 40;
const FADE_OUT = 160;

/** Cut to the speech, brought to the level of the prompts, as G.711 mu-law. Undefined: nothing was said. */
export function finish(take: Take): Uint8Array | undefined {
  const speech = findSpeech(take.levels);
  if (speech === undefined) return undefined;
  const { from, to } = kept(speech, take);
  const begin = speech.from - MARGIN;
  const said = new Int16Array(Math.min(take.samples.length, (speech.to + MARGIN - begin) * FRAME));
  said.set(
    take.samples.subarray(from * FRAME, Math.min(to * FRAME, begin * FRAME + said.length)),
    (from - begin) * FRAME,
  );
  highpass(said);
  amplify(said, gainFor(said.subarray(MARGIN * FRAME, (speech.to - begin) * FRAME), said));
  fade(said);
  return new Uint8Array(encodeG711(said, encodeUlaw));
}

/** A key's tone next to the speech is no part of it, nor the frame in which it began or ended. */
function kept({ from, to }: Speech, { levels, keys }: Take): Speech {
  const before = keys.slice(0, from).lastIndexOf(true);
  const after = keys.indexOf(true, to);
  return {
    from: Math.max(0, from - MARGIN, before === -1 ? 0 : before + 2),
    to: Math.min(levels.length, to + MARGIN, after === -1 ? levels.length : after - 1),
  };
}

function gainFor(speech: Int16Array, all: Int16Array): number {
  let energy = 0;
  for (const sample of speech) energy += sample * sample;
  let peak = 0;
  for (const sample of all) peak = Math.max(peak, Math.abs(sample));
  const decibels = Math.min(
    WANTED_RMS - decibelsOf(Math.sqrt(energy / speech.length)),
    MOST_PEAK - decibelsOf(peak),
    MOST_GAIN,
  );
  return 10 ** (decibels / 20);
}

/** dB relative to full scale of an amplitude. */
function decibelsOf(amplitude: number): number {
  return 20 * Math.log10(Math.max(amplitude, 1e-3) / 32768);
}

function amplify(samples: Int16Array, gain: number): void {
  for (let i = 0; i < samples.length; i++) samples[i] = Math.round((samples[i] as number) * gain);
}

/** No click where it was cut. */
function fade(samples: Int16Array): void {
  for (let i = 0; i < FADE_IN; i++) samples[i] = ((samples[i] as number) * i) / FADE_IN;
  for (let i = 1; i <= FADE_OUT; i++) {
    const at = samples.length - i;
    samples[at] = ((samples[at] as number) * (i - 1)) / FADE_OUT;
  }
}
