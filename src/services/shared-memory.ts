import type { SharedEntry, SharedLoading } from '../store/store.ts';
import { NameGroups } from './name-groups.ts';
import type { Log } from './ports.ts';

/** What a node has put; the value undefined: removed. */
export type SharedPut = SharedEntry;

interface Slot {
  /** As the store has it. */
  stored: SharedEntry | undefined;
  /** Put here and not known to be in the store: it goes before. */
  own: SharedPut | undefined;
  /** Which of the loads last had it in a page. */
  load: number;
}

export interface SharedMemoryDependencies {
  /** The store's clock, ms since 1970. */
  now(): number;
  readonly log: Log;
}

/** Lapsed entries are looked for when there are more than this, and each time their number has doubled. */
const FEW = 1_000;
/** The shared entries as this node knows them: what the store says, and before it what this node is about to say. */
export class SharedMemory {
  readonly #deps: SharedMemoryDependencies;
  readonly #listeners = new Set<(name: string) => void>();
  readonly #slots = new Map<string, Slot>();
  readonly #groups = new NameGroups();
  /** Writes of this node that have not come back yet: older ones of the same name that still come are old news. */
  readonly #ahead = new Map<string, number>();
  /** Of the last write that was heard of. */
  #position = 0;
  /** Number of loads so far. */
  #load = 0;
  #sweepAt = FEW;

  constructor(deps: SharedMemoryDependencies) {
    this.#deps = deps;
  }

  /** Names known, some of them lapsed. */
  get size(): number {
    return this.#slots.size;
  }

  get(name: string): unknown {
    return this.#valueIn(this.#slots.get(name));
  }

  *entries(prefix: string): Iterable<readonly [name: string, value: unknown]> {
    for (const name of this.#groups.named(prefix) ?? this.#slots.keys()) {
      const value = name.startsWith(prefix) ? this.get(name) : undefined;
      if (value !== undefined) yield [name, value];
    }
  }

  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** This node's put: counts at once, whatever the store says of the name, until it is settled. */
  put(name: string, put: SharedPut): void {
    this.#changeAndTell(name, { own: put });
  }

  /** Until when a removal has to hide what it removes; ms since 1970. */
  expiryOf(name: string): number {
    const slot = this.#slots.get(name);
    return Math.max(slot?.own?.expiresAt ?? 0, slot?.stored?.expiresAt ?? 0);
  }

  /** The store has taken the put as its write at this position. */
  written(name: string, put: SharedPut, position: number): void {
    const isNews = position > this.#position;
    if (isNews) {
      // At the end, so that they stay in the order of their positions.
      this.#ahead.delete(name);
      this.#ahead.set(name, position);
    }
    this.#settle(name, put, isNews);
  }

  /** The store will not be told of the put: it counts here until the store says something else. */
  givenUp(name: string, put: SharedPut): void {
    this.#settle(name, put, true);
  }

  /** The put's time is over. */
  lapsed(name: string, put: SharedPut): void {
    this.#settle(name, put, false);
  }

  /** The store's entries, which replace all but what the store is yet to be told; page by page. */
  load(position: number): SharedLoading {
    const load = ++this.#load;
    this.#ahead.clear();
    this.#position = position;
    return {
      page: (entries) => {
        // What was written since the load began comes again from the stream, and later writes after it.
        for (const [name, stored] of entries)
          if (!this.#ahead.has(name)) this.#changeAndTell(name, { stored, load });
      },
      done: () => {
        for (const [name, slot] of [...this.#slots]) {
          const isThere = slot.load === load || this.#ahead.has(name);
          if (slot.stored && !isThere) this.#changeAndTell(name, { stored: undefined });
        }
      },
    };
  }

  /** A write of any node, in the order of the store. */
  told(name: string, entry: SharedEntry | undefined, position: number): void {
    const isOld = position < (this.#ahead.get(name) ?? 0);
    this.#position = position;
    this.#forgetAhead(position);
    if (isOld) return;
    this.#changeAndTell(name, { stored: entry });
  }

  #forgetAhead(position: number): void {
    for (const [name, written] of this.#ahead) {
      if (written > position) return;
      this.#ahead.delete(name);
    }
  }

  #settle(name: string, put: SharedPut, asStored: boolean): void {
    const isNewest = this.#slots.get(name)?.own === put;
    const stored = put.value === undefined ? undefined : put;
    const change = { ...(isNewest && { own: undefined }), ...(asStored && { stored }) };
    this.#changeAndTell(name, change);
  }

  #changeAndTell(name: string, change: Partial<Slot>): void {
    const slot = this.#slotOf(name);
    const before = this.#valueIn(slot);
    Object.assign(slot, change);
    if (!slot.stored && !slot.own) this.#forget(name);
    if (!isSame(before, this.#valueIn(slot))) this.#tell(name);
  }

  #slotOf(name: string): Slot {
    const known = this.#slots.get(name);
    if (known) return known;
    if (this.#slots.size >= this.#sweepAt) this.#sweep();
    const slot: Slot = { stored: undefined, own: undefined, load: 0 };
    this.#slots.set(name, slot);
    this.#groups.add(name);
    return slot;
  }

  #sweep(): void {
    const now = this.#deps.now();
    const isOver = (entry: SharedEntry | undefined): boolean => !entry || entry.expiresAt <= now;
    for (const [name, { stored, own }] of this.#slots) if (isOver(stored) && isOver(own)) this.#forget(name);
    this.#sweepAt = Math.max(FEW, 2 * this.#slots.size);
  }

  #forget(name: string): void {
    this.#slots.delete(name);
    this.#groups.remove(name);
  }

  #valueIn(slot: Slot | undefined): unknown {
    const now = this.#deps.now();
    const entry = slot?.own && slot.own.expiresAt > now ? slot.own : slot?.stored;
    return entry && entry.expiresAt > now ? entry.value : undefined;
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) {
      try {
        listener(name);
      } catch (error) {
        this.#deps.log.error({ err: error, name }, 'a listener failed on a shared entry');
      }
    }
  }
}

/** Whether two JSON values are equal. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!isObject(one) || !isObject(other) || Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
