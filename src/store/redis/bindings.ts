import type { Store } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeStrings } from './decode.ts';
import type { Keys } from './keys.ts';

/** How long an AOR without bindings keeps its version, so that a late writer does not bring the old ones back. */
const EMPTY_SET_MS = 60_000;

/** Writes of contacts: one key per AOR that lapses with its last binding, and a stream that tells the other nodes. */
export function createBindingsWriter(link: Link, keys: Keys): Pick<Store, 'writeBindings'> {
  return {
    async writeBindings(aor, expected, { bindings }) {
      const latest = bindings.reduce((most, { expiresAt }) => Math.max(most, expiresAt), 0);
      const reply = await link.run({
        script: 'writeBindings',
        keys: [keys.contacts(aor), keys.contactIndex, keys.contactStream, keys.contactSeq, keys.seen],
        args: [
          aor,
          expected,
          JSON.stringify({ version: expected + 1, bindings }),
          Math.ceil(latest),
          EMPTY_SET_MS,
        ],
      });
      return decodeStrings(reply)?.[0] === 'written';
    },
  };
}
