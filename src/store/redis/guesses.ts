import type { GuessCounter, GuessKey, GuessReply } from '../store.ts';
import { StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeStrings, decodeWhole } from './decode.ts';
import type { Keys } from './keys.ts';

interface Limits {
  /** Guesses in a window up to the first wait, which follows the last of them. */
  readonly free: number;
  readonly baseWaitMs: number;
  readonly longestWaitMs: number;
  readonly windowMs: number;
  /** Whether every guess starts the window anew (after its wait); else it runs from the first guess. */
  readonly slides: boolean;
  /** Guesses, in whatever time, after which only an administrator helps; 0: never. */
  readonly hard: number;
}

const COUNTERS = ['extension', 'pair', 'host', 'source'] as const satisfies readonly GuessCounter[];
const HOUR_MS = 3_600_000;
const QUARTER_MS = 900_000;

/** A wait of an hour, and the window after it. */
const LONGEST_PAIR_MS = 3 * HOUR_MS;
/** An attacker may try any number of extensions that nobody has: their counters must not stay for ever. */
const UNKNOWN_KEPT_MS = 30 * 24 * HOUR_MS;

/**
 * A person can be locked, a phone or a peer can only be slowed down: a prankster must not kill a phone. The long waits
 * are those of a person at one host, so that guessing at one desk hardly hinders its victim at another; the person's own
 * waits are short and only make parallel guesses from everywhere share a budget. A whole site may share one source
 * (NAT, SBC), so a source has room for everybody's typing errors and its waits stay short.
 */
const LIMITS: Record<GuessCounter, Limits> = {
  extension: { free: 5, ...waits(30_000), windowMs: HOUR_MS, slides: true, hard: 20 },
  pair: { free: 5, ...waits(HOUR_MS), windowMs: HOUR_MS, slides: true, hard: 0 },
  host: { free: 10, ...waits(300_000), windowMs: QUARTER_MS, slides: false, hard: 0 },
  source: { free: 200, ...waits(30_000), windowMs: QUARTER_MS, slides: false, hard: 0 },
};

/**
 * Who signs in by e-mail can be slowed down only: anybody on the Internet may try, and must not lock an administrator
 * out. A company may share one source; there the long waits are those of one account from one source.
 */
const ACCOUNT_LIMITS: Record<GuessCounter, Limits> = {
  extension: { free: 10, ...waits(30_000), windowMs: HOUR_MS, slides: true, hard: 0 },
  pair: { free: 5, ...waits(HOUR_MS), windowMs: HOUR_MS, slides: true, hard: 0 },
  host: { free: 100, ...waits(300_000), windowMs: QUARTER_MS, slides: false, hard: 0 },
  source: { free: 200, ...waits(30_000), windowMs: QUARTER_MS, slides: false, hard: 0 },
};

/** Guess counters: reserve before the slow hash, give back what was right. */
export function createGuesses(link: Link, keys: Keys) {
  const log = [keys.events, keys.seq, keys.history];
  const counters = ({ extension, host, source }: GuessKey) => [
    keys.guesses('x', extension),
    keys.guesses('p', `${extension}:${host}`),
    keys.guesses('h', host),
    keys.guesses('s', source),
  ];
  return {
    async reserveGuess(key: GuessKey): Promise<GuessReply> {
      const table = key.limits === 'account' ? ACCOUNT_LIMITS : LIMITS;
      const limits = COUNTERS.map((name) => table[name]).flatMap(limitArguments);
      const args = [...limits, key.known ? key.extension : '', key.host, UNKNOWN_KEPT_MS];
      const call = { script: 'reserveGuess', keys: [...counters(key), ...log], args } as const;
      return decode(decodeStrings(await link.run(call)));
    },
    async confirmGuess(key: GuessKey): Promise<void> {
      await link.run({ script: 'confirmGuess', keys: counters(key), args: [] });
    },
    async clearGuesses(extension: string, actor: string): Promise<void> {
      const args = [extension, actor, LONGEST_PAIR_MS];
      await link.run({ script: 'clearGuesses', keys: [keys.guesses('x', extension), ...log], args });
    },
  };
}

/** 1, 2, 4 … s. */
function waits(longestWaitMs: number) {
  return { baseWaitMs: 1000, longestWaitMs };
}

function limitArguments(limits: Limits): number[] {
  const { free, baseWaitMs, longestWaitMs, windowMs, hard, slides } = limits;
  return [free, baseWaitMs, longestWaitMs, windowMs, hard, Number(slides)];
}

function decode(reply: readonly string[] = []): GuessReply {
  const [outcome, waitMs] = reply;
  const counter = COUNTERS[Number(reply[2]) - 1];
  if (outcome === 'reserved' || outcome === 'locked') return { outcome };
  const wait = decodeWhole(waitMs);
  if (outcome === 'wait' && wait !== undefined && counter !== undefined)
    return { outcome, waitMs: wait, counter };
  throw new StoreUnavailable('The store gave a reply that cannot be read');
}
