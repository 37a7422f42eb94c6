/** Lets so many run at once; the others wait in the order they came. */
export class Lane {
  readonly #room: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(room: number) {
    this.#room = room;
  }

  /** Does it when there is room, or not at all when the signal ends the wait. Rejects with what `work` rejects with. */
  async run(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    if (!(await this.#enter(signal))) return;
    try {
      await work();
    } finally {
      this.#leave();
    }
  }

  #enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#running < this.#room) {
      this.#running++;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const end = (): void => {
        this.#waiting.delete(enter);
        resolve(false);
      };
      const enter = (): void => {
        signal.removeEventListener('abort', end);
        resolve(true);
      };
      this.#waiting.add(enter);
      signal.addEventListener('abort', end, { once: true });
    });
  }

  /** The place goes to who waits longest, or is free. */
  #leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
