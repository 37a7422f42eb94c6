import { type Store, StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeStrings } from './decode.ts';
import type { Keys } from './keys.ts';

const MOST_KEPT = 10_000;
/** After its callback time: as long as it is listed somebody may acknowledge it, and that once. */
const REMEMBERED_MS = 24 * 3_600_000;

/** Records of emergency calls: one hash, bounded, cleared a little by every writer; each stage an entry of the log. */
export function createEmergencies(link: Link, keys: Keys): Pick<Store, 'noteEmergency'> {
  return {
    async noteEmergency(record, stage, actor) {
      const { id, callbackUntil, host = '', guest } = record;
      const reply = await link.run({
        script: 'noteEmergency',
        keys: [
          ...[keys.emergencies, keys.emergencyStages, keys.emergencyEnds],
          ...[keys.events, keys.seq, keys.history],
        ],
        args: [
          ...[id, stage, JSON.stringify(record), Math.ceil(callbackUntil), actor],
          ...[host, guest?.extension ?? '', MOST_KEPT, REMEMBERED_MS],
        ],
      });
      if (decodeStrings(reply) === undefined)
        throw new StoreUnavailable('The store gave a reply that cannot be read');
    },
  };
}
