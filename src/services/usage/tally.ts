import type { Association, ChangeEvent } from '../../domain/association.ts';
import type { Period } from './period.ts';

/** Adds up who sat where from the change log, entry by entry, the newest first. Times in ms since 1970. */

interface Span {
  readonly start: number;
  readonly end: number;
}

/** What has been added up. */
export interface Totals {
  /** By hour of the period: ms that desks were in use, and most at once. */
  readonly occupied: Float64Array;
  readonly peaks: Int32Array;
  /** By day of the period. */
  readonly logIns: Int32Array;
  readonly sites: ReadonlyMap<string, Use & { readonly peak: number }>;
  readonly hosts: ReadonlyMap<string, Use>;
  readonly stays: Lengths;
}

export interface Use {
  readonly occupied: number;
  readonly logIns: number;
}

export interface Lengths {
  /** Stays that have ended in the period. */
  readonly count: number;
  /** ms; undefined: there were none. */
  readonly average: number | undefined;
  /** ms, to the minute. */
  readonly median: number | undefined;
}

interface Site {
  occupied: number;
  logIns: number;
  readonly level: Level;
}

const MINUTE_MS = 60_000;
/** The longest limit is 999 hours; what is longer counts as that long in the median. */
const LONGEST_MINUTES = 1_000 * 60;

/** What is counted: entries whose association is wanted, up to `until`. */
export interface TallyOptions {
  readonly period: Period;
  /** Nothing is known of later times. */
  readonly until: number;
  readonly isWanted: (association: Association) => boolean;
}

export class Tally {
  readonly #options: TallyOptions;
  readonly #occupied: Float64Array;
  readonly #logIns: Int32Array;
  readonly #level: Level;
  readonly #sites = new Map<string, Site>();
  readonly #hosts = new Map<string, { occupied: number; logIns: number }>();
  /** Generations whose end was read, and not yet the start. */
  readonly #ended = new Set<number>();
  /** Generations whose start was read, and no end. */
  readonly #running = new Set<number>();
  readonly #minutes = new Uint32Array(LONGEST_MINUTES + 1);
  #stays = 0;
  #lengths = 0;

  constructor(options: TallyOptions) {
    const { period, until } = options;
    this.#options = options;
    this.#occupied = new Float64Array(period.hours.length);
    this.#logIns = new Int32Array(period.days.length);
    this.#level = new Level(period.hours, until);
  }

  /** The next older entry of the log. */
  take(event: ChangeEvent): void {
    if (event.kind !== 'start' && event.kind !== 'end') return;
    const { association, at } = event;
    if (!this.#options.isWanted(association)) return;
    const site = this.#site(association.site);
    if (event.kind === 'end') this.#takeEnd(association, at, site);
    else this.#takeStart(association, at, site);
  }

  /** `running`: who sat somewhere when the reading began; of some of them the log was not read back to the start. */
  finish(running: readonly Association[]): Totals {
    for (const association of running) {
      const { generation, site } = association;
      if (this.#ended.has(generation) || this.#running.has(generation)) continue;
      if (!this.#options.isWanted(association)) continue;
      this.#stillThere(association, this.#site(site));
    }
    const sites = [...this.#sites].map(([id, { level, occupied, logIns }]) => {
      const [peak = 0] = level.finish();
      return [id, { occupied, logIns, peak }] as const;
    });
    return {
      occupied: this.#occupied,
      peaks: this.#level.finish(),
      logIns: this.#logIns,
      sites: new Map(sites),
      hosts: this.#hosts,
      stays: this.#lengthsOfStays(),
    };
  }

  #takeEnd(association: Association, at: number, site: Site): void {
    const { generation, startedAt } = association;
    this.#ended.add(generation);
    this.#move(site, at, 1);
    this.#occupy(association, at, site);
    const { period, until } = this.#options;
    if (at < period.from || at >= until) return;
    const length = Math.max(0, at - startedAt);
    const minutes = Math.min(LONGEST_MINUTES, Math.round(length / MINUTE_MS));
    this.#minutes[minutes] = (this.#minutes[minutes] ?? 0) + 1;
    this.#stays += 1;
    this.#lengths += length;
  }

  #takeStart(association: Association, at: number, site: Site): void {
    const { generation, host } = association;
    if (!this.#ended.delete(generation)) {
      this.#running.add(generation);
      this.#stillThere(association, site);
    }
    this.#move(site, at, -1);
    const { period, until } = this.#options;
    if (at < period.from || at >= until) return;
    const day = period.hours[indexAt(period.hours, at)]?.day;
    if (day === undefined) return;
    this.#logIns[day] = (this.#logIns[day] ?? 0) + 1;
    site.logIns += 1;
    this.#host(host).logIns += 1;
  }

  #stillThere(association: Association, site: Site): void {
    this.#level.base += 1;
    site.level.base += 1;
    this.#occupy(association, this.#options.until, site);
  }

  #move(site: Site, at: number, step: number): void {
    this.#level.move(at, step);
    site.level.move(at, step);
  }

  /** Adds the part of a stay that lies in the period to the hours it lies in. */
  #occupy({ startedAt, host }: Association, endedAt: number, site: Site): void {
    const { period, until } = this.#options;
    const start = Math.max(startedAt, period.from);
    const end = Math.min(endedAt, until);
    if (end <= start) return;
    eachSpan(period.hours, { start, end }, (index, ms) => {
      this.#occupied[index] = (this.#occupied[index] ?? 0) + ms;
    });
    site.occupied += end - start;
    this.#host(host).occupied += end - start;
  }

  #site(id: string): Site {
    const { period, until } = this.#options;
    const known = this.#sites.get(id);
    if (known) return known;
    const whole = [{ start: period.from, end: Math.max(period.from, until) }];
    const site = { occupied: 0, logIns: 0, level: new Level(whole, until) };
    this.#sites.set(id, site);
    return site;
  }

  #host(id: string): { occupied: number; logIns: number } {
    const host = this.#hosts.get(id) ?? { occupied: 0, logIns: 0 };
    this.#hosts.set(id, host);
    return host;
  }

  #lengthsOfStays(): Lengths {
    const count = this.#stays;
    if (count === 0) return { count, average: undefined, median: undefined };
    const [low, high] = [Math.floor((count - 1) / 2), Math.floor(count / 2)];
    const median = ((this.#minutesAt(low) + this.#minutesAt(high)) / 2) * MINUTE_MS;
    return { count, average: this.#lengths / count, median };
  }

  /** Of the stay that has so many shorter ones before it. */
  #minutesAt(place: number): number {
    let before = 0;
    return this.#minutes.findIndex((stays) => {
      before += stays;
      return before > place;
    });
  }
}

/**
 * How many at once, followed back in time. It begins at nought, whatever the number was: `base` is how many there were,
 * known only in the end.
 */
class Level {
  base = 0;
  readonly #spans: readonly Span[];
  readonly #peaks: Int32Array;
  #level = 0;
  #at: number;

  constructor(spans: readonly Span[], until: number) {
    this.#spans = spans;
    this.#peaks = new Int32Array(spans.length).fill(-(2 ** 30));
    this.#at = until;
  }

  move(at: number, step: number): void {
    this.#hold(at);
    this.#level += step;
  }

  /** By span, never below nought. */
  finish(): Int32Array {
    this.#hold(Number.NEGATIVE_INFINITY);
    return this.#peaks.map((peak) => Math.max(0, peak + this.base));
  }

  /** It was like this from `at` until what was told before. */
  #hold(at: number): void {
    const start = Math.max(at, this.#spans[0]?.start ?? 0);
    eachSpan(this.#spans, { start, end: this.#at }, (index) => {
      this.#peaks[index] = Math.max(this.#peaks[index] ?? 0, this.#level);
    });
    this.#at = Math.min(this.#at, at);
  }
}

/** The spans that a time reaches into, with how many ms of it. */
function eachSpan(spans: readonly Span[], time: Span, take: (index: number, ms: number) => void): void {
  if (time.end <= time.start) return;
  for (let index = Math.max(0, indexAt(spans, time.start)); index < spans.length; index++) {
    const span = spans[index];
    if (!span || span.start >= time.end) return;
    const ms = Math.min(span.end, time.end) - Math.max(span.start, time.start);
    if (ms > 0) take(index, ms);
  }
}

/** The last span that begins at this time or before; -1 for none. */
function indexAt(spans: readonly Span[], time: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.start ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
