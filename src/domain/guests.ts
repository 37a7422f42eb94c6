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
 * A host as this person may take it by the rules of `decideAssociation`, whoever sits there now; undefined: they may not.
 * One whose limit is shorter than the guest's own they may: its limit says what to change.
 */
export function availableHost(
  user: User,
  host: Host,
  { directory, view }: { readonly directory: Directory; readonly view: Pick<View, 'associationAt'> },
): AvailableHost | undefined {
  const { company, users } = directory;
  const owner = host.owner === undefined ? undefined : users.get(host.owner);
  if (refuseGuest({ host, user, owner })) return undefined;
  return {
    ...{ host: host.id, kind: host.kind, nickname: host.nickname, site: host.site },
    owner: ownedBy(owner),
    limitHours: hostLimitHours(host, company),
    free: view.associationAt(host.id) === undefined,
  };
}

/** Whether `availableHost` would give it; for long lists, of which few are shown. */
export function mayTake(user: User, host: Host, users: Directory['users']): boolean {
  const owner = host.owner === undefined ? undefined : users.get(host.owner);
  return refuseGuest({ host, user, owner }) === undefined;
}

function ownedBy(owner: User | undefined): AvailableHost['owner'] {
  return owner && { extension: owner.extension, name: owner.name, number: owner.numbers[0] };
}
