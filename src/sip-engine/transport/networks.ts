import { BlockList, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** One address of this machine and the network it is in. */
export interface LocalNetwork {
  address: string;
  internal: boolean;
  contains(address: string): boolean;
}

type Family = 'ipv4' | 'ipv6';

export function familyOf(address: string): Family {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

/** A link-local address without its interface: `fe80::1%eth0` is `fe80::1` to everybody else. */
export function withoutScope(address: string): string {
  const percent = address.indexOf('%');
  return percent < 0 ? address : address.slice(0, percent);
}

/** 0.0.0.0 and ::. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function localNetwork(address: string, cidr: string, internal: boolean): LocalNetwork {
  const family = familyOf(address);
  const list = new BlockList();
  list.addSubnet(address, Number(cidr.split('/')[1]), family);
  const contains = (other: string) => familyOf(other) === family && list.check(withoutScope(other), family);
  return { address, internal, contains };
}

/** The networks this machine has an address in, now. */
export function localNetworks(): LocalNetwork[] {
  const networks: LocalNetwork[] = [];
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, cidr, internal } of addresses ?? []) {
      if (cidr !== null) networks.push(localNetwork(address, cidr, internal));
    }
  }
  return networks;
}

/** The own address a peer at `remote` most likely sees: one in its network, else an external one, else any. */
export function ownAddressFor(remote: string, networks: readonly LocalNetwork[]): string | undefined {
  const family = familyOf(remote);
  const usable = networks.filter((network) => familyOf(network.address) === family);
  const match =
    usable.find((network) => network.contains(remote)) ??
    usable.find((network) => !network.internal) ??
    usable[0];
  return match?.address;
}

/** How well a socket bound to `local` fits a peer at `remote`; higher is better, 0 is not at all. */
export function fitness(local: string, remote: string, networks: readonly LocalNetwork[]): number {
  if (familyOf(local) !== familyOf(remote)) return 0;
  if (local === remote) return 5;
  const own = networks.find((network) => network.address === local);
  if (own?.contains(remote)) return 4;
  if (isWildcard(local)) return 3;
  // A socket on a loopback address cannot reach another machine, but is better than no socket.
  return own?.internal ? 1 : 2;
}
