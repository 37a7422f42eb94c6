import type { Directory } from '../../domain/directory.ts';
import { Listing, type Row, sorting } from '../../domain/listing.ts';
import type { EntryKey } from '../directory-document.ts';
import { inSteps, turn } from '../turns.ts';
import {
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
  for (const id of [...entries.keys()]) {
    const entry = entries.get(id);
    if (entry) rows.push(rowOf(entry));
    if (rows.length % ROWS_AT_ONCE === 0) await turn();
  }
  const sorted = new Map<Sort, Row<Sort>[]>();
  for (const sort of sorts) sorted.set(sort, await inSteps(sorting(rows, sort)));
  return new Listing(sorted);
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

/** Their name stands in the rows of their phones, and of where they sit. */
function touchUser(listings: Listings, id: string, facts: RowFacts): void {
  const { directory, view } = facts;
  const user = directory.users.get(id);
  if (user) listings.users.put(userRow(user, facts));
  else listings.users.remove(id);
  const seat = view.associationOf(id)?.host;
  const phones = directory.index.hostsOfOwner(id).map((host) => host.id);
  for (const host of seat === undefined ? phones : [...phones, seat]) touchHost(listings, host, facts);
}

function touchSite({ sites }: Listings, id: string, directory: Directory): boolean {
  const site = directory.sites.get(id);
  const before = sites.get(id);
  if (site) sites.put(siteRow(site));
  else sites.remove(id);
  return before === undefined || (site !== undefined && siteRow(site).keys.name === before.keys.name);
}
