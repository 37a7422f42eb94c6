import type { Binding } from '../domain/binding.ts';
import { RecentMap } from './recent-map.ts';

/**
 * Guessing of SIP passwords, made slow (store.md 13.2). Failures are counted in memory, per node: per source address
 * and claimed user, and per source over users. The user is part of the key because a whole site may share one address
 * behind its NAT, and one broken phone must not lock the others out.
 */

/** Wrong answers for one user before the first wait. */
const FREE = 5;
/** Wrong answers of one source, and the users they are spread over, before it counts as a spray. */
const SPRAY_FREE = 50;
const SPRAY_USERS = 20;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 300_000;
/** A phone at its registered flow shares it with an attacker only behind an SBC: a wait, but a short one. */
const LONGEST_FLOW_WAIT_MS = 30_000;
/** Failures older than this are forgotten. */
const WINDOW_MS = 900_000;
const MAX_PAIRS = 8_192;
const MAX_SOURCES = 4_096;
/** Host ids are no longer; longer names share a counter. */
const LONGEST_USER = 64;

export interface Guess {
  /** As claimed; whether such a user exists makes no difference here. */
  readonly user: string;
  readonly address: string;
  readonly port: number;
  /** The nonce answered was given to this address: the sender is really there (a UDP source is easily forged). */
  readonly proven: boolean;
}

/** A wait that has just begun. */
export interface GuessWait {
  readonly guess: Guess;
  readonly over: 'user' | 'spray';
  readonly ms: number;
}

export interface DigestGuessesOptions {
  readonly now: () => number;
  readonly bindingsOf: (user: string) => readonly Binding[];
  readonly onWait: (wait: GuessWait) => void;
}

interface Counter {
  readonly failures: number;
  /** When it last failed; the wait runs from then. */
  readonly at: number;
  readonly waitMs: number;
}

interface SourceCounter extends Counter {
  readonly users: ReadonlySet<string>;
}

export class DigestGuesses {
  readonly #options: DigestGuessesOptions;
  readonly #pairs = new RecentMap<Counter>(MAX_PAIRS);
  readonly #sources = new RecentMap<SourceCounter>(MAX_SOURCES);

  constructor(options: DigestGuessesOptions) {
    this.#options = options;
  }

  /**
   * What to do with an answer. `wait`: challenge anew without looking at it. `prove`: it says it comes from where the
   * user is registered; challenge anew, and if it does it will be looked at.
   */
  decide(guess: Guess): 'check' | 'wait' | 'prove' {
    const flow = this.#flowKey(guess);
    if (flow !== undefined && guess.proven) return this.#waits(this.#pairs.get(flow)) ? 'wait' : 'check';
    const sprays = !this.#isHomeOf(guess) && this.#waits(this.#sources.get(sourceKey(guess)));
    if (!sprays && !this.#waits(this.#pairs.get(pairKey(guess)))) return 'check';
    return flow === undefined ? 'wait' : 'prove';
  }

  /** It was looked at and wrong. */
  failed(guess: Guess): void {
    const flow = guess.proven ? this.#flowKey(guess) : undefined;
    const longest = flow === undefined ? LONGEST_WAIT_MS : LONGEST_FLOW_WAIT_MS;
    const key = flow ?? pairKey(guess);
    const pair = this.#counted(this.#pairs.get(key), { free: FREE, longest });
    this.#pairs.set(key, pair);
    this.#tell(guess, 'user', pair);
    if (!this.#isHomeOf(guess)) this.#countSource(guess);
  }

  /** It was right: its user starts anew from there. What else its address has done stays. */
  succeeded(guess: Guess): void {
    const flow = guess.proven ? this.#flowKey(guess) : undefined;
    const key = flow ?? pairKey(guess);
    const failures = this.#pairs.get(key)?.failures ?? 0;
    this.#pairs.delete(key);
    const source = this.#sources.get(sourceKey(guess));
    if (!source?.users.has(userKey(guess))) return;
    const users = new Set(source.users);
    users.delete(userKey(guess));
    this.#sources.set(sourceKey(guess), {
      ...source,
      users,
      failures: Math.max(0, source.failures - failures),
    });
  }

  #countSource(guess: Guess): void {
    const key = sourceKey(guess);
    const before = this.#recent(this.#sources.get(key));
    const users = new Set(before?.users);
    if (users.size < SPRAY_USERS) users.add(userKey(guess));
    const counted = this.#counted(before, { free: SPRAY_FREE, longest: LONGEST_WAIT_MS });
    const source = { ...counted, users, waitMs: users.size < SPRAY_USERS ? 0 : counted.waitMs };
    this.#sources.set(key, source);
    this.#tell(guess, 'spray', source);
  }

  #counted(before: Counter | undefined, { free, longest }: { free: number; longest: number }): Counter {
    const failures = (this.#recent(before)?.failures ?? 0) + 1;
    const waitMs = failures < free ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (failures - free), longest);
    return { failures, at: this.#options.now(), waitMs };
  }

  #tell(guess: Guess, over: GuessWait['over'], { waitMs }: Counter): void {
    if (waitMs > 0) this.#options.onWait({ guess, over, ms: waitMs });
  }

  #recent<C extends Counter>(counter: C | undefined): C | undefined {
    return counter && this.#options.now() - counter.at <= WINDOW_MS ? counter : undefined;
  }

  /** A clock that was set back must not make a wait longer. */
  #waits(counter: Counter | undefined): boolean {
    if (!counter) return false;
    const since = this.#options.now() - counter.at;
    return since >= 0 && since < counter.waitMs;
  }

  /** Key of the very flow the user is registered at, when that is where this comes from. */
  #flowKey(guess: Guess): string | undefined {
    const { user, address, port } = guess;
    const isIts = ({ flow }: Binding): boolean => flow.address === address && flow.port === port;
    const bound = this.#options.bindingsOf(user).some(isIts);
    return bound ? `flow ${address} ${port} ${userKey(guess)}` : undefined;
  }

  /** Whether the user is registered from this address, whatever the port: who has been right from there is no spray. */
  #isHomeOf({ user, address }: Guess): boolean {
    return this.#options.bindingsOf(user).some(({ flow }) => flow.address === address);
  }
}

function userKey({ user }: Guess): string {
  return user.slice(0, LONGEST_USER + 1);
}

/** Forged senders count apart from real ones, so that they cannot make those wait. */
function sourceKey({ address, proven }: Guess): string {
  return `${proven ? '' : '?'}${networkOf(address)}`;
}

function pairKey(guess: Guess): string {
  return `${sourceKey(guess)} ${userKey(guess)}`;
}

/** The address, or the /64 of an IPv6 address: all of that is one customer's (RFC 6177). */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  const [head = '', tail] = address.toLowerCase().split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail ? tail.split(':') : [];
  const gap = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array<string>(gap).fill('0'), ...last];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
