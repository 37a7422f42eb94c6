/** Keeps callers from waiting for a store that does not answer: after some time-outs they fail at once for a while. */
export interface Breaker {
  /** Whether a call would be let through now. */
  readonly closed: boolean;
  /** Takes a permission to call; false: fail at once. Each true is followed by one `succeeded` or `timedOut`. */
  enter(): boolean;
  succeeded(): void;
  timedOut(): void;
}

/** Closed until `timeouts` in a row; then open for `openMs`; then one call decides. */
export function createBreaker(options: {
  readonly clock: { now(): number };
  readonly timeouts: number;
  readonly openMs: number;
}): Breaker {
  let inARow = 0;
  let openUntil = 0;
  let probing = false;
  const tripped = () => inARow >= options.timeouts;
  // A clock set back must not keep it open for longer than meant.
  const waiting = () => {
    const left = openUntil - options.clock.now();
    return left > 0 && left <= options.openMs;
  };
  return {
    get closed() {
      return !tripped() || !(waiting() || probing);
    },
    enter() {
      if (!tripped()) return true;
      if (waiting() || probing) return false;
      probing = true;
      return true;
    },
    succeeded() {
      inARow = 0;
      probing = false;
    },
    timedOut() {
      inARow += 1;
      probing = false;
      if (tripped()) openUntil = options.clock.now() + options.openMs;
    },
  };
}
