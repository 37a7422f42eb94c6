/** ms a phone has to answer: its user has typed the passcode already, or does so now. */
export const NONCE_LIFETIME_MS = 60_000;
/** Beyond them the oldest makes room. */
export const MOST_NONCES = 10_000;

interface Challenge {
  readonly nonce: string;
  readonly guest: string;
  readonly until: number;
}

/**
 * Challenges that wait for their answer: one for a subscription, for one guest, for one answer. In this process only: at
 * another node, or after a restart, an answer is wrong, and the key is pressed again.
 */
export class HotelingNonces {
  readonly #clock: { now(): number };
  readonly #draw: () => string;
  /** By subscription, oldest first. */
  readonly #challenges = new Map<string, Challenge>();

  /** `draw`: hexadecimal text that nobody can foresee. */
  constructor(clock: { now(): number }, draw: () => string) {
    this.#clock = clock;
    this.#draw = draw;
  }

  get size(): number {
    return this.#challenges.size;
  }

  /** A new nonce; that of an earlier challenge is void. */
  issue(subscription: string, guest: string): string {
    this.#challenges.delete(subscription);
    this.#makeRoom();
    const nonce = this.#draw();
    this.#challenges.set(subscription, { nonce, guest, until: this.#clock.now() + NONCE_LIFETIME_MS });
    return nonce;
  }

  /** Whether this is the nonce this subscription was given for this guest. The challenge is over, whatever the answer. */
  take(subscription: string, answer: { readonly nonce: string; readonly guest: string }): boolean {
    const challenge = this.#challenges.get(subscription);
    this.#challenges.delete(subscription);
    if (!challenge || challenge.until <= this.#clock.now()) return false;
    return challenge.nonce === answer.nonce && challenge.guest === answer.guest;
  }

  #makeRoom(): void {
    for (const [subscription, { until }] of this.#challenges) {
      if (until > this.#clock.now() && this.#challenges.size < MOST_NONCES) return;
      this.#challenges.delete(subscription);
    }
  }
}
