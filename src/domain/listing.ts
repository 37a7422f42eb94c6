import { type Keyed, merging, SORTED_AT_ONCE, sorting } from './sorting.ts';

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

const DIGIT = /\d/;

/** Sorts as people expect, `Desk 9` before `Desk 10`; the id makes it one of its kind. */
export function sortKey(text: string, id: string): string {
  const plain = folded(text);
  const natural = DIGIT.test(plain) ? plain.replace(/\d+/g, (digits) => digits.padStart(12, '0')) : plain;
  return `${natural.slice(0, LONGEST_KEY)}\u0000${id}`;
}

/** What a row is found by. */
export function searchText(fields: readonly (string | undefined)[]): string {
  return ['', ...wordsIn(fields.join(' '))].join(' ');
}

function wordsIn(text: string): string[] {
  // The first does the same for plain text, in a third of the time.
  return folded(text).match(PLAIN.test(text) ? /[a-z0-9]+/g : /[\p{L}\p{N}]+/gu) ?? [];
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

/** Whether two rows of one entry are the same. */
export function isSameRow<Sort extends string>(one: Row<Sort>, other: Row<Sort>): boolean {
  const sorts = Object.keys(one.keys) as Sort[];
  const isSame = one.site === other.site && one.text === other.text;
  return isSame && sorts.every((sort) => one.keys[sort] === other.keys[sort]);
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

  get ids(): Iterable<string> {
    return this.#rows.keys();
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

/** Rows in order with some of them changed, come (`after`) or gone: what stays keeps its place, and nothing of it is sorted. */
export function* renewing<Sort extends string>(
  order: readonly Row<Sort>[],
  sort: Sort,
  { changed, after }: { readonly changed: ReadonlySet<string>; readonly after: readonly Row<Sort>[] },
): Generator<void, Row<Sort>[]> {
  const kept: Keyed<Row<Sort>>[] = [];
  for (const [i, row] of order.entries()) {
    if (i % SORTED_AT_ONCE === SORTED_AT_ONCE - 1) yield;
    if (!changed.has(row.id)) kept.push({ key: row.keys[sort], of: row });
  }
  const merged = yield* merging(kept, yield* sorting(after, (row) => row.keys[sort]));
  return merged.map(({ of }) => of);
}

/**
 * The order by keys that are something before the keys `rows` are in order of: few sites, or nothing at all
 * for most. What stands before is put in order, and the rows behind it are already.
 */
export function* grouping<Sort extends string>(
  rows: readonly Row<Sort>[],
  sort: Sort,
): Generator<void, Row<Sort>[]> {
  const groups = new Map<string, Row<Sort>[]>();
  for (const [i, row] of rows.entries()) {
    if (i % SORTED_AT_ONCE === SORTED_AT_ONCE - 1) yield;
    const key = row.keys[sort];
    const before = key.slice(0, key.indexOf('\u0000'));
    const group = groups.get(before);
    if (group) group.push(row);
    else groups.set(before, [row]);
  }
  const inOrder = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  yield;
  return inOrder.flatMap(([, group]) => group);
}
