import { sameAddress } from './address.ts';
import type { Host } from './directory.ts';

/** Where a phone was last seen, and whether its address is still believed. Networks are compared as text. */

type Location = NonNullable<Host['location']>;

/**
 * The location of a host whose phone has registered from this network; undefined: nothing changes. The first network
 * ever is where the address was given for; any other one is unverified until somebody says the address is right.
 */
export function locationAfterRegistration(host: Host, network: string): Location | undefined {
  if (host.location?.network === network) return undefined;
  return { network, verified: host.location === undefined };
}

/**
 * The location of a host that is edited or imported: who gives another address has looked, and who gives the same one
 * and no location has not.
 */
export function locationAfterEdit(
  before: Host | undefined,
  after: Pick<Host, 'address' | 'location'>,
): Location | undefined {
  const known = after.location ?? before?.location;
  if (!known || !before || sameAddress(before.address, after.address)) return known;
  return { ...known, verified: true };
}
