import type { Follower, Store } from '../store.ts';
import { createAssociations } from './associations.ts';
import { createAttempts } from './attempts.ts';
import { createBindingsWriter } from './bindings.ts';
import { type Connection, createLink, type Link, type LinkOptions } from './connection.ts';
import { createDirectoryWriter } from './directory.ts';
import { createDurability, type Durability } from './durability.ts';
import { createEmergencies } from './emergencies.ts';
import { followStreams } from './follower.ts';
import { createGuesses } from './guesses.ts';
import { createKeys } from './keys.ts';
import { createLogReaders } from './log-readers.ts';
import { createOrders } from './orders.ts';
import { createRecordings } from './recordings.ts';
import { createSessions } from './sessions.ts';
import { createSharedWriter } from './shared.ts';
import { loadSnapshot } from './snapshot.ts';
import { createStoreClock, measureStoreClock, type StoreClock } from './store-clock.ts';
import { createTakeBacks } from './take-backs.ts';
import { createClusterLocator, createSentinelLocator, type Locator, type Place } from './topology.ts';

export interface RedisStoreOptions {
  /** `redis://` or `rediss://` URL, a unix socket, sentinels or a cluster. */
  readonly connection: Place;
  /** Id of the company, `[a-z0-9-]+`. */
  readonly company: string;
  /** Name of this node: actor of the expiries it claims, and name of its connections. */
  readonly node: string;
  /** ms since 1970. */
  readonly clock: { now(): number };
  /** Longest wait for an answer, ms; default 250. */
  readonly commandTimeoutMs?: number;
  /** Replicas that must confirm a login before it is acknowledged; default 0. */
  readonly waitForReplicas?: number;
  /** Log people in although Redis may lose acknowledged logins in a crash; default false. */
  readonly acceptWeakDurability?: boolean;
  /** Longest change log; beyond it the oldest entries go, whoever has not taken them yet; default 1,000,000. */
  readonly maxEntries?: number;
  /** Orders kept at most; default 10,000. */
  readonly maxOrders?: number;
  /** Told what an operator should know; neither text nor error holds a secret. */
  readonly onProblem?: (text: string, error?: Error) => void;
}

/**
 * State of one company in Redis. `start` rejects when Redis answers and could lose acknowledged
 * logins; a Redis that does not answer is no reason to reject, as calls must go on: the store connects when it can.
 * @throws TypeError for a company id that is not `[a-z0-9-]+`
 */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { node, clock, commandTimeoutMs = 250, waitForReplicas = 0, acceptWeakDurability = false } = options;
  const onProblem = options.onProblem ?? (() => undefined);
  const keys = createKeys(options.company);
  const { connection, locator } = connectionTo(options.connection, keys.records);
  const linkOptions = { connection, node, clock, commandTimeoutMs, onProblem };
  const { link, logins } = createLinks(linkOptions, waitForReplicas);
  const storeClock = createStoreClock(clock);
  const durability = createDurability({
    ...{ link: logins, clock, waitForReplicas, locator, onProblem },
    onChange: (text) => isStarted && !acceptWeakDurability && onProblem(text),
  });
  let isStarted = false;
  const followers = createFollowers({ connection, keys, node, clock, onProblem });
  const readers = createLogReaders({ ...linkOptions, link, keys, maxEntries: options.maxEntries });
  logins.onReady(() => getToKnow(logins, { storeClock, durability }));
  const takeBacks = createTakeBacks({ link: logins, keys, node, waitForReplicas, onProblem });
  const links = [...new Set([link, logins])];

  async function start(): Promise<void> {
    await Promise.all(links.map((each) => each.open()));
    const weakness = await durability.checkAll();
    isStarted = true;
    if (weakness === undefined) return;
    if (acceptWeakDurability)
      return onProblem(`${weakness}. Logins are acknowledged all the same, as configured`);
    await stop();
    throw new Error(weakness);
  }

  async function stop(): Promise<void> {
    takeBacks.stop();
    await Promise.all([followers.stop(), readers.stop()]);
    for (const each of links) each.close();
    locator?.close();
  }

  return {
    start,
    stop,
    get available() {
      return link.available && logins.available;
    },
    get weakness() {
      return acceptWeakDurability ? undefined : durability.weakness;
    },
    ...createAssociations({
      ...{ link: logins, keys, node, storeClock, durability, acceptWeakDurability },
      ...{ commandTimeoutMs, waitForReplicas, takeBacks },
    }),
    ...{ ...createGuesses(link, keys), ...createEmergencies(link, keys) },
    ...createDirectoryWriter(link, keys, options.maxOrders),
    ...createOrders({ link, keys, maxOrders: options.maxOrders, onProblem }),
    ...{ ...createBindingsWriter(link, keys), ...createSharedWriter(link, keys) },
    ...{ ...createRecordings(link, keys), ...createSessions(link, keys) },
    ...createAttempts(link, keys),
    snapshot: async () => (await loadSnapshot({ keys, run: link.run, onProblem })).snapshot,
    follow: followers.follow,
    ...readers.methods,
  };
}

/** A new connection may lead to another Redis; what fails is asked for again by the next login. */
function getToKnow(
  link: Link,
  { storeClock, durability }: { readonly storeClock: StoreClock; readonly durability: Durability },
): void {
  measureStoreClock(storeClock, link).catch(() => undefined);
  durability.check().catch(() => undefined);
}

/** WAIT holds up what comes after it on the same connection, so logins that wait for replicas have one of their own. */
function createLinks(
  options: LinkOptions,
  waitForReplicas: number,
): { readonly link: Link; readonly logins: Link } {
  const link = createLink(options);
  if (waitForReplicas <= 0) return { link, logins: link };
  // Its own time-out is longer than that of WAIT; it goes where the other one goes, and that one tells.
  const commandTimeoutMs = Math.max(options.commandTimeoutMs, 250);
  return { link, logins: createLink({ ...options, commandTimeoutMs, onProblem: () => undefined }) };
}

/** Sentinels and clusters come with the one who knows which node has the company's keys. */
function connectionTo(
  place: Place,
  key: string,
): { readonly connection: Connection; readonly locator: Locator | undefined } {
  if ('url' in place || 'path' in place) return { connection: place, locator: undefined };
  const [locator, { username, password, tls }] =
    'sentinel' in place
      ? [createSentinelLocator(place.sentinel), place.sentinel]
      : [createClusterLocator(place.cluster, key), place.cluster];
  return { connection: { locator, username, password, tls }, locator };
}

/** Followers that end by their own signal or with the store. */
function createFollowers(options: Parameters<typeof followStreams>[0]) {
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  return {
    follow(follower: Follower, signal: AbortSignal): Promise<void> {
      return new Promise((resolve) => {
        const either = AbortSignal.any([signal, stopping.signal]);
        const following = followStreams(options, follower, { signal: either, onLoaded: resolve }).finally(
          () => {
            running.delete(following);
            resolve();
          },
        );
        running.add(following);
      });
    },
    async stop(): Promise<void> {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
