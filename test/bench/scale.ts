import { monitorEventLoopDelay } from 'node:perf_hooks';
import { LocalView } from '../../src/services/local-view.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { steadyClock } from '../../src/wiring/running.ts';
import { startRedis } from '../support/redis.ts';
import { fillDirectory } from './office.ts';

/**
 * `node --expose-gc --import tsx test/bench/scale.ts 100000 1000000`: what a directory of so many people (and half as
 * many phones) costs a node: time until it is loaded, memory, and how long the event loop stands still meanwhile.
 */
async function measure(users: number): Promise<void> {
  const redis = await startRedis(['appendfsync no']);
  const quiet = { info: () => undefined, warn: console.warn, error: console.error };
  const view = new LocalView({ clock: steadyClock, log: quiet });
  const store = createRedisStore({
    connection: { path: redis.path },
    ...{ company: 'scale', node: 'n1', clock: steadyClock, acceptWeakDurability: true },
  });
  const end = new AbortController();
  try {
    const inRedis = await fillDirectory(redis.path, 'scale', users);
    await store.start();
    const before = heapMiB();
    const stalls = monitorEventLoopDelay({ resolution: 1 });
    stalls.enable();
    const begun = performance.now();
    await store.follow(view, end.signal);
    const seconds = (performance.now() - begun) / 1000;
    stalls.disable();
    const loaded = view.directory?.users.size ?? 0;
    console.log(
      `${loaded} people: loaded in ${seconds.toFixed(1)} s, heap +${(heapMiB() - before).toFixed(0)} MiB, ` +
        `rss ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB, event loop p99 ` +
        `${(stalls.percentile(99) / 1e6).toFixed(1)} ms, longest ${(stalls.max / 1e6).toFixed(0)} ms, ` +
        `Redis ${(inRedis / 2 ** 20).toFixed(0)} MiB`,
    );
  } finally {
    end.abort();
    await store.stop();
    await redis.stop();
  }
}

function heapMiB(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

for (const users of process.argv.slice(2).map(Number)) await measure(users);
