import type { Account } from './account.ts';
import type { Directory, Host, User } from './directory.ts';

/** What calls look up; kept up to date with the directory, entry by entry (see directory-table). */
export interface DirectoryIndex {
  /** User by direct number, E.164. */
  userByNumber(number: string): User | undefined;
  /** Phones of their own, by extension. */
  hostsOfOwner(extension: string): readonly Host[];
  /** Unassigned phones that were theirs, by extension. */
  hostsReservedFor(extension: string): readonly Host[];
  /** Hosts by the number a PSAP would call back, E.164: their own or the site's. */
  hostsByCallback(number: string): readonly Host[];
  /** Whether any extension has this many digits. */
  hasExtensionOfLength(digits: number): boolean;
  /** Whether more digits after these can make an extension. */
  continuesToExtension(digits: string): boolean;
  /** Whether a site has this emergency number of its own; with `prefix`: a site with this outside-line prefix. */
  isSiteEmergency(digits: string, prefix?: string): boolean;
  /** Whether a site has this outside-line prefix; `''` is none. */
  isOutsideLine(prefix: string): boolean;
  /** `email`: as `canonicalEmail` writes it. */
  accountByEmail(email: string): Account | undefined;
  /** `subject`: as the identity provider says it. */
  accountBySubject(subject: string): Account | undefined;
}

/** The number a PSAP may call back to reach this host, E.164. */
export function callbackNumberOf(host: Host, directory: Pick<Directory, 'sites'>): string | undefined {
  return host.callbackNumber ?? directory.sites.get(host.site)?.callbackNumber;
}
