import type { Directory, Host, User } from './directory.ts';

/** What calls look up, computed once per directory. */
export interface DirectoryIndex {
  /** User by direct number, E.164. */
  readonly userByNumber: ReadonlyMap<string, User>;
  /** Phones of their own, by extension. */
  readonly hostsByOwner: ReadonlyMap<string, readonly Host[]>;
  /** Hosts by the number a PSAP would call back, E.164: their own or the site's. */
  readonly hostsByCallback: ReadonlyMap<string, readonly Host[]>;
  /** How many digits extensions have. */
  readonly extensionLengths: ReadonlySet<number>;
}

const known = new WeakMap<Directory, DirectoryIndex>();

/** The index of a directory; remembered as long as the directory lives, which never changes once made. */
export function indexOf(directory: Directory): DirectoryIndex {
  const found = known.get(directory);
  if (found) return found;
  const made = makeIndex(directory);
  known.set(directory, made);
  return made;
}

/** The number a PSAP may call back to reach this host, E.164. */
export function callbackNumberOf(host: Host, directory: Directory): string | undefined {
  return host.callbackNumber ?? directory.sites.get(host.site)?.callbackNumber;
}

function makeIndex(directory: Directory): DirectoryIndex {
  const users = [...directory.users.values()];
  const hosts = [...directory.hosts.values()];
  return {
    userByNumber: new Map(users.flatMap((user) => user.numbers.map((number) => [number, user] as const))),
    hostsByOwner: groupBy(hosts, (host) => (host.kind === 'user' ? host.owner : undefined)),
    hostsByCallback: groupBy(hosts, (host) => callbackNumberOf(host, directory)),
    extensionLengths: new Set(users.map((user) => user.extension.length)),
  };
}

function groupBy(hosts: readonly Host[], keyOf: (host: Host) => string | undefined): Map<string, Host[]> {
  const groups = new Map<string, Host[]>();
  for (const host of hosts) {
    const key = keyOf(host);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(host);
    else groups.set(key, [host]);
  }
  return groups;
}
