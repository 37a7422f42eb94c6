import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock, Timer } from '../clock.ts';

/** Finds one address of a host name; undefined when there is none. */
export type Lookup = (host: string, done: (address: string | undefined) => void) => void;

const KEEP_MS = 30_000;
const KEEP_FAILURE_MS = 5_000;
/** An operating system's resolver may take minutes; a call cannot. */
const ANSWER_MS = 5_000;
/** The same where an address is known of old. */
const ANSWER_AGAIN_MS = 1_000;
/** How long an address of old is better than none: names fail more often than machines move. */
const KEEP_OLD_MS = 24 * 3_600_000;

/** Requests that may wait for one name. */
const MAX_WAITING = 1_000;

interface Entry {
  /** As last found. */
  address: string | undefined;
  /** Nobody has to be asked again yet. */
  fresh: boolean;
  waiting: ((address: string | undefined) => void)[] | undefined;
  timer?: Timer;
}

/**
 * A and AAAA records of next hops, kept shortly; where they cannot be found any more, as they last were. Bounded: when
 * full, what is of old makes room, else unknown names count as not found.
 */
export class NameCache {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #lookup: Lookup;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, max: number, lookupName: Lookup = systemLookup) {
    this.#clock = clock;
    this.#max = max;
    this.#lookup = lookupName;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Answers at once for addresses and cached names, else later. */
  find(host: string, done: (address: string | undefined) => void): void {
    if (isIP(host)) return done(host);
    const name = host.toLowerCase();
    const entry = this.#entries.get(name);
    if (entry?.waiting && entry.waiting.length < MAX_WAITING) entry.waiting.push(done);
    else if (entry?.waiting || entry?.fresh) done(entry.address);
    else if (entry) this.#ask(name, entry, done);
    else if (!this.#hasRoom()) done(undefined);
    else this.#ask(name, { address: undefined, fresh: false, waiting: undefined }, done);
  }

  #hasRoom(): boolean {
    if (this.#entries.size < this.#max) return true;
    for (const [name, { fresh, waiting, timer }] of this.#entries) {
      if (fresh || waiting) continue;
      timer?.cancel();
      return this.#entries.delete(name);
    }
    return false;
  }

  #ask(name: string, entry: Entry, done: (address: string | undefined) => void): void {
    this.#entries.set(name, entry);
    entry.waiting = [done];
    const patience = entry.address === undefined ? ANSWER_MS : ANSWER_AGAIN_MS;
    this.#again(entry, patience, () => this.#settle(name, entry, undefined));
    this.#lookup(name, (address) => this.#found(name, entry, address));
  }

  /** An answer that comes too late is for who asks next. */
  #found(name: string, entry: Entry, address: string | undefined): void {
    if (this.#entries.get(name) !== entry) return;
    if (entry.waiting || address !== undefined) this.#settle(name, entry, address);
  }

  /** Forgets everything; who waits is not told. */
  stop(): void {
    for (const entry of this.#entries.values()) {
      entry.timer?.cancel();
      entry.waiting = undefined;
    }
    this.#entries.clear();
  }

  #settle(name: string, entry: Entry, address: string | undefined): void {
    const waiting = entry.waiting ?? [];
    entry.waiting = undefined;
    entry.address = address ?? entry.address;
    entry.fresh = true;
    this.#again(entry, address ? KEEP_MS : KEEP_FAILURE_MS, () => this.#age(name, entry));
    for (const done of waiting) done(entry.address);
  }

  #age(name: string, entry: Entry): void {
    entry.fresh = false;
    if (entry.address === undefined) this.#entries.delete(name);
    else this.#again(entry, KEEP_OLD_MS, () => this.#entries.delete(name));
  }

  #again(entry: Entry, ms: number, run: () => void): void {
    entry.timer?.cancel();
    entry.timer = this.#clock.setTimer(ms, run);
  }
}

function systemLookup(host: string, done: (address: string | undefined) => void): void {
  lookup(host, (error, address) => done(error ? undefined : address));
}
