import type { Algorithm } from './digest.ts';
import { RecentMap } from './recent-map.ts';

/**
 * Phones that give up at a challenge they do not know instead of taking the next (RFC 3261 22.1 wants them to go on).
 * Seen with baresip 1.0.0: any SHA-256 challenge fails the request; SIP.js 0.21: it keeps the last challenge only.
 */
const MD5_ALONE = /^(?:baresip v?[01]\.|SIP\.js\/0\.)/i;
/** ms within which several requests may be on their way unanswered without meaning anything. */
const IN_FLIGHT = 1_000;
const MAX_ASKERS = 8_192;
/** Host ids are no longer. */
const LONGEST_USER = 64;

/** Who a request says sends it, and from where. */
export interface Asker {
  readonly address: string;
  readonly user: string;
}

/** Which digests a phone is offered (RFC 8760): all, unless it is known, or has been seen, to stumble over that. */
export class Challenges {
  /** When somebody was last offered all and has not answered yet; 0: it never did, and gets MD5 alone. */
  readonly #unanswered = new RecentMap<number>(MAX_ASKERS);
  readonly #all: readonly Algorithm[];
  readonly #now: () => number;

  constructor(all: readonly Algorithm[], now: () => number) {
    this.#all = all;
    this.#now = now;
  }

  /**
   * For a request without good credentials. Known and unknown users are offered the same, or a scanner could tell them
   * apart; the address is part of who asks, or a stranger could talk a phone down to MD5.
   */
  offer(asker: Asker, userAgent: string): readonly Algorithm[] {
    if (!this.#all.includes('MD5')) return this.#all;
    if (MD5_ALONE.test(userAgent)) return ['MD5'];
    const key = keyOf(asker);
    const asked = this.#unanswered.get(key);
    const stumbled = asked !== undefined && this.#now() - asked > IN_FLIGHT;
    this.#unanswered.set(key, stumbled ? 0 : (asked ?? this.#now()));
    return stumbled ? ['MD5'] : this.#all;
  }

  /** A challenge was answered: whoever asked coped with what was offered. */
  answered(asker: Asker): void {
    const key = keyOf(asker);
    if (this.#unanswered.get(key) !== 0) this.#unanswered.delete(key);
  }
}

function keyOf({ address, user }: Asker): string {
  return `${address} ${user.slice(0, LONGEST_USER + 1)}`;
}
