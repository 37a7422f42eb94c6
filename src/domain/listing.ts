/** Rows of long lists: kept sorted in several ways at once, found by the words in them. */

/** A row; `keys` differ from row to row, each ends with the id. */
export interface Row<Sort extends string> {
  readonly id: string;
  /** Site id. */
  readonly site: string;
  /** Folded words, a blank before each. */
  readonly text: string;
  readonly keys: Readonly<Record<Sort, string>>;
}

const LONGEST_KEY = 200;
const PLAIN = /^[\x20-\x7e]*$/;

/** Without accents and capitals: how people look for words. */
export function folded(text: string): string {
  const base = PLAIN.test(text) ? text : text.normalize('NFKD').replace(/\p{M}/gu, '');
  return base.toLowerCase();
}

/** Sorts as people expect, `Desk 9` before `Desk 10`; the id makes it one of its kind. */
export function sortKey(text: string, id: string): string {
  const natural = folded(text).replace(/\d+/g, (digits) => digits.padStart(12, '0'));
  return `${natural.slice(0, LONGEST_KEY)}\u0000${id}`;
}

/** What a row is found by. */
export function searchText(fields: readonly (string | undefined)[]): string {
  return ['', ...wordsIn(fields.join(' '))].join(' ');
}

function wordsIn(text: string): string[] {
  return folded(text).match(/[\p{L}\p{N}]+/gu) ?? [];
}

const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){1,5}[:-]?$/i;
const NATIONAL = /^0[\d\s()-]{4,}$/;

/**
 * Whether a row's text has every word of a question, or words that begin so. A number as dialled in its country, with a
 * leading zero, is found in the full number, and a MAC however it is written.
 */
export function matcher(question: string): (text: string) => boolean {
  const asked = question.trim();
  if (NATIONAL.test(asked)) {
    const digits = asked.replace(/\D/g, '');
    const significant = digits.replace(/^0+/, '');
    return (text) => text.includes(` ${digits}`) || (significant.length > 3 && text.includes(significant));
  }
  const words = MAC.test(asked) ? [folded(asked).replace(/[:-]/g, '')] : wordsIn(asked);
  const parts = words.map((word) => ` ${word}`);
  // Nothing but signs is in no row.
  return parts.length === 0 ? () => asked === '' : (text) => parts.every((part) => text.includes(part));
}

/** Rows in order, by each key; a change costs the same few comparisons at any size. */
export class Listing<Sort extends string> {
  readonly #sorts: readonly Sort[];
  readonly #rows = new Map<string, Row<Sort>>();
  readonly #orders: ReadonlyMap<Sort, Row<Sort>[]>;

  /** `sorted`: for each sort the same rows, in its order (see `sorting`). */
  constructor(sorted: ReadonlyMap<Sort, Row<Sort>[]>) {
    this.#sorts = [...sorted.keys()];
    this.#orders = sorted;
    const [first = []] = sorted.values();
    for (const row of first) this.#rows.set(row.id, row);
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): Row<Sort> | undefined {
    return this.#rows.get(id);
  }

  put(row: Row<Sort>): void {
    this.remove(row.id);
    this.#rows.set(row.id, row);
    for (const sort of this.#sorts) this.order(sort).splice(this.place(sort, row.keys[sort]), 0, row);
  }

  remove(id: string): void {
    const row = this.#rows.get(id);
    if (!row) return;
    this.#rows.delete(id);
    for (const sort of this.#sorts) this.order(sort).splice(this.place(sort, row.keys[sort]), 1);
  }

  order(sort: Sort): Row<Sort>[] {
    return this.#orders.get(sort) ?? [];
  }

  /** Where the first row stands whose key is not below this. */
  place(sort: Sort, key: string): number {
    const order = this.order(sort);
    let [low, high] = [0, order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((order[middle]?.keys[sort] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const RUN = 1_000;
const MERGED_AT_ONCE = 5_000;

/** Sorts in steps of a millisecond or so: whoever drives it may do something else in between. */
export function* sorting<Sort extends string>(
  rows: readonly Row<Sort>[],
  sort: Sort,
): Generator<void, Row<Sort>[]> {
  const below = (a: Row<Sort>, b: Row<Sort>): boolean => a.keys[sort] < b.keys[sort];
  let runs: Row<Sort>[][] = [];
  for (let from = 0; from < rows.length; from += RUN) {
    runs.push(rows.slice(from, from + RUN).sort((a, b) => (below(a, b) ? -1 : 1)));
    yield;
  }
  while (runs.length > 1) {
    const merged: Row<Sort>[][] = [];
    for (let i = 0; i < runs.length; i += 2)
      merged.push(yield* merging(runs[i] ?? [], runs[i + 1] ?? [], below));
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merging<T>(
  one: readonly T[],
  other: readonly T[],
  below: (a: T, b: T) => boolean,
): Generator<void, T[]> {
  const all: T[] = [];
  let [i, j] = [0, 0];
  while (i < one.length || j < other.length) {
    const [a, b] = [one[i], other[j]];
    const isOther = a === undefined || (b !== undefined && below(b, a));
    all.push((isOther ? b : a) as T);
    if (isOther) j++;
    else i++;
    if (all.length % MERGED_AT_ONCE === 0) yield;
  }
  return all;
}
