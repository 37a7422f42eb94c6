import type { Association } from '../../domain/association.ts';
import type { BindingSet } from '../../domain/binding.ts';
import { type Snapshot, StoreUnavailable } from '../store.ts';
import {
  decodeBindings,
  decodeEmergency,
  decodeRecord,
  decodeSnapshot,
  type SnapshotReply,
} from './decode.ts';
import type { Keys } from './keys.ts';
import type { ScriptCall } from './scripts.ts';

/** Where the two streams were read to, and the numbers of their last entries. */
export interface Position {
  readonly seq: number;
  readonly eventId: string;
  readonly contactSeq: number;
  readonly contactId: string;
}

export interface SnapshotSource {
  readonly keys: Keys;
  readonly run: (call: ScriptCall) => Promise<unknown>;
  readonly onProblem: (text: string, error?: Error) => void;
}

type Picture = Exclude<SnapshotReply, { again: string[] }>;

/** Tries when phones that were unknown a moment ago register while we ask. */
const MOST_TRIES = 10;

/** Loads all of a company but its directory and shared entries at one moment. @throws StoreUnavailable */
export async function loadSnapshot(
  source: SnapshotSource,
): Promise<{ readonly snapshot: Snapshot; readonly position: Position }> {
  const picture = await loadPicture(source);
  return { snapshot: decodePicture(picture, source.onProblem), position: picture.position };
}

async function loadPicture({ keys, run }: SnapshotSource): Promise<Picture> {
  const fixed = [
    ...[keys.records, keys.events, keys.seq, keys.contactStream, keys.contactSeq, keys.contactIndex],
    ...[keys.emergencies, keys.seen],
  ];
  let aors: readonly string[] = [];
  for (let i = 0; i < MOST_TRIES; i++) {
    const contacts = aors.map((aor) => keys.contacts(aor));
    const reply = decodeSnapshot(
      await run({ script: 'snapshot', keys: [...fixed, ...contacts], args: aors }),
    );
    if (reply === undefined) throw new StoreUnavailable('The store gave a snapshot that cannot be read');
    if (!('again' in reply)) return reply;
    aors = reply.again;
  }
  throw new StoreUnavailable('The store changes too fast for a snapshot');
}

function decodePicture(picture: Picture, onProblem: (text: string) => void): Snapshot {
  const associations: Association[] = [];
  for (const [host, text] of picture.records) {
    const association = decodeRecord(host, text);
    if (association) associations.push(association);
    else onProblem(`The association stored for host ${JSON.stringify(host)} cannot be read and is left out`);
  }
  const bindings = new Map<string, BindingSet>();
  for (const [aor, text] of picture.contacts) {
    const set = decodeBindings(text);
    if (set) bindings.set(aor, set);
    else onProblem(`The bindings stored for ${JSON.stringify(aor)} cannot be read and are left out`);
  }
  const emergencies = picture.emergencies.flatMap(([id, text]) => {
    const record = decodeEmergency(text);
    if (!record) onProblem(`The emergency record ${JSON.stringify(id)} cannot be read and is left out`);
    return record && record.callbackUntil > picture.now ? [record] : [];
  });
  const seen = new Map(picture.seen.map(([aor, at]) => [aor, Number(at)]));
  return { seq: picture.position.seq, now: picture.now, associations, emergencies, bindings, seen };
}
