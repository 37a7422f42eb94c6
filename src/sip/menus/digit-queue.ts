import type { DigitSource } from '../../media/media.ts';
import type { Clock, Timer } from '../ports.ts';

/** ms to wait for the first digit of a field, and for a key at a menu. */
const FIRST_DIGIT = 12_000;
/** ms between digits; some phones space INFO digits 5 s apart. */
const NEXT_DIGIT = 4_000;
const NEXT_DIGIT_BY_INFO = 7_000;
/** ms within which single keys at menus are digits of one number: fewer than between thoughtful answers. */
const SAME_NUMBER = 2_000;
/** ms a key that may begin an emergency number waits for the next one. */
const PERHAPS_EMERGENCY = 700;
/** Digits kept that nobody has asked for yet: two fields typed ahead in one burst. */
const MAX_QUEUED = 64;
/** Keys of the past that an emergency number may have begun with. */
const MAX_RUN = 12;

export interface Collection {
  readonly maxDigits: number;
  readonly signal: AbortSignal;
  enough?(digits: string): boolean;
  /** `*` typed into the empty field is the answer, instead of starting it again. */
  readonly starEnds?: boolean;
  onFirst(): void;
}

/** What digits mean at this phone. */
export interface EmergencyDigits {
  /** The number to call when these digits are an emergency number. */
  number(digits: string): string | undefined;
  /** Whether more digits may make them one. */
  begins(digits: string): boolean;
}

export interface KeyWanted {
  readonly signal: AbortSignal;
  readonly emergency: EmergencyDigits;
  /** Silence counts from then on: while the choices are read out nobody is late. */
  readonly after: Promise<unknown>;
  onFirst(): void;
}

/** A key, or the emergency number that several keys in a row have made; undefined: silence, or the call is over. */
export type PressedKey = { readonly key: string } | { readonly emergency: string } | undefined;

interface Pressed {
  readonly digit: string;
  /** ms since 1970. */
  readonly at: number;
}

/** Digits from the first packet of the call on, handed out field by field: a burst may hold several fields. */
export class DigitQueue {
  readonly #clock: Clock;
  readonly #waiting: Pressed[] = [];
  #byInfo = false;
  #wake: (() => void) | undefined;
  /** Keys taken one by one, each soon after the one before. */
  #run = '';
  #runAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  push(digit: string, source: DigitSource): void {
    if (source === 'info') this.#byInfo = true;
    if (this.#waiting.length < MAX_QUEUED) this.#waiting.push({ digit, at: this.#clock.now() });
    this.#wake?.();
  }

  /** The next field's digits, without its terminator; `''` after silence or when the signal aborts. */
  async collect(wanted: Collection): Promise<string> {
    let digits = '';
    for (let first = true; ; first = false) {
      const digit = await this.#next(digits === '' && first ? FIRST_DIGIT : this.#gap, wanted.signal);
      if (first && digit !== undefined) wanted.onFirst();
      if (digit === undefined || digit === '#') return digits;
      if (digit === '*' && digits === '' && wanted.starEnds) return digit;
      digits = digit === '*' ? '' : digits + digit;
      if (digits.length >= wanted.maxDigits || wanted.enough?.(digits)) return digits;
    }
  }

  /**
   * The next key, `*` and `#` included. Keys typed in a row that make an emergency number come as that number: a key
   * that may begin one waits a moment for the next before it counts as itself, and when the next come later than that
   * they still belong to it.
   */
  async key({ signal, emergency, after, onFirst }: KeyWanted): Promise<PressedKey> {
    if (this.isEmpty) await this.#activity({ patience: FIRST_DIGIT, after }, signal);
    const pressed = signal.aborted ? undefined : this.#waiting.shift();
    if (!pressed) return undefined;
    onFirst();
    this.#run = this.#runWith(pressed);
    this.#runAt = pressed.at;
    const number = await this.#emergencyIn(this.#run, pressed.at, { signal, emergency });
    if (number === undefined) return { key: pressed.digit };
    this.#run = '';
    return { emergency: number };
  }

  get #gap(): number {
    return this.#byInfo ? NEXT_DIGIT_BY_INFO : NEXT_DIGIT;
  }

  get #sameNumber(): number {
    return this.#byInfo ? NEXT_DIGIT_BY_INFO : SAME_NUMBER;
  }

  #runWith({ digit, at }: Pressed): string {
    if (!/\d/.test(digit)) return '';
    const goesOn = at - this.#runAt <= this.#sameNumber;
    return ((goesOn ? this.#run : '') + digit).slice(-MAX_RUN);
  }

  /** Looks ahead while what was typed may become an emergency number; takes nothing unless it does. */
  async #emergencyIn(
    run: string,
    lastAt: number,
    { signal, emergency }: Pick<KeyWanted, 'signal' | 'emergency'>,
  ): Promise<string | undefined> {
    let [digits, at] = [run, lastAt];
    for (let ahead = 0; ; ahead++) {
      // With the key in question, and perhaps some before it.
      const endings = Array.from({ length: digits.length - ahead }, (_, from) => digits.slice(from));
      const number = endings.map((ending) => emergency.number(ending)).find((found) => found !== undefined);
      if (number !== undefined) this.#waiting.splice(0, ahead);
      if (number !== undefined || !endings.some((ending) => emergency.begins(ending))) return number;
      if (!this.#waiting[ahead]) await this.#activity({ patience: PERHAPS_EMERGENCY }, signal);
      const next = this.#waiting[ahead];
      if (!next || signal.aborted || next.at - at > this.#sameNumber || !/\d/.test(next.digit))
        return undefined;
      [digits, at] = [digits + next.digit, next.at];
    }
  }

  async #next(patience: number, signal: AbortSignal): Promise<string | undefined> {
    this.#run = '';
    if (this.isEmpty && !signal.aborted) await this.#activity({ patience }, signal);
    return signal.aborted ? undefined : this.#waiting.shift()?.digit;
  }

  /** Resolves on the next digit, `patience` ms after `after`, or on abort. */
  #activity(
    { patience, after }: { readonly patience: number; readonly after?: Promise<unknown> },
    signal: AbortSignal,
  ): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      let isOver = signal.aborted;
      const done = (): void => {
        isOver = true;
        timer?.cancel();
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      const wait = (): void => {
        if (!isOver) timer = this.#clock.setTimer(patience, done);
      };
      if (isOver) return resolve();
      signal.addEventListener('abort', done);
      this.#wake = done;
      if (after === undefined) wait();
      else after.then(wait, wait);
    });
  }
}
