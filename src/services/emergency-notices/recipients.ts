import type { Directory, Host, Site } from '../../domain/directory.ts';
import type { EmergencyRecord } from '../../domain/emergency-record.ts';
import type { View } from '../../domain/view.ts';

/** Told at once of one call; a company with more has a list address. */
const MOST = 100;

/** An address as SMTP takes it, and nothing that could be two. */
const EMAIL = /^[^\s@<>()[\]\\,;:"\p{Cc}]{1,64}@[^\s@<>()[\]\\,;:"\p{Cc}]{1,253}$/u;

/** E-mail addresses to tell: the company's and the site's, each once. */
export function emailsOf(
  record: EmergencyRecord,
  directory: Directory | undefined,
  companyWide: readonly string[],
): string[] {
  const all = [
    ...companyWide,
    ...sitesOf(record, directory).flatMap((site) => site.emergencyContacts.emails),
  ];
  const each = new Map(
    all.filter((address) => EMAIL.test(address)).map((email) => [email.toLowerCase(), email]),
  );
  return [...each.values()].slice(0, MOST);
}

/** Ids of hosts and extensions to tell, as the site names them. */
export function phonesOf(record: EmergencyRecord, directory: Directory | undefined): string[] {
  const all = sitesOf(record, directory).flatMap((site) => site.emergencyContacts.phones);
  return [...new Set(all)].slice(0, MOST);
}

/** Where the call came from; when nobody knows, somebody near it is at one of the sites. */
function sitesOf({ site }: EmergencyRecord, directory: Directory | undefined): Site[] {
  if (!directory) return [];
  if (site === undefined) return [...directory.sites.values()];
  const found = directory.sites.get(site);
  return found ? [found] : [];
}

/**
 * The phones behind a name of `phonesOf`: a host, or where a person sits and their own ones, unless somebody else sits
 * there. Not the phone the call came from: who sits at it knows, and has other worries.
 */
export function hostsBehind(
  name: string,
  record: EmergencyRecord,
  view: Pick<View, 'directory' | 'emergencyDirectory' | 'associationAt' | 'associationOf'>,
): string[] {
  const directory = view.directory ?? view.emergencyDirectory;
  if (!directory) return [];
  const host = directory.hosts.get(name);
  const hosts = host ? [host] : hostsOfPerson(name, directory, view);
  return hosts.map(({ id }) => id).filter((id) => id !== record.host);
}

function hostsOfPerson(
  extension: string,
  directory: Directory,
  view: Pick<View, 'associationAt' | 'associationOf'>,
): Host[] {
  const seat = directory.hosts.get(view.associationOf(extension)?.host ?? '');
  const own = directory.index
    .hostsOfOwner(extension)
    .filter(({ id }) => id !== seat?.id && view.associationAt(id) === undefined);
  return seat ? [seat, ...own] : [...own];
}
