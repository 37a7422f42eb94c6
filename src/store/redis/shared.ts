import { LARGEST_SHARED, MOST_SHARED, type SharedEntry, type Store, StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeJson, decodeScan, decodeStrings, decodeWhole } from './decode.ts';
import { checkSharedName, type Keys } from './keys.ts';

/** How long a removed entry is remembered: longer than the reading of all entries takes. */
const REMOVED_MS = 60_000;
/** Entries of a page: at most some hundred KiB. */
const PAGE = 200;

/** Writes of shared entries: one hash, cleared a little by every writer, and the stream that tells of contacts, too. */
export function createSharedWriter(link: Link, keys: Keys): Pick<Store, 'putShared'> {
  return {
    async putShared(name, value, ttlMs) {
      const json = value === undefined ? '' : jsonOf(value);
      const ttl = value === undefined ? 0 : timeOf(ttlMs);
      const reply = await link.run({
        script: 'putShared',
        keys: [keys.shared, keys.sharedIndex, keys.contactStream, keys.contactSeq],
        args: [checkSharedName(name), json, ttl, MOST_SHARED, REMOVED_MS],
      });
      const [outcome, n] = decodeStrings(reply) ?? [];
      const position = decodeWhole(n);
      if (outcome === 'full') throw new RangeError('The store has no room for more shared entries');
      if (position === undefined) throw new StoreUnavailable('The store gave a reply that cannot be read');
      return position;
    },
  };
}

function jsonOf(value: unknown): string {
  const json = JSON.stringify(value);
  if (json === undefined || Buffer.byteLength(json) > LARGEST_SHARED)
    throw new TypeError(`A shared entry is a JSON value of at most ${LARGEST_SHARED} bytes`);
  return json;
}

function timeOf(ttlMs: number): number {
  if (!(ttlMs > 0 && Number.isFinite(ttlMs))) throw new TypeError('A shared entry lasts for a time in ms');
  return Math.ceil(ttlMs);
}

export interface SharedSource {
  readonly keys: Keys;
  readonly call: (command: string, ...args: readonly (string | number)[]) => Promise<unknown>;
  readonly onProblem: (text: string) => void;
}

/**
 * All entries, page by page, as there may be many; what is written meanwhile may be in a page or not. Gives the positions
 * of those that were written after `since`, removed ones included. @throws StoreUnavailable for a reply that cannot be
 * read
 */
export async function readShared(
  { keys, call, onProblem }: SharedSource,
  since: number,
  page: (entries: ReadonlyMap<string, SharedEntry | undefined>) => void,
): Promise<ReadonlyMap<string, number>> {
  const newer = new Map<string, number>();
  let cursor = '0';
  do {
    const reply = decodeScan(await call('HSCAN', keys.shared, cursor, 'COUNT', PAGE));
    if (reply === undefined) throw new StoreUnavailable('The store gave shared entries that cannot be read');
    const entries = new Map<string, SharedEntry | undefined>();
    for (const [name, text] of reply.entries) {
      const stored = decodeStored(text);
      if (!stored) onProblem(`The shared entry ${JSON.stringify(name)} cannot be read and is left out`);
      // A page may repeat what an earlier one had.
      if (!stored || stored.position < (newer.get(name) ?? 0)) continue;
      if (stored.position > since) newer.set(name, stored.position);
      entries.set(name, stored.entry);
    }
    page(entries);
    cursor = reply.cursor;
  } while (cursor !== '0');
  return newer;
}

interface Stored {
  readonly position: number;
  /** undefined: removed. */
  readonly entry: SharedEntry | undefined;
}

function decodeStored(text: string): Stored | undefined {
  const [, n, at, value] = /^(\d+) (\d+) (.*)$/s.exec(text) ?? [];
  return decodeShared({ n, at, value });
}

/** Fields of an entry of the contact stream. */
export function decodeShared(fields: {
  readonly n?: string | undefined;
  readonly at?: string | undefined;
  readonly value?: string | undefined;
}): Stored | undefined {
  const position = decodeWhole(fields.n);
  const expiresAt = decodeWhole(fields.at);
  if (position === undefined || expiresAt === undefined || fields.value === undefined) return undefined;
  if (fields.value === '') return { position, entry: undefined };
  const value = decodeJson(fields.value);
  return value === undefined ? undefined : { position, entry: { value, expiresAt } };
}
