import type { Timers } from './ports.ts';

/** Nodes read a change within some ms of its being written. */
const PATIENCE_MS = 1_000;

/** Log position of the last directory change in use, which others wait for. */
export class VersionInUse {
  readonly #timers: Timers;
  /** Called when another version is in use. */
  readonly #waits = new Set<() => void>();
  #value = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get value(): number {
    return this.#value;
  }

  use(version: number): void {
    this.#value = version;
    for (const settle of this.#waits) settle();
  }

  /** Resolves when this version, or a later one, is in use; with false after `patienceMs` without it. */
  when(version: number, patienceMs: number = PATIENCE_MS): Promise<boolean> {
    if (this.#value >= version) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (isLate: boolean): void => {
        const isThere = this.#value >= version;
        if (!isThere && !isLate) return;
        timer.cancel();
        this.#waits.delete(look);
        resolve(isThere);
      };
      const look = (): void => settle(false);
      const timer = this.#timers.setTimer(patienceMs, () => settle(true));
      this.#waits.add(look);
    });
  }
}
