/** A pending timer; `cancel` is harmless after it fired. */
export interface Timer {
  cancel(): void;
}

/** Time as the engine sees it. Injected, so that tests advance it by hand. */
export interface Clock {
  /** Milliseconds on a monotonic scale of its own. */
  now(): number;
  /** Runs `run` once, `ms` milliseconds from now. */
  setTimer(ms: number, run: () => void): Timer;
}

/** `clock` whose timers cannot throw: what they throw goes to `onError`. For the edge that owns the timers. */
export function guardClock(clock: Clock, onError: (error: Error) => void): Clock {
  const guarded = (run: () => void) => () => {
    try {
      run();
    } catch (error) {
      onError(error as Error);
    }
  };
  return { now: () => clock.now(), setTimer: (ms, run) => clock.setTimer(ms, guarded(run)) };
}

/** The real clock. Node keeps timers of one duration in one list, and SIP has few durations, so this scales. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(ms, run) {
    const handle = setTimeout(run, ms);
    return { cancel: () => clearTimeout(handle) };
  },
};
