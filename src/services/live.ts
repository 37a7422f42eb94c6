import type { ChangeEvent } from '../domain/association.ts';
import type { Refusal } from '../domain/reasons.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { LocalView } from './local-view.ts';
import type { Timers } from './ports.ts';

export interface LiveDependencies {
  readonly store: Pick<Store, 'history'>;
  readonly view: Pick<LocalView, 'onChange'>;
  readonly timers: Timers;
}

/** Somebody who watches. */
export interface Watcher {
  /** False: cannot keep up, and is to go. */
  event(event: ChangeEvent): boolean;
  /** What was missed is too much to tell: everything is to be read anew. */
  missed(): boolean;
  /** Still there? */
  ping(): boolean;
  close(): void;
}

const MOST_WATCHERS = 200;
const PING_MS = 15_000;
const PAGE = 500;
/** Of what somebody missed while they were away. */
const MOST_MISSED = 2_000;

/** Tells of each change as it happens, to a limited number of watchers; one who cannot keep up is let go. */
export class Live {
  readonly #deps: LiveDependencies;
  readonly #watchers = new Set<Watching>();
  #unsubscribe: (() => void) | undefined;
  #timer: { cancel(): void } | undefined;

  constructor(deps: LiveDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#unsubscribe ??= this.#deps.view.onChange((event) => {
      for (const watching of [...this.#watchers]) if (!watching.take(event)) this.#drop(watching);
    });
    this.#timer ??= this.#ping();
  }

  /** Nobody watches any more. */
  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const watching of [...this.#watchers]) this.#drop(watching);
  }

  /**
   * Tells this watcher of all changes after log position `after`, or from now on; the function given ends it. Refused
   * with overloaded, when there are too many, or storeUnavailable.
   */
  async watch(watcher: Watcher, after?: number): Promise<(() => void) | Refusal> {
    if (this.#watchers.size >= MOST_WATCHERS || !this.#unsubscribe) return { refused: 'overloaded' };
    const watching = new Watching(watcher, after !== undefined);
    this.#watchers.add(watching);
    const missed = after === undefined ? [] : await this.#since(after);
    if (missed === 'away') {
      this.#watchers.delete(watching);
      return { refused: 'storeUnavailable' };
    }
    if (this.#watchers.has(watching) && !watching.catchUp(missed)) this.#drop(watching);
    return () => void this.#watchers.delete(watching);
  }

  /** Somebody has signed out: whoever may watch no more goes now, not at the next ping. */
  look(): void {
    for (const watching of [...this.#watchers]) if (!watching.watcher.ping()) this.#drop(watching);
  }

  #ping(): { cancel(): void } {
    return this.#deps.timers.setTimer(PING_MS, () => {
      this.look();
      this.#timer = this.#ping();
    });
  }

  #drop(watching: Watching): void {
    this.#watchers.delete(watching);
    watching.watcher.close();
  }

  /** Oldest first; undefined: too many, or forgotten. */
  async #since(seq: number): Promise<ChangeEvent[] | 'away' | undefined> {
    const found: ChangeEvent[] = [];
    let after: string | undefined;
    try {
      while (found.length < MOST_MISSED) {
        const { events, next } = await this.#deps.store.history({ limit: PAGE, after });
        const newer = events.filter((event) => event.seq > seq);
        found.push(...newer);
        if (newer.length < events.length || next === undefined)
          return newer.length < events.length || seq === 0 ? found.reverse() : undefined;
        after = next;
      }
      return undefined;
    } catch (error) {
      if (error instanceof StoreUnavailable) return 'away';
      throw error;
    }
  }
}

class Watching {
  readonly watcher: Watcher;
  /** What happens while the past is read; undefined: nothing is read. */
  #waiting: ChangeEvent[] | undefined;

  constructor(watcher: Watcher, isBehind: boolean) {
    this.watcher = watcher;
    this.#waiting = isBehind ? [] : undefined;
  }

  take(event: ChangeEvent): boolean {
    if (!this.#waiting) return this.watcher.event(event);
    this.#waiting.push(event);
    return this.#waiting.length <= MOST_MISSED;
  }

  catchUp(missed: readonly ChangeEvent[] | undefined): boolean {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    const told = missed?.at(-1)?.seq ?? 0;
    const since = waiting.filter(({ seq }) => seq > told);
    const isWell =
      missed === undefined ? this.watcher.missed() : missed.every((event) => this.watcher.event(event));
    return isWell && since.every((event) => this.watcher.event(event));
  }
}
