import type { Timers } from '../ports.ts';

/** Resolves after `ms`, or at once on abort. */
export function pause(timers: Timers, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = timers.setTimer(ms, end);
    signal.addEventListener('abort', end, { once: true });
  });
}
