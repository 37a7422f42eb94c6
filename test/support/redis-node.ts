import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** One Redis process on a port of loopback, with the faults a test may want. */
export interface RedisNode {
  readonly port: number;
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  /** One short question on a connection of its own. */
  ask(command: string, ...args: (string | number)[]): Promise<unknown>;
  kill9(): Promise<void>;
  restart(): Promise<void>;
  /** SIGSTOP: it accepts connections and answers nothing, as behind a partition. */
  freeze(): void;
  thaw(): void;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** What acknowledges only what is on disk, and lets a replica catch up at once. */
export const DURABLE = [
  'appendonly yes',
  'appendfsync always',
  'save ""',
  'maxmemory-policy noeviction',
  'repl-diskless-sync-delay 0',
  'repl-timeout 10',
];

/** A test run that breaks off leaves none behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts `redis-server` with this configuration on a free port; `sentinel`: as a sentinel. */
export async function startNode(
  config: readonly string[] | ((port: number) => readonly string[]),
  mode: 'server' | 'sentinel' = 'server',
): Promise<RedisNode> {
  const folder = await mkdtemp(join(tmpdir(), 'hd-node-'));
  const port = await freePort();
  const file = join(folder, 'redis.conf');
  const lines = typeof config === 'function' ? config(port) : config;
  // Sentinels and clusters write what they learn into their files.
  await writeFile(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, ...lines, ''].join('\n'));
  let child = await launch();
  running.add(child);

  async function launch(): Promise<ChildProcess> {
    const args = mode === 'sentinel' ? [file, '--sentinel'] : [file];
    const started = spawn('redis-server', args, { stdio: 'ignore' });
    for (let i = 0; i < 300; i++) {
      if ((await ask('PING').catch(() => undefined)) === 'PONG') return started;
      if (started.exitCode !== null) throw new Error('redis-server did not start');
      await delay(20);
    }
    throw new Error('redis-server does not answer');
  }

  async function ask(command: string, ...args: (string | number)[]): Promise<unknown> {
    const redis = new Redis(port, '127.0.0.1', {
      ...{ protocol: 2, lazyConnect: true, retryStrategy: null, commandTimeout: 2000 },
      ...{ disableClientInfo: true, enableReadyCheck: false },
    });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  }

  async function kill9(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    running.delete(child);
  }

  return {
    ...{ port, address: `127.0.0.1:${port}`, ask, kill9 },
    async restart() {
      child = await launch();
      running.add(child);
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      await kill9();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Asks until the answer is yes, 20 s at most. */
export async function untilTrue(what: string, ask: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await ask().catch(() => false)) return;
    await delay(50);
  }
  throw new Error(`${what}: not within 20 s`);
}

/** A port nobody listens at, now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
