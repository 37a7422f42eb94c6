import type { Listing, Row } from '../../domain/listing.ts';
import type { Refusal } from '../../domain/reasons.ts';

/** Part of a list. */
export interface PageQuery<Sort extends string> {
  readonly sort: Sort;
  readonly descending?: boolean | undefined;
  /** 1–1000. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
}

export interface Page {
  readonly ids: readonly string[];
  readonly next: string | undefined;
  /** Rows of all pages. */
  readonly total: number;
}

/** The rows of a list, one group after the other; of each every row that it wants. Absent: all. */
export type Groups<Sort extends string> = readonly (((row: Row<Sort>) => boolean) | undefined)[];

const ROWS_AT_ONCE = 2_000;
const INVALID_CURSOR: Refusal = {
  refused: 'invalidCursor',
  detail: 'cursor: not one that this list has given',
};

/**
 * A page by where it stands in the order, not by a number: what comes and goes before it moves nothing. Reads long
 * lists in slices of a millisecond or so, and nothing but the page where every row is wanted.
 */
export async function readPage<Sort extends string>(
  listing: Listing<Sort>,
  query: PageQuery<Sort>,
  groups: Groups<Sort>,
): Promise<Page | Refusal> {
  const from = query.cursor === undefined ? { group: 0, key: undefined } : readCursor(query.cursor, query);
  if (!from || from.group >= groups.length) return INVALID_CURSOR;
  const reading = new Reading(query, from);
  for (const [group, wants] of groups.entries()) await reading.group(listing, group, wants);
  return reading.page();
}

interface Place {
  readonly group: number;
  /** Of the row the page before ended with; undefined: the beginning. */
  readonly key: string | undefined;
}

class Reading<Sort extends string> {
  readonly #query: PageQuery<Sort>;
  readonly #from: Place;
  readonly #ids: string[] = [];
  #last: { group: number; key: string } | undefined;
  #total = 0;
  #isMore = false;

  constructor(query: PageQuery<Sort>, from: Place) {
    this.#query = query;
    this.#from = from;
  }

  async group(
    listing: Listing<Sort>,
    group: number,
    wants: ((row: Row<Sort>) => boolean) | undefined,
  ): Promise<void> {
    if (wants === undefined) return this.#readAll(listing, group);
    let last: string | undefined;
    for (;;) {
      const rows = this.#slice(listing, last, ROWS_AT_ONCE);
      for (const row of rows) if (wants(row)) this.#take(row, group);
      last = rows.at(-1)?.keys[this.#query.sort];
      if (rows.length < ROWS_AT_ONCE) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  page(): Page {
    const next = this.#isMore && this.#last ? writeCursor(this.#last, this.#query) : undefined;
    return { ids: this.#ids, next, total: this.#total };
  }

  #readAll(listing: Listing<Sort>, group: number): void {
    const after = group === this.#from.group ? this.#from.key : undefined;
    for (const row of this.#slice(listing, after, this.#query.limit + 1)) this.#take(row, group);
    this.#total = listing.size;
  }

  #take(row: Row<Sort>, group: number): void {
    const key = row.keys[this.#query.sort];
    this.#total++;
    if (!this.#isBehind(group, key)) return;
    if (this.#ids.length >= this.#query.limit) {
      this.#isMore = true;
      return;
    }
    this.#ids.push(row.id);
    this.#last = { group, key };
  }

  #isBehind(group: number, key: string): boolean {
    if (group !== this.#from.group) return group > this.#from.group;
    if (this.#from.key === undefined) return true;
    return this.#query.descending ? key < this.#from.key : key > this.#from.key;
  }

  /** In the order asked for, behind this key. */
  #slice(listing: Listing<Sort>, after: string | undefined, count: number): readonly Row<Sort>[] {
    const { sort, descending } = this.#query;
    const order = listing.order(sort);
    if (descending) {
      const end = after === undefined ? order.length : listing.place(sort, after);
      return order.slice(Math.max(0, end - count), end).reverse();
    }
    // No key is a key followed by this.
    const start = after === undefined ? 0 : listing.place(sort, `${after}\u0000`);
    return order.slice(start, start + count);
  }
}

function writeCursor({ group, key }: { group: number; key: string }, query: PageQuery<string>): string {
  return Buffer.from(JSON.stringify([orderOf(query), group, key]), 'utf8').toString('base64url');
}

/** Undefined for what this order has not written. */
function readCursor(text: string, query: PageQuery<string>): Place | undefined {
  const [order, group, key, ...rest] = parsed(text);
  const isPlace = Number.isInteger(group) && (group as number) >= 0 && typeof key === 'string';
  if (order !== orderOf(query) || rest.length > 0 || !isPlace) return undefined;
  return { group: group as number, key: key as string };
}

function parsed(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function orderOf({ sort, descending = false }: PageQuery<string>): string {
  return `${descending ? '-' : ''}${sort}`;
}
