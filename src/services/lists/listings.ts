import type { Directory } from '../../domain/directory.ts';
import { grouping, isSameRow, Listing, type Row, renewing } from '../../domain/listing.ts';
import { sorting } from '../../domain/sorting.ts';
import type { EntryKey } from '../directory-document.ts';
import { eachInTurns, inSteps } from '../turns.ts';
import {
  GROUPED,
  HOST_SORTS,
  type HostSort,
  hostRow,
  type RowFacts,
  SITE_SORTS,
  type SiteSort,
  siteRow,
  USER_SORTS,
  type UserSort,
  userRow,
} from './rows.ts';

/** The lists there are. */
export interface Listings {
  readonly hosts: Listing<HostSort>;
  readonly users: Listing<UserSort>;
  readonly sites: Listing<SiteSort>;
}

const ROWS_AT_ONCE = 250;

/** Puts a directory in order, a few milliseconds at a time; what changes meanwhile is to be touched afterwards. */
export async function buildListings(facts: RowFacts): Promise<Listings> {
  const { hosts, users, sites } = facts.directory;
  return {
    hosts: await build(hosts, HOST_SORTS, (host) => hostRow(host, facts)),
    users: await build(users, USER_SORTS, (user) => userRow(user, facts)),
    sites: await build(sites, SITE_SORTS, siteRow),
  };
}

async function build<Entry, Sort extends string>(
  entries: ReadonlyMap<string, Entry>,
  sorts: readonly Sort[],
  rowOf: (entry: Entry) => Row<Sort>,
): Promise<Listing<Sort>> {
  const rows: Row<Sort>[] = [];
  await eachInTurns(entries.keys(), ROWS_AT_ONCE, (id) => {
    const entry = entries.get(id);
    if (entry) rows.push(rowOf(entry));
  });
  const sorted = new Map<Sort, Row<Sort>[]>();
  let first: readonly Row<Sort>[] | undefined;
  for (const sort of sorts) {
    const inOrder =
      first && GROUPED.has(sort)
        ? await inSteps(grouping(first, sort))
        : (await inSteps(sorting(rows, (row) => row.keys[sort]))).map(({ of }) => of);
    first ??= inOrder;
    sorted.set(sort, inOrder);
  }
  return new Listing(sorted);
}

/** Which rows may be others than they were: all, or these hosts and people, and all who are at these sites. */
export type Stale = 'all' | ReadonlySet<string>;

/** The same listings with many changes at once: what has stayed the same is not put in order again. */
export async function renewListings(old: Listings, stale: Stale, facts: RowFacts): Promise<Listings> {
  const { hosts, users, sites } = facts.directory;
  const isStale = (name: string, site: string): boolean =>
    stale === 'all' || stale.has(name) || stale.has(`site:${site}`);
  const isStalePerson = (extension: string | undefined): boolean =>
    stale === 'all' || (extension !== undefined && stale.has(`user:${extension}`));
  return {
    hosts: await renew(old.hosts, HOST_SORTS, {
      entries: hosts,
      rowOf: (host) => hostRow(host, facts),
      isStale: ({ id, site, owner, reservedFor }) =>
        isStale(`host:${id}`, site) ||
        isStalePerson(owner ?? reservedFor) ||
        isStalePerson(facts.view.associationAt(id)?.guest),
    }),
    users: await renew(old.users, USER_SORTS, {
      entries: users,
      rowOf: (user) => userRow(user, facts),
      isStale: ({ extension, site }) => isStale(`user:${extension}`, site),
    }),
    sites: await renew(old.sites, SITE_SORTS, { entries: sites, rowOf: siteRow, isStale: () => true }),
  };
}

interface Renewal<Entry, Sort extends string> {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly rowOf: (entry: Entry) => Row<Sort>;
  readonly isStale: (entry: Entry) => boolean;
}

async function renew<Entry, Sort extends string>(
  old: Listing<Sort>,
  sorts: readonly Sort[],
  { entries, rowOf, isStale }: Renewal<Entry, Sort>,
): Promise<Listing<Sort>> {
  const changed = new Set<string>();
  const after: Row<Sort>[] = [];
  await eachInTurns(entries, ROWS_AT_ONCE, ([id, entry]) => {
    const before = old.get(id);
    if (before && !isStale(entry)) return;
    const row = rowOf(entry);
    if (before && isSameRow(before, row)) return;
    changed.add(id);
    after.push(row);
  });
  await eachInTurns(old.ids, ROWS_AT_ONCE, (id) => {
    if (!entries.has(id)) changed.add(id);
  });
  const renewed = new Map<Sort, Row<Sort>[]>();
  for (const sort of sorts)
    renewed.set(sort, await inSteps(renewing(old.order(sort), sort, { changed, after })));
  return new Listing(renewed);
}

/** Takes up that an entry has changed, come or gone. False: more rows than can be told by it have. */
export function touch(
  listings: Listings,
  { kind, id }: Exclude<EntryKey, { readonly kind: 'company' }>,
  facts: RowFacts,
): boolean {
  if (kind === 'host') touchHost(listings, id, facts);
  if (kind === 'user') touchUser(listings, id, facts);
  return kind !== 'site' || touchSite(listings, id, facts.directory);
}

function touchHost({ hosts }: Listings, id: string, facts: RowFacts): void {
  const host = facts.directory.hosts.get(id);
  if (host) hosts.put(hostRow(host, facts));
  else hosts.remove(id);
}

/** Their name stands in the rows of their phones, also of former ones that are nobody's yet, and of where they sit. */
function touchUser(listings: Listings, id: string, facts: RowFacts): void {
  const { directory, view } = facts;
  const user = directory.users.get(id);
  if (user) listings.users.put(userRow(user, facts));
  else listings.users.remove(id);
  const seat = view.associationOf(id)?.host;
  const { index } = directory;
  const phones = [...index.hostsOfOwner(id), ...index.hostsReservedFor(id)].map((host) => host.id);
  for (const host of seat === undefined ? phones : [...phones, seat]) touchHost(listings, host, facts);
}

function touchSite({ sites }: Listings, id: string, directory: Directory): boolean {
  const site = directory.sites.get(id);
  const before = sites.get(id);
  if (site) sites.put(siteRow(site));
  else sites.remove(id);
  return before === undefined || (site !== undefined && siteRow(site).keys.name === before.keys.name);
}
