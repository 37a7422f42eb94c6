import type { Association } from '../../domain/association.ts';
import type { Directory } from '../../domain/directory.ts';
import type { Refusal } from '../../domain/reasons.ts';
import type { View } from '../../domain/view.ts';
import type { Store } from '../../store/store.ts';
import { whileStoreAnswers } from '../while-store-answers.ts';
import { type Period, periodOf } from './period.ts';
import { Tally, type Totals } from './tally.ts';

export interface UsageDependencies {
  readonly store: Pick<Store, 'history'>;
  readonly view: Pick<View, 'directory' | 'associationAt'> & {
    /** The store's clock, ms since 1970. */
    now(): number;
  };
}

export interface UsageQuery {
  /** First and last day, `YYYY-MM-DD`. */
  readonly from: string;
  readonly to: string;
  /** One site; absent: all of those below. */
  readonly site?: string | undefined;
  /** Whose sites. */
  readonly sites: ReadonlySet<string> | 'all';
}

/** Numbers of desks are averages over time. */
export interface UsageReport {
  readonly period: Pick<Period, 'timeZone' | 'days'>;
  /** Phones one can log in at, as it is now. */
  readonly desks: number;
  /** The log does not go back further, or was not read further; ms since 1970. Undefined: all of it is in. */
  readonly recordedFrom: number | undefined;
  /** By what clocks show, 0–23; average undefined: that hour has not come yet. */
  readonly hours: readonly { readonly average: number | undefined; readonly peak: number }[];
  readonly days: readonly { readonly logIns: number; readonly peak: number }[];
  readonly sites: readonly SiteUse[];
  /** The most used first. */
  readonly busiest: readonly { readonly host: string; readonly ms: number; readonly logIns: number }[];
  readonly logIns: number;
  readonly average: number | undefined;
  readonly peak: number;
  readonly stays: Totals['stays'];
}

export interface SiteUse {
  readonly site: string;
  readonly desks: number;
  readonly average: number | undefined;
  readonly peak: number;
  readonly logIns: number;
}

/** Days of one question. */
export const MAX_DAYS = 92;
/** Entries of the log looked at in one go: between two of them everything else has its turn. */
const SLICE = 400;
/** What one question may take, in ms and in entries. */
const MAX_MS = 15_000;
const MAX_SLICES = 2_500;
const KEPT_MS = 60_000;
const MOST_KEPT = 50;
const AT_ONCE = 2;
const BUSIEST = 10;
/** The log's own time of an entry may be so much later than the one in it, in ms. */
const EARLY_MS = 1_000;

interface Kept {
  readonly at: number;
  readonly report: Promise<UsageReport | Refusal>;
}

/** How much desks are used, from the change log. */
export class Usage {
  readonly #deps: UsageDependencies;
  readonly #kept = new Map<string, Kept>();
  #running = 0;

  constructor(deps: UsageDependencies) {
    this.#deps = deps;
  }

  /**
   * Who asks for the same again within a minute gets the same. Refused with stateUnknown, unknownSite, storeUnavailable
   * and overloaded. @throws RangeError for what is no day
   */
  report(query: UsageQuery): Promise<UsageReport | Refusal> {
    const { from, to, site = '', sites } = query;
    const key = JSON.stringify([from, to, site, sites === 'all' ? 'all' : [...sites].sort()]);
    const now = this.#deps.view.now();
    const kept = this.#kept.get(key);
    if (kept && now - kept.at < KEPT_MS && now >= kept.at) return kept.report;
    if (this.#running >= AT_ONCE) return Promise.resolve({ refused: 'overloaded' });
    const report = this.#make(query);
    this.#keep(key, { at: now, report });
    return report;
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    const forget = (): void => {
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
    };
    kept.report.then((report) => 'refused' in report && forget(), forget);
  }

  async #make(query: UsageQuery): Promise<UsageReport | Refusal> {
    this.#running += 1;
    try {
      return await whileStoreAnswers(() => this.#read(query));
    } finally {
      this.#running -= 1;
    }
  }

  async #read(query: UsageQuery): Promise<UsageReport | Refusal> {
    const { view } = this.#deps;
    const { directory } = view;
    if (!directory) return { refused: 'stateUnknown' };
    const { site } = query;
    const mine = (id: string): boolean => query.sites === 'all' || query.sites.has(id);
    if (site !== undefined && !(directory.sites.has(site) && mine(site))) return { refused: 'unknownSite' };
    const isWanted = (id: string): boolean => (site === undefined ? mine(id) : id === site);
    const desks = desksOf(directory, isWanted);
    const period = periodOf(query.from, query.to, zoneOf(directory, desks));
    const now = view.now();
    const until = Math.max(period.from, Math.min(now, period.to));
    const running = runningIn(directory, view);
    const tally = new Tally({ period, until, isWanted: (association) => isWanted(association.site) });
    const recordedFrom = await this.#readLog(period.from, tally);
    return reportOf({ period, until, desks, recordedFrom, totals: tally.finish(running) });
  }

  /** Says from when on it is complete, when that is later than was asked for. */
  async #readLog(from: number, tally: Tally): Promise<number | undefined> {
    const { store, view } = this.#deps;
    const deadline = view.now() + MAX_MS;
    let after: string | undefined;
    let oldest = view.now();
    for (let slices = 0; slices < MAX_SLICES && view.now() < deadline; slices++) {
      const page = await store.history({ from: from - EARLY_MS, limit: SLICE, after });
      for (const event of page.events) tally.take(event);
      oldest = page.events.at(-1)?.at ?? oldest;
      if (page.next === undefined) return (await this.#hasOlder(from)) ? undefined : Math.max(from, oldest);
      after = page.next;
    }
    return Math.max(from, oldest);
  }

  async #hasOlder(from: number): Promise<boolean> {
    const { events, next } = await this.#deps.store.history({ to: from - EARLY_MS, limit: 1 });
    return events.length > 0 || next !== undefined;
  }
}

/** Phones one can log in at, by site. */
function desksOf(directory: Directory, isWanted: (site: string) => boolean): ReadonlyMap<string, number> {
  const desks = new Map<string, number>();
  for (const id of directory.sites.keys()) if (isWanted(id)) desks.set(id, 0);
  for (const { site, enabled } of directory.hosts.values()) {
    const known = desks.get(site);
    if (enabled && known !== undefined) desks.set(site, known + 1);
  }
  return desks;
}

/** The zone in which most of these phones stand. */
function zoneOf({ sites }: Directory, desks: ReadonlyMap<string, number>): string {
  const byZone = new Map<string, number>();
  for (const [id, count] of desks) {
    const zone = sites.get(id)?.timeZone ?? 'UTC';
    byZone.set(zone, (byZone.get(zone) ?? 0) + count);
  }
  const [most] = [...byZone].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? 'UTC';
}

function runningIn(directory: Directory, view: Pick<View, 'associationAt'>): Association[] {
  return [...directory.hosts.keys()].flatMap((id) => view.associationAt(id) ?? []);
}

interface Found {
  readonly period: Period;
  readonly until: number;
  readonly desks: ReadonlyMap<string, number>;
  readonly recordedFrom: number | undefined;
  readonly totals: Totals;
}

function reportOf({ period, until, desks, recordedFrom, totals }: Found): UsageReport {
  const { timeZone, days } = period;
  const known = { start: recordedFrom ?? period.from, end: until };
  const elapsed = Math.max(0, known.end - known.start);
  const peaks = days.map(() => 0);
  period.hours.forEach(({ day }, index) => {
    peaks[day] = Math.max(peaks[day] ?? 0, totals.peaks[index] ?? 0);
  });
  const most = Math.max(0, ...peaks);
  const averageOf = (ms: number, peak: number): number | undefined =>
    elapsed === 0 ? undefined : Math.min(peak, ms / elapsed);
  const isKnown = (index: number): boolean => (period.hours[index]?.end ?? 0) > known.start;
  return {
    period: { timeZone, days },
    desks: sum(desks.values()),
    recordedFrom,
    hours: byClock(period, known, totals),
    days: peaks.map((peak, day) => ({ peak, logIns: totals.logIns[day] ?? 0 })),
    sites: [...desks].map(([site, count]) => {
      const { occupied = 0, peak = 0, logIns = 0 } = totals.sites.get(site) ?? {};
      return { site, desks: count, average: averageOf(occupied, peak), peak, logIns };
    }),
    busiest: busiestOf(totals),
    logIns: sum(totals.logIns),
    average: averageOf(sum(totals.occupied.filter((_, index) => isKnown(index))), most),
    peak: most,
    stays: totals.stays,
  };
}

/** What is not known yet, or any more, is no time at which desks stood empty. */
function byClock(
  { hours }: Period,
  known: { readonly start: number; readonly end: number },
  { occupied, peaks }: Totals,
): UsageReport['hours'] {
  const clock = Array.from({ length: 24 }, () => ({ occupied: 0, elapsed: 0, peak: 0 }));
  hours.forEach(({ hour, start, end }, index) => {
    const slot = clock[hour];
    if (!slot) return;
    const elapsed = Math.min(end, known.end) - Math.max(start, known.start);
    if (elapsed <= 0) return;
    slot.occupied += occupied[index] ?? 0;
    slot.elapsed += elapsed;
    slot.peak = Math.max(slot.peak, peaks[index] ?? 0);
  });
  return clock.map(({ occupied: ms, elapsed, peak }) => ({
    // Of an hour that was half over when the log begins, all that is known is counted.
    average: elapsed === 0 ? undefined : Math.min(peak, ms / elapsed),
    peak,
  }));
}

function busiestOf({ hosts }: Totals): UsageReport['busiest'] {
  return [...hosts]
    .map(([host, { occupied, logIns }]) => ({ host, ms: occupied, logIns }))
    .filter(({ ms, logIns }) => ms > 0 || logIns > 0)
    .sort((a, b) => b.ms - a.ms || b.logIns - a.logIns || (a.host < b.host ? -1 : 1))
    .slice(0, BUSIEST);
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
