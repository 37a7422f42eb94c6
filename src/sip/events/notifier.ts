import type { View } from '../../domain/view.ts';
import type { SharedState } from '../../services/shared-state.ts';
import type { Identifier } from '../identify.ts';
import type { Clock, Log, Timer } from '../ports.ts';
import type { Request, Response, Srf } from '../srf.ts';
import { Caretaker } from './caretaker.ts';
import { Feed, type FeedHouse, SPACING_MS } from './feed.ts';
import { FeedTable } from './feed-table.ts';
import { NotifySender } from './notify-sender.ts';
import { Pacer } from './pacer.ts';
import type { EventPackage } from './package.ts';
import { entryName, type SubscriptionRecord } from './record.ts';
import { Slices } from './slices.ts';
import { SubscribeHandler } from './subscribe.ts';

/** NOTIFYs of this node a second, and at once. */
const RATE = { perSecond: 200, burst: 20 };
/** ms an entry outlives its subscription. */
const GRACE_MS = 30_000;
/** ms to wait for more changes of the directory before subscriptions are looked through. */
const SETTLE_MS = 500;
/** NOTIFYs that may have been sent besides those that time allows: clocks differ. */
const MARGIN = 40;
/** RFC 3261 8.1.1.5. */
const LAST_CSEQ = 2 ** 31 - 1;

/** What the notifier needs beside the rest of the SIP application. */
export interface EventDependencies {
  readonly packages: readonly EventPackage[];
  readonly shared: SharedState;
  /** See Store.claimOnce. */
  claimOnce(name: string, ttlMs: number): Promise<boolean>;
  /** Name of this node: `[A-Za-z0-9._-]{1,80}`. */
  readonly node: string;
  /** The store's clock, ms since 1970. */
  storeNow(): number;
  /** Called after each change of the directory. */
  onDirectoryChange(listener: () => void): () => void;
}

export interface NotifierOptions {
  readonly deps: {
    readonly srf: Pick<Srf, 'request'>;
    readonly view: Pick<View, 'bindingsOf' | 'directory' | 'knowledge'>;
    readonly clock: Clock;
    readonly log: Log;
    readonly events: EventDependencies;
  };
  readonly identifier: Pick<Identifier, 'authenticate'>;
}

/**
 * The notifier of RFC 6665, for every event package: answers SUBSCRIBE, sends NOTIFY. Its subscriptions are no node's
 * and no process's own: each is a shared entry, and the next process, or another node, goes on with it.
 */
export class Notifier {
  readonly #deps: NotifierOptions['deps'];
  readonly #packages: ReadonlyMap<string, EventPackage>;
  readonly #table = new FeedTable();
  readonly #house: FeedHouse;
  readonly #handler: SubscribeHandler;
  readonly #caretaker: Caretaker;
  readonly #sweep: Slices;
  readonly #takeDown: (() => void)[] = [];
  #settling: Timer | undefined;
  #stopped = false;

  constructor({ deps, identifier }: NotifierOptions) {
    const { clock, log, events } = deps;
    this.#deps = deps;
    this.#packages = new Map(events.packages.map((pack) => [pack.event.toLowerCase(), pack]));
    this.#house = {
      ...{ clock, log, now: () => events.storeNow() },
      pacer: new Pacer(clock, RATE),
      sender: new NotifySender(deps),
      save: (feed) => this.#save(feed),
      ended: (feed, why) => this.#ended(feed, why),
    };
    this.#handler = new SubscribeHandler({
      ...{ identifier, clock, log, packages: this.#packages, table: this.#table, shared: events.shared },
      ...{ node: events.node, now: () => events.storeNow() },
      isLoaded: () => deps.view.directory !== undefined,
      begin: (id, record) => this.#begin(id, record),
      adopt: (id, record) => this.#adopt(id, record),
    });
    this.#sweep = new Slices(clock);
    this.#caretaker = new Caretaker({
      ...{ clock, log, shared: events.shared, node: events.node, now: () => events.storeNow() },
      claimOnce: (name, ttlMs) => events.claimOnce(name, ttlMs),
      isReady: () => deps.view.directory !== undefined && deps.view.knowledge === 'fresh',
      has: (id) => this.#table.get(id) !== undefined,
      adopt: (id, record) => this.#resume(id, record),
      lost: (id) => this.#lost(id),
    });
  }

  /** Subscriptions this node serves. */
  get size(): number {
    return this.#table.size;
  }

  /** Goes on with subscriptions nobody serves; the SIP server is to be connected. */
  start(): void {
    for (const pack of this.#packages.values())
      this.#takeDown.push(pack.watch((resource) => this.#changed(pack.event.toLowerCase(), resource)));
    this.#takeDown.push(this.#deps.events.onDirectoryChange(() => this.#directoryChanged()));
    this.#caretaker.start();
  }

  /** Falls silent. Subscriptions stay what they are: another process goes on with them. */
  stop(): void {
    this.#stopped = true;
    for (const takeDown of this.#takeDown.splice(0)) takeDown();
    this.#settling?.cancel();
    this.#sweep.stop();
    this.#caretaker.stop();
    this.#house.pacer.stop();
    for (const feed of [...this.#table.all()]) this.#forget(feed);
  }

  /** A SUBSCRIBE, new or within a subscription. */
  handle(request: Request, response: Response): void {
    if (this.#stopped) return response.send(503);
    this.#handler.handle(request, response);
  }

  #begin(id: string, record: SubscriptionRecord): Feed | undefined {
    const feed = this.#add(id, record, true);
    const { subscriber: host, event, resource } = record;
    if (feed && record.expiresAt > this.#house.now())
      this.#deps.log.info({ host, event, resource }, 'subscription begins');
    return feed;
  }

  /** A subscription of another node or process is ours from now on; nothing is said yet. */
  #adopt(id: string, record: SubscriptionRecord): Feed | undefined {
    const cseq = record.cseq + this.#unknownIn(record);
    if (cseq >= LAST_CSEQ) return undefined;
    const feed = this.#add(id, { ...record, cseq, node: this.#deps.events.node }, false);
    if (feed) this.#save(feed);
    return feed;
  }

  /** NOTIFYs that may have been sent and are not in the record: at most so many had time to. */
  #unknownIn({ at }: SubscriptionRecord): number {
    return MARGIN + Math.ceil(Math.max(0, this.#house.now() - at) / SPACING_MS);
  }

  #resume(id: string, record: SubscriptionRecord): void {
    const feed = this.#adopt(id, record);
    if (!feed) return;
    this.#check(feed);
    feed.resume(this.#unknownIn(record));
  }

  #add(id: string, record: SubscriptionRecord, inDialog: boolean): Feed | undefined {
    const pack = this.#packages.get(record.event);
    if (!pack || this.#stopped) return undefined;
    const feed = new Feed({ id, record, pack, house: this.#house, inDialog });
    this.#table.add(feed);
    return feed;
  }

  #save(feed: Feed): void {
    const { shared } = this.#deps.events;
    const name = entryName(feed.id);
    if (feed.isEnding) return this.#erase(name);
    const ttl = feed.record.expiresAt - this.#house.now() + GRACE_MS;
    shared.put(name, { ...feed.record }, Math.max(ttl, GRACE_MS));
  }

  #erase(name: string): void {
    const { shared } = this.#deps.events;
    if (shared.get(name) !== undefined) shared.put(name, undefined, GRACE_MS);
  }

  #ended(feed: Feed, why: string): void {
    this.#table.remove(feed);
    const name = entryName(feed.id);
    const wasKept = this.#deps.events.shared.get(name) !== undefined;
    this.#erase(name);
    const { subscriber: host, event, resource } = feed.record;
    const level = wasKept || why !== 'timeout' ? 'info' : 'debug';
    this.#deps.log[level]({ host, event, resource, why }, 'subscription ended');
  }

  #lost(id: string): void {
    const feed = this.#table.get(id);
    if (feed) this.#forget(feed);
  }

  #forget(feed: Feed): void {
    feed.forget();
    this.#table.remove(feed);
  }

  #changed(event: string, resource: string): void {
    for (const feed of [...this.#table.watching(event, resource)]) feed.changed();
  }

  #directoryChanged(): void {
    this.#settling ??= this.#deps.clock.setTimer(SETTLE_MS, () => {
      this.#settling = undefined;
      this.#sweep.each([...this.#table.all()], (feed) => this.#check(feed));
    });
  }

  /** Whether the phone is still there, and may still watch what it watches. */
  #check(feed: Feed): void {
    const { subscriber, resource, event } = feed.record;
    const hosts = this.#deps.view.directory?.hosts;
    if (hosts && !hosts.has(subscriber)) return feed.end('noresource');
    const admission = this.#packages.get(event)?.admit({ subscriber, resource }) ?? 'admitted';
    if (admission !== 'admitted') feed.end(admission.status === 404 ? 'noresource' : 'rejected');
  }
}
