import type { Association, ChangeEvent, EndReason } from '../domain/association.ts';
import type { Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import { type HistoryPage, type HistoryQuery, type Store, StoreUnavailable } from '../store/store.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

export interface AuditDependencies {
  readonly store: Pick<Store, 'history'>;
  readonly view: Pick<View, 'directory' | 'associationAt' | 'associationOf'>;
}

/** Times in ms since 1970, inclusive. */
export type AuditFilter = Pick<HistoryQuery, 'host' | 'guest' | 'from' | 'to' | 'kinds'>;
export type AuditQuery = AuditFilter & {
  /** 1–1000. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
};
export type ChangeQuery = AuditQuery & {
  /** What is shown of what the filter lets through. */
  readonly isWanted?: (event: ChangeEvent) => boolean;
};
export type StayQuery = Omit<AuditQuery, 'kinds'> & {
  readonly isWanted?: (association: Association) => boolean;
};

/** Who sat where, from when to when. */
export interface Stay {
  readonly association: Association;
  /** ms since 1970; undefined: still there. */
  readonly endedAt: number | undefined;
  readonly reason: EndReason | undefined;
  /** Host the guest came from by logging in here; undefined also when the log does not go back so far. */
  readonly movedFrom: string | undefined;
}

export interface StayPage {
  readonly stays: readonly Stay[];
  readonly next: string | undefined;
}

/** Rows of one export. */
export const MAX_EXPORT_ROWS = 100_000;
/** How often one question for a page goes on when little of what it finds is wanted. */
const MAX_ROUNDS = 20;
const PAGE = 1_000;
/** Pages of the log that one question may read before it answers with what it has, and a cursor. */
const MAX_PAGES = 20;
/** The log's own time of an entry may differ so much from the one in it, in ms. */
const EARLY = 1_000;
const LATE = 5_000;
/** Pages of the log in which one start is looked for. */
const MAX_START_PAGES = 5;
const FURTHER_BELOW = Number.MAX_SAFE_INTEGER;
const INVALID_CURSOR: Refusal = {
  refused: 'invalidCursor',
  detail: 'cursor: not one that this list has given',
};

/**
 * Where the reading of stays goes on. `running`: among those still there, below this generation; `ended`: in the log
 * after this cursor of the store, below this position.
 */
type Position = { readonly phase: 'running'; readonly below: number } | ({ readonly phase: 'ended' } & Place);
interface Place {
  readonly below: number;
  readonly after: string | undefined;
}

const POSITION = /^(?:r(\d{1,16})|e(\d{1,16})\.(.{0,128}))$/;

/** Questions to the log of changes. */
export class Audit {
  readonly #deps: AuditDependencies;

  constructor(deps: AuditDependencies) {
    this.#deps = deps;
  }

  /**
   * Changes, newest first; a page may be short, even empty, and have a `next`. Refused with storeUnavailable and
   * invalidCursor.
   */
  page({ cursor, isWanted = () => true, limit, ...filter }: ChangeQuery): Promise<HistoryPage | Refusal> {
    return whileReadable(async () => {
      const events: ChangeEvent[] = [];
      let next = cursor;
      for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
        const left = limit - events.length;
        const page = await this.#deps.store.history({ ...filter, limit: left, after: next });
        events.push(...page.events.filter(isWanted));
        next = page.next;
        if (next === undefined || events.length >= limit) break;
      }
      return { events, next };
    });
  }

  /**
   * Changes in pages, newest first, at most 100 000 of them; the first page is read already, so that a store that is
   * away is a refusal. Later it makes the iteration reject.
   */
  async export(filter: AuditFilter): Promise<AsyncIterable<readonly ChangeEvent[]> | Refusal> {
    const first = await this.page({ ...filter, limit: PAGE });
    return 'refused' in first ? first : this.#pagesFrom(first, filter);
  }

  /**
   * Associations that were on at any time between `from` and `to`: first those that still are, the latest begun
   * first, then those that have ended, the latest ended first. One that ends while pages are read may come in both.
   * The same `from` and `to`: who sat where at this moment. Refused with storeUnavailable, stateUnknown and
   * invalidCursor.
   */
  stays(query: StayQuery): Promise<StayPage | Refusal> {
    return whileReadable(async () => {
      const position = parsePosition(query.cursor);
      if (!position) return INVALID_CURSOR;
      return this.#deps.view.directory ? this.#readStays(query, position) : { refused: 'stateUnknown' };
    });
  }

  /**
   * The same in pages, at most 100 000 of them; the first page is read already, so that a store that is away is a
   * refusal. Later it makes the iteration reject.
   */
  async exportStays(filter: Omit<StayQuery, 'limit'>): Promise<AsyncIterable<readonly Stay[]> | Refusal> {
    const first = await this.stays({ ...filter, limit: PAGE });
    return 'refused' in first ? first : this.#stayPagesFrom(first, filter);
  }

  async *#stayPagesFrom(first: StayPage, filter: Omit<StayQuery, 'limit'>): AsyncGenerator<readonly Stay[]> {
    let page = first;
    let left = MAX_EXPORT_ROWS;
    for (;;) {
      yield page.stays;
      left -= page.stays.length;
      if (page.next === undefined || left <= 0) return;
      const following = await this.stays({ ...filter, limit: Math.min(PAGE, left), cursor: page.next });
      if ('refused' in following) throw new StoreUnavailable('The store went away during an export');
      page = following;
    }
  }

  async *#pagesFrom(first: HistoryPage, filter: AuditFilter): AsyncGenerator<readonly ChangeEvent[]> {
    let page = first;
    let left = MAX_EXPORT_ROWS;
    for (;;) {
      yield page.events;
      left -= page.events.length;
      if (page.next === undefined || left <= 0) return;
      const limit = Math.min(PAGE, left);
      page = await this.#deps.store.history({ ...filter, limit, after: page.next });
    }
  }

  async #readStays(query: StayQuery, position: Position): Promise<StayPage> {
    const collected = new Stays(query);
    if (position.phase === 'running') {
      const below = collected.addRunning(this.#running(query), position.below);
      if (below !== undefined) return this.#finish(collected, `r${below}`);
    }
    let { below: under, after }: Place =
      position.phase === 'ended' ? position : { below: FURTHER_BELOW, after: undefined };
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const { host, guest, from } = query;
      const filter = { host, guest, from, kinds: ['start', 'end'] as const };
      const page = await this.#deps.store.history({ ...filter, limit: PAGE, after });
      const below = collected.addEnded(page.events, under);
      if (below !== undefined) return this.#finish(collected, `e${below}.${after ?? ''}`);
      if (page.next === undefined) return this.#finish(collected, undefined);
      [under, after] = [FURTHER_BELOW, page.next];
    }
    return this.#finish(collected, `e${FURTHER_BELOW}.${after ?? ''}`);
  }

  #running({ host, guest }: AuditFilter): Association[] {
    const { view } = this.#deps;
    const found =
      guest === undefined
        ? (host === undefined ? [...(view.directory?.hosts.keys() ?? [])] : [host]).map((id) =>
            view.associationAt(id),
          )
        : [view.associationOf(guest)];
    return found.flatMap((association) =>
      association && (host === undefined || association.host === host) ? [association] : [],
    );
  }

  /** Where people came from stands in the start alone, which may be older than what was read. */
  async #finish({ found, previousHosts }: Stays, next: string | undefined): Promise<StayPage> {
    const stays: Stay[] = [];
    for (const stay of found) {
      const { generation } = stay.association;
      const movedFrom = previousHosts.has(generation)
        ? previousHosts.get(generation)
        : await this.#previousHost(stay.association);
      stays.push({ ...stay, movedFrom });
    }
    return { stays, next };
  }

  async #previousHost({ guest, generation, startedAt }: Association): Promise<string | undefined> {
    const [from, to] = [startedAt - EARLY, startedAt + LATE];
    const around = { guest, from, to, kinds: ['start'] as const, limit: 100 };
    let after: string | undefined;
    for (let pages = 0; pages < MAX_START_PAGES; pages++) {
      const { events, next } = await this.#deps.store.history({ ...around, after });
      const start = events.find(({ seq }) => seq === generation);
      if (start) return start.kind === 'start' ? start.previousHost : undefined;
      if (next === undefined) return undefined;
      after = next;
    }
    return undefined;
  }
}

/** The stays of one page, and where their guests came from as far as it has been read. */
class Stays {
  readonly found: Omit<Stay, 'movedFrom'>[] = [];
  /** By generation. */
  readonly previousHosts = new Map<number, string | undefined>();
  readonly #running = new Set<number>();
  readonly #from: number;
  readonly #to: number;
  readonly #limit: number;
  readonly #isWanted: (association: Association) => boolean;

  constructor(query: StayQuery) {
    const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, limit } = query;
    this.#from = from;
    this.#to = to;
    this.#limit = limit;
    this.#isWanted = query.isWanted ?? (() => true);
  }

  /** The generation below which it goes on, when there is no more room. */
  addRunning(associations: readonly Association[], below: number): number | undefined {
    const wanted = associations
      .filter(({ startedAt, generation }) => startedAt <= this.#to && generation < below)
      .filter(this.#isWanted)
      .sort((a, b) => b.generation - a.generation);
    for (const association of wanted.slice(0, this.#limit)) {
      this.#running.add(association.generation);
      this.found.push({ association, endedAt: undefined, reason: undefined });
    }
    return wanted.length > this.#limit ? this.found.at(-1)?.association.generation : undefined;
  }

  /** The log position below which it goes on, when there is no more room. */
  addEnded(events: readonly ChangeEvent[], below: number): number | undefined {
    for (const event of events) {
      if (event.kind === 'start') this.previousHosts.set(event.seq, event.previousHost);
    }
    for (const event of events) {
      if (event.kind !== 'end' || event.seq >= below) continue;
      const { association, at: endedAt, reason, seq } = event;
      if (association.startedAt > this.#to || endedAt <= this.#from || !this.#isWanted(association)) continue;
      // Ended since it was seen to be on.
      if (this.#running.has(association.generation)) continue;
      if (this.found.length >= this.#limit) return seq + 1;
      this.found.push({ association, endedAt, reason });
    }
    return undefined;
  }
}

/** Undefined for a cursor that `stays` has not written. */
function parsePosition(text: string | undefined): Position | undefined {
  if (text === undefined) return { phase: 'running', below: FURTHER_BELOW };
  const [, running, ended, after] = POSITION.exec(text) ?? [];
  if (running !== undefined) return { phase: 'running', below: Number(running) };
  return ended === undefined
    ? undefined
    : { phase: 'ended', below: Number(ended), after: after === '' ? undefined : after };
}

/** The only number or place in a question that the edge cannot check is its cursor. */
function whileReadable<T>(work: () => Promise<T | Refusal>): Promise<T | Refusal> {
  return whileStoreAnswers(() =>
    work().catch((error: unknown) => {
      if (error instanceof RangeError) return INVALID_CURSOR;
      throw error;
    }),
  );
}
