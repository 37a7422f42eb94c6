import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { SECRET_BYTES, secretText } from '../../src/services/webhooks/signature.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import type { Store } from '../../src/store/store.ts';
import { eventually } from '../support/wait.ts';
import { bundleNode } from './bundle.ts';
import type { Chance } from './chance.ts';
import { COMPANY, directoryEntries } from './company.ts';
import { Fleet } from './fleet.ts';
import { startProxy, type Wire } from './proxy.ts';
import { type Pulse, takePulse } from './pulse.ts';
import { type ChaosRedis, type Control, startChaosRedis } from './redis.ts';
import { createPhones, type Phones, type Receiver, startReceiver } from './witness.ts';

/** Everything a run needs, and how to take it down. */
export interface World {
  readonly redis: ChaosRedis;
  readonly proxies: readonly Wire[];
  readonly fleet: Fleet;
  readonly receiver: Receiver;
  readonly phones: Phones;
  /** The controller's own way to Redis, which nobody cuts. */
  readonly store: Store;
  readonly raw: Redis;
  readonly pulse: Pulse;
  stop(): Promise<void>;
}

const NODES = 4;

/** Starts Redis, writes the directory, starts the receiver and four nodes and waits until they work. */
export async function startWorld(control: Control, chance: (purpose: string) => Chance): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'hd-chaos-'));
  const takeDown: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const each of takeDown.splice(0).reverse()) await each();
    process.off('exit', onExit);
  };
  // The nodes end with us by themselves, and so does Redis.
  const onExit = () => rmSync(folder, { recursive: true, force: true });
  process.on('exit', onExit);
  try {
    return { ...(await build({ folder, control, chance, takeDown })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(options: {
  readonly folder: string;
  readonly control: Control;
  readonly chance: (purpose: string) => Chance;
  readonly takeDown: (() => unknown)[];
}): Promise<Omit<World, 'stop'>> {
  const { folder, control, chance, takeDown } = options;
  const program = await bundleNode(folder);
  const redis = await startChaosRedis(folder, control);
  takeDown.push(() => redis.stop());
  const pepperHex = randomBytes(32).toString('hex');
  const webhookSecret = secretText(randomBytes(SECRET_BYTES));
  const receiver = await startReceiver(webhookSecret, chance('receiver'));
  takeDown.push(() => receiver.stop());
  const acceptWeakDurability = control !== 'none';
  const store = createRedisStore({
    ...{ connection: { path: redis.path }, company: COMPANY, node: 'controller', clock: Date },
    ...{ acceptWeakDurability, commandTimeoutMs: 5_000 },
  });
  takeDown.push(() => store.stop());
  await store.start();
  await store.writeDirectory({
    put: await directoryEntries(receiver.url, { pepperHex, webhookSecret }),
    ...{ remove: [], actor: 'controller' },
  });
  const proxies = await Promise.all(
    Array.from({ length: NODES }, (_, i) =>
      startProxy(join(folder, `${i}.sock`), redis.path, chance(`proxy ${i}`)),
    ),
  );
  for (const proxy of proxies) takeDown.push(() => proxy.stop());
  const raw = new Redis(redis.path, { protocol: 2, maxRetriesPerRequest: 20 }).on('error', () => undefined);
  takeDown.push(() => raw.disconnect());
  const phones = createPhones(chance('phones'));
  const fleet = new Fleet({
    program,
    setups: proxies.map(({ path }, i) => {
      return { node: `n${i}`, socket: path, company: COMPANY, pepperHex, acceptWeakDurability };
    }),
    onFace: (face) => phones.show(face),
  });
  takeDown.push(() => fleet.stop());
  fleet.start();
  await eventually('all nodes are ready', () => fleet.ready.length === NODES, 30_000);
  await webhookRuns(store, receiver);
  const pulse = takePulse(redis.path);
  takeDown.push(() => pulse.stop());
  return { redis, proxies, fleet, receiver, phones, store, raw, pulse };
}

/** A new consumer begins at the end of the log: from here on it must get everything. */
async function webhookRuns(store: Store, receiver: Receiver): Promise<void> {
  await eventually(
    'the webhook gets an event',
    async () => {
      await store.clearGuesses('1000', 'controller');
      await new Promise((resolve) => setTimeout(resolve, 200));
      return receiver.deliveries.size > 0;
    },
    30_000,
  );
}
