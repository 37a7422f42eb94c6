import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import type { Clock, Timers } from '../services/ports.ts';

/** What every part of a starting server is made with. */
export interface Running {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock & Timers;
  /** Names this node among others. */
  readonly node: string;
  /** Starts a part and notes how to stop it. */
  up<T extends { start(): unknown; stop(): unknown }>(part: T): Promise<T>;
  /** Notes how to take something down that is up; last first. */
  onStop(takeDown: () => unknown): void;
  /** Logs what an operator should know. */
  problem(text: string, detail?: object): void;
}

/**
 * The clock of this node, ms since 1970 as it was at the start and steady from then on: nobody's setting of the system's
 * clock ends an association early, keeps a timer waiting or makes a nonce good for ever. How far it is from the store's
 * clock is measured all the time.
 */
export const steadyClock: Clock & Timers = {
  now: () => Math.floor(performance.timeOrigin + performance.now()),
  setTimer(ms, run) {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
