import { isIP } from 'node:net';
import type { Host } from '../domain/directory.ts';
import { locationAfterRegistration } from '../domain/location.ts';
import { isRefusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { DirectoryEdit, DirectoryService } from './directory-service.ts';
import type { Log, Timers } from './ports.ts';

/** How long changes are collected: an office that is switched on is one write, not a hundred. */
const COLLECT_MS = 250;
/** A phone that is in two places at once may not fill the log. */
const SPACING_MS = 60_000;
/** When the store does not answer. */
const RETRY_MS = 5_000;
/** Hosts of one write: some ms of work for each node. */
const BATCH = 50;

export interface LocationsDependencies {
  readonly store: Pick<Store, 'claimOnce'>;
  readonly view: Pick<View, 'directory'>;
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly timers: Timers;
  readonly log: Log;
  /** Who the log of changes names: `node:<id>`. */
  readonly actor: string;
}

/**
 * Keeps in the directory from which network each phone registers. One that comes from another network has perhaps been
 * carried away: its address is marked unverified until somebody confirms it. All of it happens behind the registration
 * and in no call's way.
 */
export class Locations {
  readonly #deps: LocationsDependencies;
  /** Host → network it registered from last, where the directory says otherwise. No longer than the list of hosts. */
  readonly #pending = new Map<string, string>();
  /** Hosts whose turn is later: they were marked a moment ago, by whichever node. */
  readonly #waiting = new Map<string, { cancel(): void }>();
  #next: { cancel(): void } | undefined;
  #working: Promise<void> | undefined;
  #stopped = true;

  constructor(deps: LocationsDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#stopped = false;
  }

  /** What was not written is found again when the phone registers the next time. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#next?.cancel();
    this.#next = undefined;
    for (const timer of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
    this.#pending.clear();
    await this.#working;
  }

  /** A phone has registered from this address. Returns at once and never throws. */
  registered(id: string, address: string): void {
    if (this.#stopped) return;
    const host = this.#deps.view.directory?.hosts.get(id);
    const network = networkOf(address);
    if (!host || network === undefined) return;
    if (!locationAfterRegistration(host, network)) {
      this.#pending.delete(id);
      return;
    }
    this.#pending.set(id, network);
    if (!this.#waiting.has(id)) this.#schedule(COLLECT_MS);
  }

  #schedule(ms: number): void {
    if (this.#next || this.#working || this.#stopped) return;
    this.#next = this.#deps.timers.setTimer(ms, () => {
      this.#next = undefined;
      this.#working = this.#workSafely().finally(() => {
        this.#working = undefined;
        if (this.#ready().length > 0) this.#schedule(RETRY_MS);
      });
    });
  }

  async #workSafely(): Promise<void> {
    try {
      await this.#work();
    } catch (error) {
      // The store being away is told elsewhere.
      if (!(error instanceof StoreUnavailable))
        this.#deps.log.error({ err: error }, 'the network of a phone could not be noted');
    }
  }

  /** Until nothing is ready or the store gives up. */
  async #work(): Promise<void> {
    for (let ready = this.#ready(); ready.length > 0 && !this.#stopped; ready = this.#ready()) {
      const isNew = (id: string): boolean => this.#hostOf(id)?.location === undefined;
      const fresh = ready.filter(isNew);
      for (let at = 0; at < fresh.length; at += BATCH) {
        if (this.#stopped || !(await this.#note(fresh.slice(at, at + BATCH)))) return;
      }
      for (const id of ready.filter((id) => !isNew(id))) {
        if (this.#stopped || !(await this.#mark(id))) return;
      }
    }
  }

  /** The first registration of these hosts. */
  async #note(ids: readonly string[]): Promise<boolean> {
    const seen = ids.map((id) => ({ id, network: this.#pending.get(id) }));
    const { directory, actor } = this.#deps;
    const result = await directory.editDirectory(({ hosts }) => {
      const put = seen.flatMap(({ id, network }) => {
        const host = hosts.get(id);
        return !host || host.location || network === undefined ? [] : [moved(host, network)];
      });
      return { put };
    }, actor);
    if (isRefusal(result)) return this.#cannot(ids, result);
    for (const { id, network } of seen) this.#settle(id, network);
    return true;
  }

  /** A phone that was somewhere else before; at most once a minute, whichever node sees it. */
  async #mark(id: string): Promise<boolean> {
    const { store, directory, actor, log } = this.#deps;
    const seen = this.#hostOf(id);
    const wanted = this.#pending.get(id);
    // Another node was first, or the phone is back where it was.
    if (!seen || wanted === undefined || !locationAfterRegistration(seen, wanted)) {
      this.#settle(id, wanted);
      return true;
    }
    if (!(await store.claimOnce(`location:${id}`, SPACING_MS))) {
      this.#wait(id);
      return true;
    }
    const network = this.#pending.get(id);
    let told = false;
    const result = await directory.editDirectory(({ hosts }): DirectoryEdit => {
      const host = hosts.get(id);
      told = host?.location?.verified === true && host.location.network !== network;
      if (!host || network === undefined || !locationAfterRegistration(host, network)) return {};
      const notice = { notice: 'locationUnverified', host: id } as const;
      return { put: [moved(host, network)], ...(told && { notice }) };
    }, actor);
    if (isRefusal(result)) return this.#cannot([id], result);
    if (told) log.warn({ host: id, network }, 'a phone has moved: its emergency address is not verified');
    this.#settle(id, network);
    return true;
  }

  /** False: the store is asked again later. What can never be written is forgotten until the phone is seen again. */
  #cannot(ids: readonly string[], { refused, detail }: { refused: string; detail?: string }): boolean {
    if (refused === 'storeUnavailable' || refused === 'stateUnknown') return false;
    this.#deps.log.error({ hosts: ids, refused, detail }, 'the network of a phone could not be noted');
    for (const id of ids) this.#pending.delete(id);
    return true;
  }

  #wait(id: string): void {
    const timer = this.#deps.timers.setTimer(SPACING_MS, () => {
      this.#waiting.delete(id);
      if (this.#pending.has(id)) this.#schedule(COLLECT_MS);
    });
    this.#waiting.set(id, timer);
  }

  /** Unless the phone has moved on meanwhile. */
  #settle(id: string, network: string | undefined): void {
    if (this.#pending.get(id) === network) this.#pending.delete(id);
  }

  #ready(): string[] {
    return [...this.#pending.keys()].filter((id) => !this.#waiting.has(id));
  }

  #hostOf(id: string): Host | undefined {
    return this.#deps.view.directory?.hosts.get(id);
  }
}

function moved(host: Host, network: string): { kind: 'host'; value: Host } {
  const location = locationAfterRegistration(host, network) ?? host.location;
  return { kind: 'host', value: { ...host, location } };
}

/**
 * The network an address belongs to, as far as a place goes: `192.0.2.0/24`, `2001:db8:1:100::/56`. An IPv4 address
 * written as IPv6 (RFC 4291 2.5.5.2) is what it is; undefined for what is no address.
 */
export function networkOf(address: string): string | undefined {
  const [ip = ''] = address.replace(/^\[|\]$/g, '').split('%');
  if (isIP(ip) === 4) return `${ip.split('.').slice(0, 3).join('.')}.0/24`;
  if (isIP(ip) !== 6) return undefined;
  const words = ipv6Words(ip);
  const [, , , , , mapped, high = 0, low = 0] = words;
  if (mapped === 0xffff && words.slice(0, 5).every((word) => word === 0))
    return `${high >> 8}.${high & 255}.${low >> 8}.0/24`;
  const kept = [...words.slice(0, 3), (words[3] ?? 0) & 0xff00].map((word) => word.toString(16));
  return `${new URL(`http://[${kept.join(':')}::]`).hostname.slice(1, -1)}/56`;
}

/** Eight groups of sixteen bits. */
function ipv6Words(ip: string): number[] {
  // Without dotted quads and upper case, as a URL writes it.
  const [front = '', back] = new URL(`http://[${ip}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  if (back === undefined) return groups(front);
  const [left, right] = [groups(front), groups(back)];
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}
