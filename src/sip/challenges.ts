import type { Algorithm } from './digest.ts';

/**
 * Phones that give up at a challenge they do not know instead of taking the next (RFC 3261 22.1 wants them to go on).
 * Seen with baresip 1.0.0: any SHA-256 challenge fails the request.
 */
const MD5_ALONE = /^baresip v?[01]\./i;
/** ms within which several requests may be on their way unanswered without meaning anything. */
const IN_FLIGHT = 1_000;

/** Which digests a phone is offered (RFC 8760): all, unless it is known, or has been seen, to stumble over that. */
export class Challenges {
  /** When a host was last offered all and has not answered yet; 0: it never did, and gets MD5 alone. */
  readonly #unanswered = new Map<string, number>();
  readonly #all: readonly Algorithm[];
  readonly #now: () => number;

  constructor(all: readonly Algorithm[], now: () => number) {
    this.#all = all;
    this.#now = now;
  }

  /** For a request without credentials. `host` must be a known host's id: the table holds no others. */
  offer(host: string | undefined, userAgent: string): readonly Algorithm[] {
    if (!this.#all.includes('MD5')) return this.#all;
    if (MD5_ALONE.test(userAgent)) return ['MD5'];
    if (host === undefined) return this.#all;
    const asked = this.#unanswered.get(host);
    const stumbled = asked !== undefined && this.#now() - asked > IN_FLIGHT;
    this.#unanswered.set(host, stumbled ? 0 : (asked ?? this.#now()));
    return stumbled ? ['MD5'] : this.#all;
  }

  /** The host has answered a challenge: it coped with what it was offered. */
  answered(host: string): void {
    if (this.#unanswered.get(host) !== 0) this.#unanswered.delete(host);
  }
}
