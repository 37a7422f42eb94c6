import type { Association } from '../domain/association.ts';
import type { Directory } from '../domain/directory.ts';
import type { DirectoryEntry } from '../domain/directory-table.ts';
import { usesOf } from '../domain/in-use.ts';
import { locationAfterEdit } from '../domain/location.ts';
import type { View } from '../domain/view.ts';
import {
  type DirectoryFile,
  type EntryKey,
  entryName,
  type FileEntry,
  keyName,
  type Seal,
  sealedEntry,
} from './directory-document.ts';
import { eachInTurns, turn } from './turns.ts';

/** A directory instead of another, in portions: it may be long, and calls go on meanwhile. */

/** Entries looked at before others have their turn: a few milliseconds of work. */
const ENTRIES_AT_ONCE = 100;

/** A file without clear secrets. */
export interface SealedFile extends Pick<DirectoryFile, 'hasWebhooks'> {
  readonly entries: readonly DirectoryEntry[];
}

export interface Difference {
  readonly put: readonly DirectoryEntry[];
  readonly remove: readonly EntryKey[];
}

/** Replaces clear secrets by what may be kept. */
export async function sealFile({ entries, hasWebhooks }: DirectoryFile, seal: Seal): Promise<SealedFile> {
  const sealed: DirectoryEntry[] = [];
  for (const portion of portionsOf(entries)) {
    sealed.push(...(await Promise.all(portion.map((entry: FileEntry) => sealedEntry(entry, seal)))));
    await turn();
  }
  return { entries: sealed, hasWebhooks };
}

/**
 * What leads from a directory to a file; webhooks only where the file speaks of them. What changes in between is seen by
 * its version when it is written.
 */
export async function differenceOf(before: Directory | undefined, file: SealedFile): Promise<Difference> {
  const put: DirectoryEntry[] = [];
  const wanted = new Set<string>();
  await eachInTurns(file.entries, ENTRIES_AT_ONCE, (sealed) => {
    const entry = withLocation(sealed, before);
    wanted.add(entryName(entry));
    if (JSON.stringify(valueIn(before, entry)) !== JSON.stringify(entry.value)) put.push(entry);
  });
  const remove: EntryKey[] = [];
  await eachInTurns(before ? keysIn(before, file) : [], ENTRIES_AT_ONCE, (key) => {
    if (!wanted.has(keyName(key))) remove.push(key);
  });
  return { put, remove };
}

/** Whoever sits by rules that these entries would change, each once. */
export async function usesInTurns(
  put: readonly DirectoryEntry[],
  view: View,
): Promise<readonly Association[]> {
  const uses = new Set<Association>();
  for (const portion of portionsOf(put)) {
    for (const use of usesOf(portion, view)) uses.add(use);
    await turn();
  }
  return [...uses];
}

function* portionsOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += ENTRIES_AT_ONCE)
    yield items.slice(from, from + ENTRIES_AT_ONCE);
}

/** A file is written by hand and knows nothing of where phones are; what is known of it stays. */
function withLocation(entry: DirectoryEntry, before: Directory | undefined): DirectoryEntry {
  if (entry.kind !== 'host') return entry;
  const { location, digest, ...host } = entry.value;
  const after = locationAfterEdit(before?.hosts.get(host.id), { address: host.address, location });
  return { kind: 'host', value: { ...host, ...(after && { location: after }), digest } };
}

function valueIn(directory: Directory | undefined, { kind, value }: DirectoryEntry): unknown {
  if (kind === 'company') return directory?.company;
  return directory?.[`${kind}s`].get(kind === 'user' ? value.extension : value.id);
}

/** Who signs in is never in a file, and stays as long as the person whose account it is. */
function* keysIn(
  { sites, users, hosts, webhooks }: Directory,
  { hasWebhooks }: SealedFile,
): Generator<EntryKey> {
  for (const id of sites.keys()) yield { kind: 'site', id };
  for (const id of users.keys()) yield { kind: 'user', id };
  for (const id of hosts.keys()) yield { kind: 'host', id };
  if (hasWebhooks) for (const id of webhooks.keys()) yield { kind: 'webhook', id };
}
