import type { Directory, Host, User } from './directory.ts';
import type { View } from './view.ts';

/** Who is at this host now: the guest, else the owner; undefined when the host is free (rule A3). */
export function personAt(host: Host, directory: Directory, view: View): User | undefined {
  const association = view.associationAt(host.id);
  const extension = association ? association.guest : host.owner;
  return extension === undefined ? undefined : directory.users.get(extension);
}

/**
 * Hosts that ring for a person: where they are associated; their own phones when they are not, or when the company
 * rings those as well. An own phone with another guest at it belongs to that guest.
 */
export function hostsOf(user: User, directory: Directory, view: View): readonly Host[] {
  const association = view.associationOf(user.extension);
  const seat = association && directory.hosts.get(association.host);
  if (seat && !directory.company.ringOwnPhone[seat.kind]) return [seat];
  const own = directory.index
    .hostsOfOwner(user.extension)
    .filter((host) => host.id !== seat?.id && view.associationAt(host.id) === undefined);
  return seat ? [seat, ...own] : own;
}

/**
 * Whether this is the own phone of somebody who sits elsewhere, and the company lets it make emergency calls only
 * meanwhile. With a guest at it, it is the guest's.
 */
export function isSilent(host: Host, directory: Directory, view: View): boolean {
  if (host.owner === undefined || view.associationAt(host.id) !== undefined) return false;
  const association = view.associationOf(host.owner);
  const seat = association && directory.hosts.get(association.host);
  return seat !== undefined && !directory.company.ringOwnPhone[seat.kind];
}
