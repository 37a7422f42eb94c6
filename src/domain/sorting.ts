/** Long lists put in order in steps of a millisecond or so: whoever drives it may do something else in between. */

export const SORTED_AT_ONCE = 5_000;
const RUN = 2_000;

/** A thing, and what it is sorted by. */
export interface Keyed<T> {
  readonly key: string;
  readonly of: T;
}

/** Sorts by keys, which differ from thing to thing. */
export function* sorting<T>(things: readonly T[], keyOf: (thing: T) => string): Generator<void, Keyed<T>[]> {
  let runs: Keyed<T>[][] = [];
  for (let from = 0; from < things.length; from += RUN) {
    const run = things.slice(from, from + RUN).map((of) => ({ key: keyOf(of), of }));
    runs.push(run.sort((a, b) => (a.key < b.key ? -1 : 1)));
    yield;
  }
  while (runs.length > 1) {
    const merged: Keyed<T>[][] = [];
    for (let i = 0; i < runs.length; i += 2) merged.push(yield* merging(runs[i] ?? [], runs[i + 1] ?? []));
    runs = merged;
  }
  return runs[0] ?? [];
}

/** One list of two that are in order. */
export function* merging<T>(
  one: readonly Keyed<T>[],
  other: readonly Keyed<T>[],
): Generator<void, Keyed<T>[]> {
  const all: Keyed<T>[] = [];
  let [i, j] = [0, 0];
  while (i < one.length || j < other.length) {
    const [a, b] = [one[i], other[j]];
    const isOther = a === undefined || (b !== undefined && b.key < a.key);
    all.push((isOther ? b : a) as Keyed<T>);
    if (isOther) j++;
    else i++;
    if (all.length % SORTED_AT_ONCE === 0) yield;
  }
  return all;
}
