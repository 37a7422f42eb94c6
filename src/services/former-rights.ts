import type { Directory } from '../domain/directory.ts';
import type { DirectoryEntry } from '../domain/directory-table.ts';
import type { EntryKey } from './directory-document.ts';
import type { DirectoryEdit } from './directory-service.ts';

/** What goes with people and sites: their names are given out again, and who has one next is somebody else's business. */

/** Extensions are given out again: whoever gets one must not be seen by who had it before. */
export function accountsOfLeavers(remove: readonly EntryKey[], directory: Directory | undefined): EntryKey[] {
  const people = new Set(remove.flatMap((key) => (key.kind === 'user' ? [key.id] : [])));
  if (people.size === 0 || !directory) return [];
  const accounts = [...directory.accounts.values()];
  return accounts
    .filter(({ extension }) => extension !== undefined && people.has(extension))
    .map(({ id }) => ({ kind: 'account', id }));
}

/**
 * Accounts and tokens that lose a site, as it goes or is made anew: nobody has it by having had another one of that name.
 * Who is left with no site may do nothing.
 */
export function formerlyAt(
  { put = [], remove = [] }: DirectoryEdit,
  directory: Directory | undefined,
): DirectoryEntry[] {
  if (!directory) return [];
  const made = put.flatMap(({ kind, value }) =>
    kind === 'site' && !directory.sites.has(value.id) ? [value.id] : [],
  );
  const gone = remove.flatMap((key) => (key.kind === 'site' ? [key.id] : []));
  const ids = new Set([...made, ...gone]);
  if (ids.size === 0) return [];
  const left = <T extends { readonly sites?: readonly string[] | undefined }>(holders: Iterable<T>): T[] =>
    [...holders]
      .filter(({ sites }) => sites?.some((id) => ids.has(id)))
      .map((one) => ({ ...one, sites: one.sites?.filter((id) => !ids.has(id)) }));
  return [
    ...left(directory.accounts.values()).map((value) => ({ kind: 'account', value }) as const),
    ...left(directory.tokens.values()).map((value) => ({ kind: 'token', value }) as const),
  ];
}
