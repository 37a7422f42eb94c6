import type { Clock } from './ports.ts';

/** What somebody else answers, unless they take longer than `ms`, fail, or throw at once: then undefined. */
export function soon<T>(clock: Clock, ms: number, ask: () => Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const patience = clock.setTimer(ms, () => resolve(undefined));
    const settle = (answer: T | undefined): void => {
      patience.cancel();
      resolve(answer);
    };
    Promise.resolve()
      .then(ask)
      .then(settle, () => settle(undefined));
  });
}
