import type { GuessKey, GuessReply } from '../store.ts';
import { StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeStrings, decodeWhole } from './decode.ts';
import type { Keys } from './keys.ts';

interface Limits {
  /** Guesses without a wait. */
  readonly free: number;
  readonly baseWaitMs: number;
  readonly longestWaitMs: number;
  /** How long a counter lives after its last guess. */
  readonly windowMs: number;
  /** Guesses after which only an administrator helps; 0: never. */
  readonly hard: number;
}

const COUNTERS = ['extension', 'host', 'source'] as const;

/** A person can be locked, a phone or a peer can only be slowed down: a prankster must not kill a phone. */
const LIMITS: Record<(typeof COUNTERS)[number], Limits> = {
  extension: { free: 5, baseWaitMs: 1000, longestWaitMs: 3_600_000, windowMs: 3_600_000, hard: 20 },
  host: { free: 10, baseWaitMs: 1000, longestWaitMs: 300_000, windowMs: 900_000, hard: 0 },
  source: { free: 50, baseWaitMs: 1000, longestWaitMs: 300_000, windowMs: 900_000, hard: 0 },
};

/** Guess counters: reserve before the slow hash, give back what was right. */
export function createGuesses(link: Link, keys: Keys) {
  const counters = ({ extension, host, source }: GuessKey) => [
    keys.guesses('x', extension),
    keys.guesses('h', host),
    keys.guesses('s', source),
  ];
  return {
    async reserveGuess(key: GuessKey): Promise<GuessReply> {
      const args = COUNTERS.map((name) => LIMITS[name]).flatMap(limitArguments);
      return decode(decodeStrings(await link.run({ script: 'reserveGuess', keys: counters(key), args })));
    },
    async confirmGuess(key: GuessKey): Promise<void> {
      const args = [LIMITS.host.free, LIMITS.source.free];
      await link.run({ script: 'confirmGuess', keys: counters(key), args });
    },
    async clearGuesses(extension: string): Promise<void> {
      await link.send('DEL', keys.guesses('x', extension));
    },
  };
}

function limitArguments(limits: Limits): number[] {
  return [limits.free, limits.baseWaitMs, limits.longestWaitMs, limits.windowMs, limits.hard];
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
