import type { Clock, Timer } from '../ports.ts';

/** Done at one go; calls come between. */
const SLICE = 200;
/** ms between two. */
const BREAK_MS = 5;

/** Goes through a long list in slices, so that nothing else has to wait. One list at a time: a new one ends the old. */
export class Slices {
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  each<T>(items: readonly T[], work: (item: T) => void): void {
    this.stop();
    this.#from(0, items, work);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #from<T>(start: number, items: readonly T[], work: (item: T) => void): void {
    this.#timer = undefined;
    for (const item of items.slice(start, start + SLICE)) work(item);
    const next = start + SLICE;
    if (next < items.length)
      this.#timer = this.#clock.setTimer(BREAK_MS, () => this.#from(next, items, work));
  }
}
