import type { Directory, Host, Site, User } from '../../domain/directory.ts';
import { type Row, searchText, sortKey } from '../../domain/listing.ts';
import type { View } from '../../domain/view.ts';

export const HOST_SORTS = ['nickname', 'id', 'site', 'since'] as const;
export const USER_SORTS = ['name', 'extension', 'site', 'since'] as const;
export const SITE_SORTS = ['name', 'id'] as const;
/** Those whose keys are something before the key of the first of their list. */
export const GROUPED: ReadonlySet<string> = new Set(['site', 'since']);
export type HostSort = (typeof HOST_SORTS)[number];
export type UserSort = (typeof USER_SORTS)[number];
export type SiteSort = (typeof SITE_SORTS)[number];

/** What rows are made of. */
export interface RowFacts {
  readonly directory: Directory;
  readonly view: Pick<View, 'associationAt' | 'associationOf'>;
}

/** Who sits somewhere comes before who does not, the first to come first. */
function sinceKey(startedAt: number | undefined, id: string): string {
  return startedAt === undefined ? `~\u0000${id}` : `${String(startedAt).padStart(15, '0')}\u0000${id}`;
}

const siteKeys = new WeakMap<Site, string>();

/** What comes before the name where a list is by site; made once for all who are there. */
function siteKey(id: string, { sites }: Directory): string {
  const site = sites.get(id);
  if (!site) return sortKey(id, '');
  const known = siteKeys.get(site);
  if (known !== undefined) return known;
  const key = sortKey(site.name, '');
  siteKeys.set(site, key);
  return key;
}

/** A host: found also by its owner, and by who sits there. */
export function hostRow(host: Host, { directory, view }: RowFacts): Row<HostSort> {
  const { id, nickname, site } = host;
  const owner = directory.users.get(host.owner ?? host.reservedFor ?? '');
  const association = view.associationAt(id);
  const guest = directory.users.get(association?.guest ?? '');
  const byName = sortKey(nickname, id);
  return {
    id,
    site,
    text: searchText([
      ...[nickname, id, host.mac, host.model, host.callbackNumber],
      ...[owner?.name, owner?.extension, ...(owner?.numbers ?? []), guest?.name, guest?.extension],
    ]),
    keys: {
      nickname: byName,
      id: sortKey(id, id),
      site: `${siteKey(site, directory)}${byName}`,
      since: sinceKey(association?.startedAt, byName),
    },
  };
}

/** A person. */
export function userRow(user: User, { directory, view }: RowFacts): Row<UserSort> {
  const { extension, name, site, email, numbers } = user;
  const byName = sortKey(name, extension);
  return {
    id: extension,
    site,
    text: searchText([name, extension, email, ...numbers]),
    keys: {
      name: byName,
      extension: sortKey(extension, extension),
      site: `${siteKey(site, directory)}${byName}`,
      since: sinceKey(view.associationOf(extension)?.startedAt, byName),
    },
  };
}

/** A site. */
export function siteRow({ id, name, callbackNumber }: Site): Row<SiteSort> {
  const text = searchText([name, id, callbackNumber]);
  return { id, site: id, text, keys: { name: sortKey(name, id), id: sortKey(id, id) } };
}
