import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describeFolder, redisConfig } from '../../src/store/managed/config.ts';
import { ping } from '../../src/store/managed/ping.ts';

/** A Redis of the test's own, configured as the managed one, with the faults a test may want. */
export interface TestRedis {
  /** Unix socket; stays the same through restarts. */
  readonly path: string;
  readonly folder: string;
  readonly pid: number;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
  /** Kills it with -9 and waits until it is dead; its folder stays. */
  kill9(): Promise<void>;
  /** Starts it again on the same folder. */
  restart(): Promise<void>;
  /** SIGSTOP: it accepts connections and answers nothing. */
  freeze(): void;
  thaw(): void;
}

/** Starts redis-server on a unix socket in a temporary folder; `config` lines are added to the managed ones. */
export async function startRedis(config: readonly string[] = []): Promise<TestRedis> {
  const folder = describeFolder(await mkdtemp(join(tmpdir(), 'hd-redis-')));
  let child = await launch();
  // A test run that breaks off leaves none behind.
  const onExit = () => void child.kill('SIGKILL');
  process.once('exit', onExit);

  async function launch(): Promise<ChildProcess> {
    const started = spawn('redis-server', ['-'], { stdio: ['pipe', 'ignore', 'ignore'] });
    started.stdin?.end(`${redisConfig(folder)}${config.join('\n')}\n`);
    for (let i = 0; i < 500; i++) {
      if ((await ping(folder.socket)) === 'up') return started;
      if (started.exitCode !== null) throw new Error('redis-server did not start');
      await delay(10);
    }
    throw new Error('redis-server does not answer');
  }

  async function kill9(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  return {
    path: folder.socket,
    folder: folder.path,
    get pid() {
      return child.pid!;
    },
    kill9,
    async restart() {
      child = await launch();
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      process.off('exit', onExit);
      await kill9();
      await rm(folder.path, { recursive: true, force: true });
    },
  };
}
