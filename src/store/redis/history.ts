import { z } from 'zod';
import type { ChangeEvent } from '../../domain/association.ts';
import { type HistoryPage, type HistoryQuery, type Store, StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeEvent } from './decode.ts';
import type { Keys } from './keys.ts';

export interface HistoryOptions {
  readonly link: Link;
  readonly keys: Keys;
  readonly onProblem: (text: string) => void;
}

/** Entries looked at in one step of the store. */
const MOST_AT_ONCE = 1000;
/** Steps per page: a filter that nearly nothing passes gets a short page and asks again. */
const MOST_STEPS = 10;
const LAST_MS = 9_999_999_999_998;

const reply = z
  .tuple([z.enum(['0', '1']), z.string(), z.array(z.tuple([z.string(), z.array(z.string())]))])
  .transform(([more, lastId, entries]) => ({ hasMore: more === '1', lastId, entries }));

type Step = z.output<typeof reply>;
interface Entry {
  readonly id: string;
  readonly event: ChangeEvent;
}

/**
 * Reading of the change log for people: newest first, by host, guest, period and kind. A page may be shorter than asked
 * for, even empty, and still have a `next`. The cursor is the stream id of the last entry looked at.
 */
export function createHistory(options: HistoryOptions): Pick<Store, 'history'> {
  return {
    async history(query) {
      checkQuery(query);
      return readPage(options, query);
    },
  };
}

/** @throws RangeError */
function checkQuery({ limit, after, from, to }: HistoryQuery): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_AT_ONCE)
    throw new RangeError(`A page of history holds 1 to ${MOST_AT_ONCE} entries`);
  if (after !== undefined && !/^[1-9]\d{12}-\d{1,15}$/.test(after))
    throw new RangeError('This is no place in the history to go on from');
  if (Number.isNaN(from) || Number.isNaN(to)) throw new RangeError('A period needs times');
}

async function readPage(options: HistoryOptions, query: HistoryQuery): Promise<HistoryPage> {
  const found: Entry[] = [];
  let after = query.after;
  for (let step = 0; step < MOST_STEPS; step++) {
    const { hasMore, lastId, entries } = await readStep(options, query, {
      after,
      most: isFiltered(query) ? MOST_AT_ONCE : query.limit,
    });
    found.push(...decodeEntries(options, entries).filter(({ event }) => isWanted(event, query)));
    const last = found[query.limit - 1];
    if (last !== undefined && (hasMore || found.length > query.limit))
      return page(found.slice(0, query.limit), last.id);
    if (!hasMore) return page(found, undefined);
    after = lastId;
  }
  return page(found, after);
}

function page(entries: readonly Entry[], next: string | undefined): HistoryPage {
  return { events: entries.map(({ event }) => event), next };
}

/** Whether the store may look at entries that are not wanted. */
function isFiltered({ host, guest, kinds }: HistoryQuery): boolean {
  return kinds !== undefined || (host !== undefined && guest !== undefined);
}

function isWanted(event: ChangeEvent, { host, guest, kinds }: HistoryQuery): boolean {
  const about = whom(event);
  return (
    (kinds === undefined || kinds.includes(event.kind)) &&
    (host === undefined || about.host === host) &&
    (guest === undefined || about.guest === guest)
  );
}

function whom(event: ChangeEvent): {
  readonly host?: string | undefined;
  readonly guest?: string | undefined;
} {
  switch (event.kind) {
    case 'directory':
    case 'order':
      return {};
    case 'notice':
      return { host: event.host, guest: event.extension };
    case 'emergency':
      return { host: event.record.host, guest: event.record.guest?.extension };
    default:
      return event.association;
  }
}

async function readStep(
  { link, keys }: HistoryOptions,
  query: HistoryQuery,
  { after = '', most }: { readonly after: string | undefined; readonly most: number },
): Promise<Step> {
  const { host = '', guest = '', from = 0, to = LAST_MS } = query;
  const raw = await link.run({
    script: 'history',
    keys: [keys.events, keys.history],
    args: [host, guest, bound(Math.ceil(from)), bound(Math.floor(to)), after, most],
  });
  const parsed = reply.safeParse(raw);
  if (!parsed.success) throw new StoreUnavailable('The store gave a history that cannot be read');
  return parsed.data;
}

/** 13 digits, so that times compare as text. */
function bound(ms: number): string {
  return String(Math.min(Math.max(0, ms), LAST_MS)).padStart(13, '0');
}

function decodeEntries({ onProblem }: HistoryOptions, entries: Step['entries']): Entry[] {
  const unreadable: string[] = [];
  const events = entries.flatMap(([id, list]) => {
    const event = decodeEvent(fieldsOf(list));
    if (event) return [{ id, event }];
    unreadable.push(id);
    return [];
  });
  if (unreadable.length > 0)
    onProblem(
      `${unreadable.length} entries of the change log cannot be read and are left out, such as ${unreadable[0]}`,
    );
  return events;
}

function fieldsOf(list: readonly string[]): Record<string, string> {
  const names = list.filter((_, i) => i % 2 === 0);
  return Object.fromEntries(names.map((name, i) => [name, list[2 * i + 1] ?? '']));
}
