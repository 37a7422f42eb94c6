import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Config } from './config-schema.ts';
import { createMedia } from './media/create-media.ts';
import type { MediaPort } from './media/media.ts';
import type { LocalView } from './services/local-view.ts';
import type { Trunk } from './sip/ports.ts';
import { createRedisStore, type RedisStoreOptions } from './store/redis/redis-store.ts';
import type { Store } from './store/store.ts';

/** How parts are made from the configuration; server.ts says when. */

const PROMPTS = fileURLToPath(new URL('../config/prompts', import.meta.url));

type Problem = (text: string, detail?: object) => void;

export function storeFrom(
  { company, redis }: Config,
  options: Pick<RedisStoreOptions, 'connection' | 'clock'> & { readonly onProblem: Problem },
): Store {
  const { waitForReplicas, acceptWeakDurability } = redis;
  const node = `${hostname()}-${process.pid}`;
  return createRedisStore({ ...options, company, node, waitForReplicas, acceptWeakDurability });
}

export function mediaFrom(media: Config['media'], onProblem: Problem): MediaPort {
  const {
    address,
    externalAddress,
    ports,
    prompts: overlay,
    language,
    srtp,
    silentAfter,
    latch,
    inband,
  } = media;
  return createMedia({
    address,
    ...(externalAddress === undefined ? {} : { externalAddress }),
    ports,
    prompts: { shipped: PROMPTS, language, ...(overlay === undefined ? {} : { overlay }) },
    srtp,
    silentAfterMs: silentAfter * 1000,
    latch,
    inband,
    onProblem,
  });
}

/** The trunk whose far end is the demonstration's. */
export function demoTrunkAt({ host, port }: { readonly host: string; readonly port: number }): Trunk {
  const uri = `sip:${host}:${port};transport=udp`;
  return { name: 'demo', uri, addresses: [], emergency: false, responseTimeout: 4 };
}

/** The demonstration's clip for the desk a callback number belongs to. */
export function demoPlaceOf(view: LocalView, number: string): string | undefined {
  for (const host of view.directory?.hosts.values() ?? []) {
    if (host.callbackNumber === number) return `demo-${host.id}`;
  }
  return undefined;
}
