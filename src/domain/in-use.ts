import type { Association } from './association.ts';
import type { AddOn, Host, User } from './directory.ts';
import type { DirectoryEntry } from './directory-table.ts';
import type { Refusal } from './reasons.ts';
import type { View } from './view.ts';

/** What a company has so many of: the hot-desk licence (A7) and the add-ons (B1). */
export type Licence = 'hotDesk' | AddOn;

export const LICENCES: readonly Licence[] = ['hotDesk', 'host', 'guest'];

type Seats = Pick<View, 'associationAt' | 'associationOf' | 'directory'>;

/** Keys of a host that say who may sit there, and for how long (rule B2). */
const HOST_RULES = ['enabled', 'associationLimitHours', 'accessLevel', 'kind', 'owner', 'site'] as const;

export function holds(user: Pick<User, 'hotDeskLicence' | 'addOns'>, licence: Licence): boolean {
  return licence === 'hotDesk' ? user.hotDeskLicence : user.addOns.includes(licence);
}

/** Who sits at a host whose rules change. */
export function usesOfHost(before: Host, after: Host, view: Seats): readonly Association[] {
  const isSame = HOST_RULES.every((rule) => before[rule] === after[rule]);
  const association = isSame ? undefined : view.associationAt(before.id);
  return association ? [association] : [];
}

/** Associations that need what is taken away from a person: a licence (rules A7, B1) or their site (B2). */
export function usesOfPerson(before: User, after: User, view: Seats): readonly Association[] {
  const lost = new Set(LICENCES.filter((licence) => holds(before, licence) && !holds(after, licence)));
  if (lost.size === 0 && before.site === after.site) return [];
  const own = view.associationOf(before.extension);
  const kind = own && view.directory?.hosts.get(own.host)?.kind;
  const asGuest = own && lost.has(kind === 'user' ? 'guest' : 'hotDesk') ? [own] : [];
  const phones = lost.has('host') ? view.directory?.index.hostsOfOwner(before.extension) : undefined;
  const atHosts = (phones ?? []).flatMap(({ id }) => view.associationAt(id) ?? []);
  return [...new Set([...asGuest, ...strayed(before, after, { own, view }), ...atHosts])];
}

/** Who goes to another site does not stay at a phone that is for people of the old one (B2). */
function strayed(
  before: User,
  after: User,
  { own, view }: { readonly own: Association | undefined; readonly view: Seats },
): readonly Association[] {
  const host = own && view.directory?.hosts.get(own.host);
  const isStray = before.site !== after.site && host?.accessLevel === 'site' && host.site !== after.site;
  return own && isStray ? [own] : [];
}

/** Where a guest sits whose settings change (rule B3); common area phones ask nothing of them. */
export function usesOfGuestService(before: User, after: User, view: Seats): readonly Association[] {
  const isSame =
    before.guestEnabled === after.guestEnabled &&
    before.associationLimitHours === after.associationLimitHours;
  const association = isSame ? undefined : view.associationOf(before.extension);
  const isGuest = association && view.directory?.hosts.get(association.host)?.kind === 'user';
  return isGuest ? [association] : [];
}

/** Whoever sits by rules that these entries would change, each once. */
export function usesOf(put: readonly DirectoryEntry[], view: Seats): readonly Association[] {
  return [...new Set(put.flatMap((entry) => usesOfEntry(entry, view)))];
}

function usesOfEntry(entry: DirectoryEntry, view: Seats): readonly Association[] {
  if (entry.kind === 'host') {
    const host = view.directory?.hosts.get(entry.value.id);
    return host ? usesOfHost(host, entry.value, view) : [];
  }
  const user = entry.kind === 'user' ? view.directory?.users.get(entry.value.extension) : undefined;
  if (!user || entry.kind !== 'user') return [];
  return [...usesOfPerson(user, entry.value, view), ...usesOfGuestService(user, entry.value, view)];
}

/** What may not change while this person is logged in there. */
export function runningAt({ host, guest }: Association): Refusal {
  return { refused: 'associationRunning', detail: `${guest} is logged in at ${host}: release first` };
}
