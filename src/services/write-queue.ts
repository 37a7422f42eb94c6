import type { Refusal } from '../domain/reasons.ts';
import type { Clock } from './ports.ts';

const MOST_WAITING = 1_000;
/** ms after which whoever waits has gone, or should. */
const PATIENCE = 10_000;
const FULL: Refusal = { refused: 'overloaded', detail: 'too many changes at once' };

/** Does one thing after the other, in the order asked for: work that would only get in its own way side by side. */
export class WriteQueue {
  readonly #clock: Clock;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Settles as the work does; refused with overloaded when a thousand wait, or when its turn takes 10 s to come. */
  run<T>(work: () => Promise<T>): Promise<T | Refusal> {
    if (this.#waiting >= MOST_WAITING) return Promise.resolve(FULL);
    this.#waiting++;
    const asked = this.#clock.now();
    const result = this.#last.then<T | Refusal>(() => {
      this.#waiting--;
      return this.#clock.now() - asked > PATIENCE ? FULL : work();
    });
    this.#last = result.catch(() => undefined);
    return result;
  }
}
