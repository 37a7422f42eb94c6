import {
  type DirectoryEntries,
  type DirectoryWrite,
  type DirectoryWritten,
  type Store,
  StoreUnavailable,
} from '../store.ts';
import type { Link } from './connection.ts';
import { decodeJson, decodeScan, decodeStrings, decodeValues, decodeWhole } from './decode.ts';
import { type Keys, orderKeys } from './keys.ts';
import { orderArguments, orderWritten } from './orders.ts';

const ENTRY = /^(company|(site|user|host|webhook|account|token):.{1,128})$/su;
/** More changed entries than this are not named one by one. */
const MOST_NAMES = 500;
/** Entries of a page: some ms of work for whoever takes it. */
const PAGE = 200;

/** Writes of the directory: one hash, one event per write. */
export function createDirectoryWriter(
  link: Link,
  keys: Keys,
  maxOrders?: number,
): Pick<Store, 'writeDirectory'> {
  return {
    async writeDirectory(write) {
      const names = [...write.put.keys(), ...write.remove];
      for (const name of names) checkEntry(name);
      const reply = await link.run({
        script: 'writeDirectory',
        keys: [
          keys.directory,
          keys.directoryVersion,
          keys.events,
          keys.seq,
          keys.history,
          ...orderKeys(keys),
          keys.seen,
        ],
        args: [
          ...[conditionOf(write), write.actor, names.length > MOST_NAMES ? '' : JSON.stringify(names)],
          ...[write.notice?.notice ?? '', write.notice?.extension ?? '', write.notice?.host ?? ''],
          ...orderArguments(write.order, maxOrders),
          write.put.size,
          ...[...write.put].flatMap(([name, value]) => [name, JSON.stringify(value)]),
          ...write.remove,
        ],
      });
      const [outcome, version, ...rest] = decodeStrings(reply) ?? [];
      const position = decodeWhole(version);
      if (!isOutcome(outcome) || position === undefined)
        throw new StoreUnavailable('The store gave a reply that cannot be read');
      const order = orderWritten(rest[0], rest[1]);
      return { outcome, version: position, ...(order && { order }) };
    },
  };
}

export interface DirectorySource {
  readonly keys: Keys;
  readonly call: (command: string, ...args: readonly (string | number)[]) => Promise<unknown>;
  readonly onProblem: (text: string) => void;
}

/**
 * All entries, page by page; what is written meanwhile may be in a page or not. The version is that before the first
 * page. @throws StoreUnavailable for a reply that cannot be read
 */
export async function readDirectory(
  { keys, call, onProblem }: DirectorySource,
  page: (entries: DirectoryEntries) => void,
): Promise<number> {
  const version = decodeWhole(String((await call('GET', keys.directoryVersion)) ?? 0));
  let cursor = '0';
  do {
    const reply = decodeScan(await call('HSCAN', keys.directory, cursor, 'COUNT', PAGE));
    if (reply === undefined || version === undefined)
      throw new StoreUnavailable('The store gave a directory that cannot be read');
    page(decodeEntries(reply.entries, onProblem));
    cursor = reply.cursor;
  } while (cursor !== '0');
  return version;
}

/** These entries as they are now; undefined: not there. @throws StoreUnavailable */
export async function readEntries(
  { keys, call, onProblem }: DirectorySource,
  names: readonly string[],
): Promise<DirectoryEntries> {
  if (names.length === 0) return new Map();
  const values = decodeValues(await call('HMGET', keys.directory, ...names));
  if (values === undefined) throw new StoreUnavailable('The store gave entries that cannot be read');
  const found = names.flatMap((name, i) => (values[i] == null ? [] : [[name, values[i]] as const]));
  return new Map([...names.map((name) => [name, undefined] as const), ...decodeEntries(found, onProblem)]);
}

function decodeEntries(
  entries: readonly (readonly [string, string])[],
  onProblem: (text: string) => void,
): Map<string, unknown> {
  const decoded = new Map<string, unknown>();
  for (const [name, text] of entries) {
    const value = decodeJson(text);
    if (value !== undefined) decoded.set(name, value);
    else onProblem(`The directory entry ${JSON.stringify(name)} cannot be read and is left out`);
  }
  return decoded;
}

function conditionOf({ ifEmpty, ifVersion }: DirectoryWrite): string {
  return ifEmpty ? 'ifEmpty' : String(ifVersion ?? '');
}

const OUTCOMES: readonly string[] = ['written', 'exists', 'conflict', 'orderChanged', 'ordersFull'];

function isOutcome(word: string | undefined): word is DirectoryWritten['outcome'] {
  return word !== undefined && OUTCOMES.includes(word);
}

function checkEntry(name: string): void {
  if (!ENTRY.test(name))
    throw new TypeError('A directory entry is named company, or site:…, user:…, host:… and so on');
}
