import { statSync } from 'node:fs';
import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ping } from '../../src/store/managed/ping.ts';
import { createManagedRedis } from '../../src/store/managed-redis.ts';
import { startRedis } from '../support/redis.ts';

/** `none`: the promise is to be kept. The others break it on purpose: then the test must fail. */
export const CONTROLS = ['none', 'no-appendonly', 'power-loss'] as const;
export type Control = (typeof CONTROLS)[number];

export interface ChaosRedis {
  readonly path: string;
  /** ms each kill kept it away. */
  readonly absences: readonly number[];
  /** Kills it with -9; resolves when it answers again, by itself. False: it was not running. */
  kill9(): Promise<boolean>;
  stop(): Promise<void>;
}

interface Supervised {
  readonly path: string;
  kill(): boolean;
  stop(): Promise<void>;
}

const BACK_WITHIN_MS = 15_000;
/** How much of what nobody had synced a power loss takes: `everysec` promises no more than about this. */
const UNSYNCED_MS = 1_000;
const SAMPLE_MS = 50;

/** Redis as the product runs it on a machine without one, or, for a control, one that loses what it acknowledged. */
export async function startChaosRedis(folder: string, control: Control): Promise<ChaosRedis> {
  const redis = await (control === 'none' ? startManaged(folder) : startWeak(control));
  const absences: number[] = [];
  return {
    path: redis.path,
    absences,
    async kill9() {
      const from = Date.now();
      if (!redis.kill()) return false;
      // The kill is under way: the first silence, then the first answer.
      const deadline = from + BACK_WITHIN_MS;
      let silent = false;
      while (Date.now() < deadline) {
        const isUp = (await ping(redis.path, 500)) === 'up';
        if (silent && isUp) break;
        silent ||= !isUp;
        await delay(5);
      }
      absences.push(Date.now() - from);
      return true;
    },
    stop: () => redis.stop(),
  };
}

async function startManaged(folder: string): Promise<Supervised> {
  const redis = createManagedRedis({ folder: join(folder, 'redis') });
  const { path } = await redis.start();
  return {
    path,
    kill() {
      const { pid } = redis;
      return pid !== undefined && process.kill(pid, 'SIGKILL');
    },
    stop: () => redis.stop(),
  };
}

async function startWeak(control: Control): Promise<Supervised> {
  const config = control === 'no-appendonly' ? ['appendonly no'] : ['appendfsync everysec'];
  const redis = await startRedis(config);
  const tail = control === 'power-loss' ? await watchTail(join(redis.folder, 'appendonlydir')) : undefined;
  let restarting: Promise<void> = Promise.resolve();

  async function killAndRestart(): Promise<void> {
    await redis.kill9();
    await tail?.cut();
    await delay(100);
    await redis.restart();
  }

  return {
    path: redis.path,
    kill() {
      restarting = killAndRestart();
      return true;
    },
    async stop() {
      tail?.stop();
      await restarting;
      await redis.stop();
    },
  };
}

/** Remembers how long the append-only file was when it may last have been synced. */
async function watchTail(folder: string): Promise<{ cut(): Promise<void>; stop(): void }> {
  const name = (await readdir(folder)).find((each) => each.endsWith('.incr.aof')) ?? '';
  const file = join(folder, name);
  let samples: { at: number; size: number }[] = [];
  const timer = setInterval(() => {
    const at = Date.now();
    samples.push({ at, size: statSync(file).size });
    samples = samples.filter((sample) => sample.at > at - 2 * UNSYNCED_MS);
  }, SAMPLE_MS);
  return {
    async cut() {
      const synced = samples.findLast(({ at }) => at <= Date.now() - UNSYNCED_MS);
      if (synced) await truncate(file, synced.size);
      samples = [];
    },
    stop: () => clearInterval(timer),
  };
}
