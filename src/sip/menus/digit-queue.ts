import type { DigitSource } from '../../media/media.ts';
import type { Clock, Timer } from '../ports.ts';

/** ms to wait for the first digit of a field. */
const FIRST_DIGIT = 12_000;
/** ms between digits; some phones space INFO digits 5 s apart. */
const NEXT_DIGIT = 4_000;
const NEXT_DIGIT_BY_INFO = 7_000;
/** Digits kept that nobody has asked for yet: two fields typed ahead in one burst. */
const MAX_QUEUED = 64;

export interface Collection {
  readonly maxDigits: number;
  readonly signal: AbortSignal;
  enough?(digits: string): boolean;
  onFirst(): void;
}

/** Digits from the first packet of the call on, handed out field by field: a burst may hold several fields. */
export class DigitQueue {
  readonly #clock: Clock;
  readonly #waiting: string[] = [];
  #byInfo = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  push(digit: string, source: DigitSource): void {
    if (source === 'info') this.#byInfo = true;
    if (this.#waiting.length < MAX_QUEUED) this.#waiting.push(digit);
    this.#wake?.();
  }

  /** The next field's digits, without its terminator; `''` after silence or when the signal aborts. */
  async collect(wanted: Collection): Promise<string> {
    let digits = '';
    for (let first = true; ; first = false) {
      const digit = await this.#next(digits === '' && first ? FIRST_DIGIT : this.#gap, wanted.signal);
      if (first && digit !== undefined) wanted.onFirst();
      if (digit === undefined || digit === '#') return digits;
      digits = digit === '*' ? '' : digits + digit;
      if (digits.length >= wanted.maxDigits || wanted.enough?.(digits)) return digits;
    }
  }

  get #gap(): number {
    return this.#byInfo ? NEXT_DIGIT_BY_INFO : NEXT_DIGIT;
  }

  async #next(patience: number, signal: AbortSignal): Promise<string | undefined> {
    if (this.isEmpty && !signal.aborted) await this.#activity(patience, signal);
    return signal.aborted ? undefined : this.#waiting.shift();
  }

  /** Resolves on the next digit, after `patience` ms, or on abort. */
  #activity(patience: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const done = (): void => {
        timer?.cancel();
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      timer = this.#clock.setTimer(patience, done);
      signal.addEventListener('abort', done);
      this.#wake = done;
    });
  }
}
