import { join } from 'node:path';
import { Expiry } from '../services/expiry.ts';
import type { LocalView } from '../services/local-view.ts';
import { createManagedRedis, RedisUnusable } from '../store/managed-redis.ts';
import { createRedisStore } from '../store/redis/redis-store.ts';
import type { Place } from '../store/redis/topology.ts';
import type { Store } from '../store/store.ts';
import { type Running, wait } from './running.ts';

/** How long a start waits for a store that does not answer; calls must go on without it. */
const STORE_PATIENCE_MS = 2_000;

/** The store: the configured Redis, or a private one. */
export async function startStore(running: Running): Promise<Store> {
  const { config, clock, node, problem } = running;
  const { waitForReplicas, acceptWeakDurability } = config.redis;
  const connection = placeOf(config.redis) ?? { path: await startRedis(running) };
  return running.up(
    createRedisStore({
      ...{ connection, company: config.company, node, clock },
      ...{ waitForReplicas, acceptWeakDurability, onProblem: problem },
    }),
  );
}

/** Where the configured Redis is; undefined: nowhere, a private one is to be started. */
function placeOf({ url, sentinel, cluster }: Running['config']['redis']): Place | undefined {
  if (sentinel !== undefined) return { sentinel };
  if (cluster !== undefined) return { cluster };
  return url === undefined ? undefined : { url };
}

/** Without a private Redis that runs Hotdesk still does what needs no store: emergency calls go out. */
async function startRedis({ config, log, onStop, problem }: Running): Promise<string> {
  const folder = join(config.data, 'redis');
  const redis = createManagedRedis({ folder, onProblem: problem });
  onStop(() => redis.stop());
  try {
    return (await redis.start()).path;
  } catch (error) {
    if (!(error instanceof RedisUnusable)) throw error;
    const then = 'Then start Hotdesk again: until then nobody can log in, and only emergency calls go out.';
    log.error({}, `${error.message}. ${then}`);
    return join(folder, 'redis.sock');
  }
}

/** Fills this node's view from the store, and ends associations at their deadline. */
export async function followStore(
  running: Running,
  { store, view }: { readonly store: Store; readonly view: LocalView },
): Promise<void> {
  const { clock, log } = running;
  const following = new AbortController();
  running.onStop(() => following.abort());
  await Promise.race([store.follow(view, following.signal), wait(STORE_PATIENCE_MS)]);
  await running.up(new Expiry({ store, timers: clock, log }));
}
