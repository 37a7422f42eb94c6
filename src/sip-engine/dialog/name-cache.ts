import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock, Timer } from '../clock.ts';

/** Finds one address of a host name; undefined when there is none. */
export type Lookup = (host: string, done: (address: string | undefined) => void) => void;

const KEEP_MS = 30_000;
const KEEP_FAILURE_MS = 5_000;
/** An operating system's resolver may take minutes; a call cannot. */
const ANSWER_MS = 5_000;

/** Requests that may wait for one name. */
const MAX_WAITING = 1_000;

interface Entry {
  address: string | undefined;
  waiting: ((address: string | undefined) => void)[] | undefined;
  timer?: Timer;
}

/** A and AAAA records of next hops, kept shortly. Bounded: when full, unknown names count as not found. */
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
    else if (entry?.waiting) done(undefined);
    else if (entry) done(entry.address);
    else if (this.#entries.size >= this.#max) done(undefined);
    else this.#ask(name, done);
  }

  #ask(name: string, done: (address: string | undefined) => void): void {
    const entry: Entry = { address: undefined, waiting: [done] };
    this.#entries.set(name, entry);
    entry.timer = this.#clock.setTimer(ANSWER_MS, () => this.#settle(name, entry, undefined));
    this.#lookup(name, (address) => this.#settle(name, entry, address));
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
    const waiting = entry.waiting;
    if (!waiting) return;
    entry.timer?.cancel();
    entry.waiting = undefined;
    entry.address = address;
    const ms = address ? KEEP_MS : KEEP_FAILURE_MS;
    entry.timer = this.#clock.setTimer(ms, () => this.#entries.delete(name));
    for (const done of waiting) done(address);
  }
}

function systemLookup(host: string, done: (address: string | undefined) => void): void {
  lookup(host, (error, address) => done(error ? undefined : address));
}
