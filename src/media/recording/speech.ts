/**
 * Where somebody speaks, from levels alone: frames that stand out from the quietest tenth of what was heard. A hum and
 * a fan never stand out, a click is too short, and what is far below the loudest is breath.
 */

/** Level of a frame nothing is known of: no packet came, or a key's tone sounded. Neither speech nor noise. */
export const UNKNOWN = Number.NEGATIVE_INFINITY;

export interface Speech {
  /** First frame of speech. */
  readonly from: number;
  /** The frame after the last one. */
  readonly to: number;
}

interface Run {
  from: number;
  to: number;
}

/** Levels in dBFS below which all is silence, so that a muted microphone's noise is not compared with zeros. */
const QUIETEST = -70;
/** The loudest 100 ms must be this loud, in dBFS, and this far above the noise. */
const AUDIBLE = -52;
const ABOVE_NOISE = 12;
/** Nothing this far below the loudest is speech. */
const BELOW_LOUDEST = 35;
/** In frames of 20 ms: what a syllable lasts, a word, the pause between two, and all of it. */
const SYLLABLE = 3;
const WORD = 5;
const PAUSE = 10;
const ENOUGH = 15;
const LOUD_FRAMES = 5;

/** Levels per frame of 20 ms, in dBFS. Undefined: less than 300 ms of speech. */
export function findSpeech(levels: readonly number[]): Speech | undefined {
  const limits = limitsOf(levels);
  if (limits === undefined) return undefined;
  const words = joined(runsOf(levels, limits)).filter(({ from, to }) => to - from >= WORD);
  const [first, last] = [words[0], words.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  if (words.reduce((sum, { from, to }) => sum + to - from, 0) < ENOUGH) return undefined;
  return { from: first.from, to: last.to };
}

/** Above `strong` is speech; what joins it stays above `weak`. Undefined: nothing stands out. */
function limitsOf(levels: readonly number[]): { strong: number; weak: number } | undefined {
  const bins = new Int32Array(101);
  let known = 0;
  for (const level of levels) {
    if (level === UNKNOWN) continue;
    const bin = Math.max(0, Math.min(100, Math.floor(level) + 100));
    bins[bin] = (bins[bin] as number) + 1;
    known++;
  }
  if (known < ENOUGH) return undefined;
  const noise = Math.max(QUIETEST, levelOfRank(bins, Math.floor(known / 10)));
  const loudest = levelOfRank(bins, known - LOUD_FRAMES);
  if (loudest < AUDIBLE || loudest - noise < ABOVE_NOISE) return undefined;
  const above = Math.max(6, Math.min(10, (loudest - noise) / 2));
  const breath = loudest - BELOW_LOUDEST;
  return { strong: Math.max(noise + above, breath), weak: Math.max(noise + 3, breath - 10) };
}

/** The level that `rank` frames are below. */
function levelOfRank(bins: Int32Array, rank: number): number {
  let below = 0;
  const bin = bins.findIndex((count) => {
    below += count;
    return below > rank;
  });
  return bin - 100;
}

function runsOf(levels: readonly number[], { strong, weak }: { strong: number; weak: number }): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < levels.length; at++) {
    const from = at;
    while (at < levels.length && (levels[at] as number) >= strong) at++;
    if (at - from >= SYLLABLE) runs.push(widened({ from, to: at }, levels, weak));
  }
  return runs;
}

/** Words begin and end more quietly than they are. */
function widened({ from, to }: Run, levels: readonly number[], weak: number): Run {
  const run = { from, to };
  while (run.from > 0 && (levels[run.from - 1] as number) >= weak) run.from--;
  while (run.to < levels.length && (levels[run.to] as number) >= weak) run.to++;
  return run;
}

function joined(runs: readonly Run[]): Run[] {
  const words: Run[] = [];
  for (const run of runs) {
    const last = words.at(-1);
    if (last !== undefined && run.from - last.to <= PAUSE) last.to = Math.max(last.to, run.to);
    else words.push({ ...run });
  }
  return words;
}
