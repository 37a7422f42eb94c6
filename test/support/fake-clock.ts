import type { Clock, Timer } from '../../src/sip-engine/clock.ts';

interface Entry {
  at: number;
  order: number;
  run: () => void;
}

/** Time that passes only when told to. Timers run in order of their due time, then of their creation. */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #entries = new Set<Entry>();

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, run: () => void): Timer {
    const entry = { at: this.#now + ms, order: this.#order++, run };
    this.#entries.add(entry);
    return { cancel: () => void this.#entries.delete(entry) };
  }

  /** How many timers are waiting. */
  get pending(): number {
    return this.#entries.size;
  }

  /** Lets `ms` milliseconds pass, running what falls due, timers set meanwhile included. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#nextBefore(end); next !== undefined; next = this.#nextBefore(end)) {
      this.#entries.delete(next);
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }

  #nextBefore(end: number): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.at > end) continue;
      const earlier =
        next === undefined || entry.at < next.at || (entry.at === next.at && entry.order < next.order);
      if (earlier) next = entry;
    }
    return next;
  }
}
