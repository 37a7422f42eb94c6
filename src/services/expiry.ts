import type { Store } from '../store/store.ts';
import type { Log, Timers } from './ports.ts';

const LONGEST_SLEEP_MS = 1_000;
/** A store that comes back finds its deadlines met soon. */
const AWAY_SLEEP_MS = 250;
/** When something is due but cannot be ended, look again, but not in a tight loop. */
const STUCK_SLEEP_MS = 20;
const BATCH = 100;

export interface ExpiryDependencies {
  readonly store: Pick<Store, 'claimDue'>;
  readonly timers: Timers;
  readonly log: Log;
}

/** Ends associations at their deadline (rule A4). Every node does this; each expiry happens once all the same. */
export class Expiry {
  readonly #deps: ExpiryDependencies;
  #timer: { cancel(): void } | undefined;
  #running = false;
  #sweep: Promise<void> = Promise.resolve();
  #storeAway = false;

  constructor(deps: ExpiryDependencies) {
    this.#deps = deps;
  }

  /** Sweeps at once and from then on. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#sweepAndSleep();
  }

  /** Resolves when no sweep is under way any more. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#sweep;
  }

  #sweepAndSleep(): void {
    this.#sweep = this.#sweepOnce().then((sleep) => {
      if (this.#running) this.#timer = this.#deps.timers.setTimer(sleep, () => this.#sweepAndSleep());
    });
  }

  /** How long to sleep afterwards, in ms. */
  async #sweepOnce(): Promise<number> {
    try {
      const { ended, nextDeadline, now } = await this.#deps.store.claimDue(BATCH);
      this.#storeAway = false;
      if (nextDeadline === undefined) return LONGEST_SLEEP_MS;
      const shortest = ended > 0 ? 0 : STUCK_SLEEP_MS;
      return Math.min(LONGEST_SLEEP_MS, Math.max(shortest, nextDeadline - now));
    } catch (error) {
      if (!this.#storeAway) this.#deps.log.warn({ err: error }, 'expiry waits for the store');
      this.#storeAway = true;
      return AWAY_SLEEP_MS;
    }
  }
}
