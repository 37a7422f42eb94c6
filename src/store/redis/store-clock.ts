import type { Link } from './connection.ts';
import { decodeStrings, decodeWhole } from './decode.ts';

/** The store's clock as seen from here: what it would say in so many ms. */
export interface StoreClock {
  /** Store time in ms since 1970 that many ms from now; undefined before the first answer. */
  in(ms: number): number | undefined;
  /** To be called before a command whose reply tells the store's time. */
  ask(): { answered(storeNow: number | undefined): void };
}

/** Learns from replies; the offset is right within half a round trip. */
export function createStoreClock(clock: { now(): number }): StoreClock {
  let offset: number | undefined;
  return {
    in: (ms) => (offset === undefined ? undefined : Math.ceil(clock.now() + offset + ms)),
    ask() {
      const sent = clock.now();
      return {
        answered(storeNow) {
          if (storeNow !== undefined) offset = storeNow - (sent + clock.now()) / 2;
        },
      };
    },
  };
}

/** Asks for the store's time. @throws StoreUnavailable */
export async function measureStoreClock(storeClock: StoreClock, link: Link): Promise<void> {
  const asked = storeClock.ask();
  const [seconds, micros] = (decodeStrings(await link.send('TIME')) ?? []).map(decodeWhole);
  if (seconds !== undefined && micros !== undefined) asked.answered(seconds * 1000 + micros / 1000);
}
