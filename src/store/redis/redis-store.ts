import type { Follower, Store } from '../store.ts';
import { createAssociations } from './associations.ts';
import { createBindingsWriter } from './bindings.ts';
import { type Connection, createLink } from './connection.ts';
import { createDirectoryWriter } from './directory.ts';
import { createDurability } from './durability.ts';
import { followStreams } from './follower.ts';
import { createGuesses } from './guesses.ts';
import { createKeys } from './keys.ts';
import { loadSnapshot } from './snapshot.ts';
import { createStoreClock, measureStoreClock } from './store-clock.ts';
import { createTakeBacks } from './take-backs.ts';

export interface RedisStoreOptions {
  /** `redis://` or `rediss://` URL, or a unix socket. */
  readonly connection: Connection;
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
  const { connection, company } = options;
  const keys = createKeys(company);
  const linkOptions = { connection, node, clock, commandTimeoutMs, onProblem };
  const link = createLink(linkOptions);
  // WAIT holds up what comes after it on the same connection. Its own time-out is longer than that of WAIT.
  const logins =
    waitForReplicas > 0
      ? createLink({ ...linkOptions, commandTimeoutMs: Math.max(commandTimeoutMs, 250) })
      : link;
  const storeClock = createStoreClock(clock);
  const durability = createDurability(logins, onProblem);
  const followers = createFollowers({ connection, keys, node, clock, onProblem });
  // A new connection may lead to another Redis; when this fails, the next login asks again.
  logins.onReady(() => void measureStoreClock(storeClock, logins).catch(() => undefined));
  const takeBacks = createTakeBacks({ link: logins, keys, node, onProblem });
  const links = [...new Set([link, logins])];

  async function start(): Promise<void> {
    await Promise.all(links.map((each) => each.open()));
    const weakness = await durability.check().catch(() => undefined);
    if (weakness === undefined) return;
    if (acceptWeakDurability)
      return onProblem(`${weakness}. Logins are acknowledged all the same, as configured`);
    await stop();
    throw new Error(weakness);
  }

  async function stop(): Promise<void> {
    takeBacks.stop();
    await followers.stop();
    for (const each of links) each.close();
  }

  return {
    start,
    stop,
    get available() {
      return link.available && logins.available;
    },
    ...createAssociations({
      ...{ link: logins, keys, node, storeClock, durability, acceptWeakDurability },
      ...{ commandTimeoutMs, waitForReplicas, takeBacks },
    }),
    ...createGuesses(link, keys),
    ...createDirectoryWriter(link, keys),
    ...createBindingsWriter(link, keys),
    async snapshot() {
      const { snapshot } = await loadSnapshot({ keys, run: link.run, onProblem });
      return snapshot;
    },
    follow: followers.follow,
  };
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
