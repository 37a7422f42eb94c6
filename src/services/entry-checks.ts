import { addressToKeep, needsGoodAddress } from '../domain/address.ts';
import type { Directory } from '../domain/directory.ts';
import type { DirectoryEntry } from '../domain/directory-table.ts';
import { controlProblems } from './control-characters.ts';
import { entryName, parseEntry } from './directory-document.ts';
import { addressWords } from './directory-rules.ts';
import { editProblemSteps, editProblems } from './edit-rules.ts';
import { inSteps, turn } from './turns.ts';

/** Whether entries may be written: each by itself, and beside others. */

/** Entries checked before others have their turn. */
const ENTRIES_AT_ONCE = 100;

/** Hosts with their address as it is written; everything else as it is. */
export function asKept(entry: DirectoryEntry): DirectoryEntry {
  if (entry.kind !== 'host') return entry;
  return { kind: 'host', value: { ...entry.value, address: addressToKeep(entry.value.address) } };
}

/** Of entries that are well themselves, what they would break beside others. */
export function problemsOf(put: readonly DirectoryEntry[], directory: Directory): readonly string[] {
  const problems = put.flatMap((entry) => entryProblems(entry, directory));
  return problems.length > 0 ? problems : editProblems(put, directory);
}

/** The same, while others have their turns: what changes meanwhile is seen by its version when it is written. */
export async function problemsInTurns(
  put: readonly DirectoryEntry[],
  directory: Directory,
): Promise<readonly string[]> {
  if (put.length <= ENTRIES_AT_ONCE) return problemsOf(put, directory);
  const problems: string[] = [];
  for (const [i, entry] of put.entries()) {
    if (i % ENTRIES_AT_ONCE === ENTRIES_AT_ONCE - 1) await turn();
    problems.push(...entryProblems(entry, directory));
  }
  return problems.length > 0 ? problems : inSteps(editProblemSteps(put, directory));
}

/** What is wrong with an entry by itself, each problem with its path, such as `user:1001.name: must not be empty`. */
export function entryProblems(entry: DirectoryEntry, { hosts }: Directory): readonly string[] {
  // As the store will have it: without what is undefined.
  const parsed = parseEntry(entryName(entry), JSON.parse(JSON.stringify(entry.value)));
  const isHost = entry.kind === 'host' && needsGoodAddress(hosts.get(entry.value.id), entry.value);
  const bad = isHost ? addressWords(`${entryName(entry)}.address`, entry.value.address) : [];
  const signs = controlProblems(entryName(entry), entry.value);
  return [...new Set([...('problems' in parsed ? parsed.problems : []), ...bad, ...signs])];
}
