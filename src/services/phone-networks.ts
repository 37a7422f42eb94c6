import { BlockList, isIP, isIPv4 } from 'node:net';
import type { Binding } from '../domain/binding.ts';
import type { Directory } from '../domain/directory.ts';
import type { Clock, Log, Timers } from './ports.ts';
import type { SeenNetwork } from './snapshot-file.ts';

/** Days after which a network no phone registers from any more is forgotten. */
const KEPT_MS = 30 * 86_400_000;
/** Beyond these the oldest makes room. */
const MAX_NETWORKS = 20_000;
const MAX_ADDRESSES = 200_000;
/** What phones registered at other nodes is looked up this often, so many hosts at a time. */
const SCAN_EVERY_MS = 60_000;
/** While there is no directory yet. */
const FIRST_SCAN_MS = 1_000;
const HOSTS_PER_TURN = 200;

/** Where phones are without anybody having told us: the machine itself and private networks (RFC 1918, 4193, 3927, 4291). */
const LOCAL_NETWORKS = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

export interface PhoneNetworksDependencies {
  readonly view: { readonly directory: Directory | undefined; bindingsOf(host: string): readonly Binding[] };
  readonly clock: Clock & Timers;
  readonly log: Log;
  /** Networks of phones as configured; undefined: private ones, and wherever phones register from. */
  readonly configured: readonly string[] | undefined;
}

export interface Source {
  readonly address: string;
  readonly port: number;
}

/**
 * Where phones are: from elsewhere no emergency call is taken. All of it in memory and found in constant time, because
 * an emergency call waits for nothing.
 */
export class PhoneNetworks {
  readonly #deps: PhoneNetworksDependencies;
  readonly #fixed: BlockList;
  /** Node's test of an address takes microseconds and garbage. Bounded: emptied when full. */
  readonly #inFixed = new Map<string, boolean>();
  /** Network → when a phone last registered from there. */
  readonly #seen = new Map<string, number>();
  /** Addresses phones are registered from at present → until when. */
  readonly #present = new Map<string, number>();
  /** The same with the port: one phone, or one SBC. */
  readonly #flows = new Map<string, number>();
  #timer: { cancel(): void } | undefined;
  /** What phones are registered from has been looked at, once at least. */
  #hasLooked = false;
  #stopped = false;

  constructor(deps: PhoneNetworksDependencies) {
    this.#deps = deps;
    this.#fixed = blockList(deps.configured ?? LOCAL_NETWORKS);
  }

  /** From now on phones registered at other nodes count as well. */
  start(): void {
    void this.#scan();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** A phone has proved itself and registered from here until `expiresAt`, ms since 1970. */
  registered({ address, port }: Source, expiresAt: number): void {
    const plain = plainAddress(address);
    put(this.#flows, `${plain} ${port}`, { value: expiresAt, room: MAX_ADDRESSES });
    put(this.#present, plain, { value: expiresAt, room: MAX_ADDRESSES });
    const network = networkOf(plain);
    if (network !== undefined)
      put(this.#seen, network, { value: this.#deps.clock.now(), room: MAX_NETWORKS });
  }

  /** Whether emergency calls are taken from this address. */
  includes(address: string): boolean {
    const plain = plainAddress(address);
    if (this.#isFixed(plain) || this.hasPhone(plain)) return true;
    if (this.#deps.configured !== undefined) return false;
    // A node without a past that has not seen the store yet cannot tell strangers from phones: nobody is refused.
    if (!this.#hasLooked && this.#seen.size === 0) return true;
    const seenAt = this.#seen.get(networkOf(plain) ?? '');
    return seenAt !== undefined && seenAt > this.#deps.clock.now() - KEPT_MS;
  }

  /** Whether a phone is registered from this address at present. */
  hasPhone(address: string): boolean {
    return (this.#present.get(plainAddress(address)) ?? 0) > this.#deps.clock.now();
  }

  /** Whether a phone is registered over exactly this flow at present. */
  hasPhoneAt({ address, port }: Source): boolean {
    return (this.#flows.get(`${plainAddress(address)} ${port}`) ?? 0) > this.#deps.clock.now();
  }

  /** What is worth keeping through a restart. */
  seen(): readonly SeenNetwork[] {
    const oldest = this.#deps.clock.now() - KEPT_MS;
    return [...this.#seen].filter(([, seenAt]) => seenAt > oldest);
  }

  /** What was kept; what is known already is newer. */
  restore(networks: readonly SeenNetwork[]): void {
    const now = this.#deps.clock.now();
    for (const [network, seenAt] of networks.slice(-MAX_NETWORKS)) {
      // A clock that was ahead must not keep a network for ever.
      if (!this.#seen.has(network))
        put(this.#seen, network, { value: Math.min(seenAt, now), room: MAX_NETWORKS });
    }
  }

  #isFixed(address: string): boolean {
    const known = this.#inFixed.get(address);
    if (known !== undefined) return known;
    if (this.#inFixed.size >= MAX_NETWORKS) this.#inFixed.clear();
    const found = contains(this.#fixed, address);
    this.#inFixed.set(address, found);
    return found;
  }

  /** Looks at what every host is registered from; in turns, because there may be a hundred thousand. */
  async #scan(): Promise<void> {
    try {
      await this.#lookAtBindings();
    } catch (error) {
      this.#deps.log.error({ err: error }, 'where phones are registered from could not be looked up');
    }
    const wait = this.#hasLooked ? SCAN_EVERY_MS : FIRST_SCAN_MS;
    if (!this.#stopped) this.#timer = this.#deps.clock.setTimer(wait, () => void this.#scan());
  }

  async #lookAtBindings(): Promise<void> {
    const { view } = this.#deps;
    if (!view.directory) return;
    let count = 0;
    for (const id of view.directory.hosts.keys()) {
      for (const { flow, expiresAt } of view.bindingsOf(id)) this.registered(flow, expiresAt);
      count += 1;
      if (count % HOSTS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      if (this.#stopped) return;
    }
    this.#hasLooked = true;
    const now = this.#deps.clock.now();
    for (const map of [this.#present, this.#flows])
      for (const [source, until] of map) if (until <= now) map.delete(source);
  }
}

/** `192.0.2.0/24` or `2001:db8:1:200::/56`: as much of an address as one site's phones usually share. */
export function networkOf(address: string): string | undefined {
  const plain = plainAddress(address);
  const family = isIP(plain);
  if (family === 4) return `${plain.split('.').slice(0, 3).join('.')}.0/24`;
  if (family !== 6) return undefined;
  const groups = groupsOf(plain).slice(0, 4);
  const fourth = (groups[3] ?? 0) & 0xff00;
  return `${[...groups.slice(0, 3), fourth].map((group) => group.toString(16)).join(':')}::/56`;
}

/** Without the zone of a link-local address, and IPv4 as such where it came in IPv6's clothes. */
function plainAddress(address: string): string {
  const plain = address.split('%', 1)[0] ?? '';
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const numbers = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => (group.includes('.') ? [0, 0] : [Number.parseInt(group, 16)]));
  const before = numbers(head);
  const after = tail === undefined ? [] : numbers(tail);
  return [...before, ...new Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of networks) {
    const [net = '', bits] = text.split('/');
    const family = isIPv4(net) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(net, family);
    else list.addSubnet(net, Number(bits), family);
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Writes an entry, which is the newest from now on; the oldest makes room. */
function put(map: Map<string, number>, key: string, { value, room }: { value: number; room: number }): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= room) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
