import type { Clock, Timer } from '../ports.ts';

/** ms between two rounds while some wait. */
const ROUND_MS = 25;
/** Turns in a round, those that come to nothing included: calls come between. */
const TURNS = 250;

/** What is done in a turn; false: it came to nothing, and takes nobody's place. */
export type Turn = () => boolean;

/**
 * Bounds how often something is done in all, and takes turns: who asks much waits behind those who ask little. Who waits
 * is bounded by who asks: each asks once at a time.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  /** In the order of their turns. */
  readonly #waiting = new Map<string, Turn[]>();
  #allowance: number;
  #filledAt: number;
  #timer: Timer | undefined;

  constructor(clock: Clock, { perSecond, burst }: { perSecond: number; burst: number }) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#allowance = burst;
    this.#filledAt = clock.now();
  }

  /** Runs at once if there is room, else when it is this one's turn. */
  inTurn(who: string, run: Turn): void {
    const own = this.#waiting.get(who);
    if (own) own.push(run);
    else this.#waiting.set(who, [run]);
    if (!this.#timer) this.#round();
  }

  /** Who waits is forgotten. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waiting.clear();
  }

  #round(): void {
    this.#timer = undefined;
    this.#fill();
    for (let turns = 0; turns < TURNS && this.#allowance >= 1 && this.#waiting.size > 0; turns++)
      if (this.#takeOne()) this.#allowance--;
    if (this.#waiting.size > 0) this.#timer ??= this.#clock.setTimer(ROUND_MS, () => this.#round());
  }

  #fill(): void {
    const now = this.#clock.now();
    const gained = ((now - this.#filledAt) * this.#perSecond) / 1000;
    this.#allowance = Math.min(this.#burst, this.#allowance + gained);
    this.#filledAt = now;
  }

  #takeOne(): boolean {
    const [turn] = this.#waiting;
    if (!turn) return false;
    const [who, own] = turn;
    const run = own.shift();
    this.#waiting.delete(who);
    if (own.length > 0) this.#waiting.set(who, own);
    return run?.() ?? false;
  }
}
