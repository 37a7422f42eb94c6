import type { Store } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeStrings } from './decode.ts';
import type { Keys } from './keys.ts';

const ENTRY = /^(company|(site|user|host):.{1,128})$/su;

/** Writes of the directory: one hash, one event per write. */
export function createDirectoryWriter(link: Link, keys: Keys): Pick<Store, 'writeDirectory'> {
  return {
    async writeDirectory({ put, remove, ifEmpty, actor }) {
      for (const name of [...put.keys(), ...remove]) checkEntry(name);
      const values = [...put].flatMap(([name, value]) => [name, JSON.stringify(value)]);
      const reply = await link.run({
        script: 'writeDirectory',
        keys: [keys.directory, keys.events, keys.seq],
        args: [ifEmpty ? 'ifEmpty' : '', actor, put.size, ...values, ...remove],
      });
      return decodeStrings(reply)?.[0] === 'written';
    },
  };
}

function checkEntry(name: string): void {
  if (!ENTRY.test(name)) throw new TypeError('A directory entry is named company, site:…, user:… or host:…');
}
