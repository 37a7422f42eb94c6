import { setTimeout as delay } from 'node:timers/promises';
import { type Store, StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeStrings, decodeWhole } from './decode.ts';
import type { Keys } from './keys.ts';

export interface TrimmerOptions {
  readonly link: Link;
  readonly keys: Keys;
  /** Beyond it the oldest entries go, taken or not. */
  readonly maxEntries: number;
}

/** Entries removed in one step of the store, which nothing else can use meanwhile: about 3 ms. */
const MOST_AT_ONCE = 250;
/** Pause between steps, so that logins are not held up. */
const PAUSE_MS = 20;
const FOR_EVER_MS = 10 ** 14;

/** Removal of old entries of the change log. */
export function createTrimmer({ link, keys, maxEntries }: TrimmerOptions): Pick<Store, 'trimLog'> {
  async function step(retainMs: number, consumers: readonly string[]) {
    const reply = await link.run({
      script: 'trimLog',
      keys: [keys.events, keys.history, keys.cursors],
      args: [retainMs, maxEntries, MOST_AT_ONCE, ...consumers],
    });
    const [removed, more] = decodeStrings(reply) ?? [];
    const count = decodeWhole(removed);
    if (count === undefined) throw new StoreUnavailable('The store gave a reply that cannot be read');
    return { count, hasMore: more === '1' };
  }

  return {
    async trimLog(retainMs, consumers) {
      if (Number.isNaN(retainMs)) throw new TypeError('Entries are kept for a time in ms');
      const kept = Math.min(Math.max(0, Math.ceil(retainMs)), FOR_EVER_MS);
      for (let total = 0; ; await delay(PAUSE_MS)) {
        const { count, hasMore } = await step(kept, consumers);
        total += count;
        if (!hasMore) return total;
      }
    },
  };
}
