import { hostLimitHours, refuseGuest, refuseLicence } from './association.ts';
import type { Directory, Host, User } from './directory.ts';
import type { Refusal } from './reasons.ts';
import type { View } from './view.ts';

/** A host in the list a guest chooses from (rule B3). */
export interface AvailableHost {
  /** Host id. */
  readonly host: string;
  readonly kind: Host['kind'];
  readonly nickname: string;
  /** Site id. */
  readonly site: string;
  /** Whose phone it is; absent: a common area phone. `number`: a direct number, E.164, if they have one. */
  readonly owner?:
    | { readonly extension: string; readonly name: string; readonly number: string | undefined }
    | undefined;
  /** Hours a guest may stay; undefined: as long as they like. At user hosts the guest's own limit must not be longer. */
  readonly limitHours: number | undefined;
  /** Nobody sits there, as far as this node knows. */
  readonly free: boolean;
}

/** Whether this person is nowhere a guest. */
export function refuseGuestEverywhere(user: User): Refusal | undefined {
  return refuseLicence('commonArea', user) && refuseLicence('user', user);
}

/**
 * Hosts this person may take by the rules of `decideAssociation`, whoever sits there now: those of their own site first,
 * then by name. One whose limit is shorter than the guest's own is in it: its limit says what to change.
 */
export function availableHosts(
  user: User,
  { company, hosts, users }: Directory,
  view: Pick<View, 'associationAt'>,
): AvailableHost[] {
  const ownerOf = (host: Host): User | undefined =>
    host.owner === undefined ? undefined : users.get(host.owner);
  return [...hosts.values()]
    .filter((host) => !refuseGuest({ host, user, owner: ownerOf(host) }))
    .sort((a, b) => byNearness(a, b, user.site))
    .map((host) => ({
      ...{ host: host.id, kind: host.kind, nickname: host.nickname, site: host.site },
      owner: ownedBy(ownerOf(host)),
      limitHours: hostLimitHours(host, company),
      free: view.associationAt(host.id) === undefined,
    }));
}

function ownedBy(owner: User | undefined): AvailableHost['owner'] {
  return owner && { extension: owner.extension, name: owner.name, number: owner.numbers[0] };
}

function byNearness(a: Host, b: Host, site: string): number {
  const far = Number(a.site !== site) - Number(b.site !== site);
  return far || compare(a.nickname, b.nickname) || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
