import { type Store, StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import type { Keys } from './keys.ts';

/** Things that one node does for all. */
export function createOnce(link: Link, keys: Keys): Pick<Store, 'claimOnce' | 'dropClaim'> {
  return {
    async claimOnce(name, ttlMs) {
      if (!(ttlMs > 0 && Number.isFinite(ttlMs))) throw new TypeError('A claim lasts for a time in ms');
      const reply = await link.send('SET', keys.once(name), '1', 'NX', 'PX', Math.ceil(ttlMs));
      if (reply === 'OK') return true;
      if (reply === null) return false;
      throw new StoreUnavailable('The store gave a reply that cannot be read');
    },
    async dropClaim(name) {
      await link.send('DEL', keys.once(name));
    },
  };
}
