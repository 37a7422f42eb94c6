import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { type Folder, redisConfig } from './config.ts';
import { listen } from './last-words.ts';
import { ping } from './ping.ts';
import { cannotRun, didNotStart } from './unusable.ts';

/** Without a sign of life for this long, Redis has not started. Reading a large file is a sign of life. */
const START_MS = 10_000;
const STOP_MS = 3000;

export interface LaunchOptions {
  readonly binary: string;
  readonly folder: Folder;
  readonly signal: AbortSignal;
}

/** A running redis-server. */
export interface Server {
  readonly child: ChildProcess;
  /** Resolves with how it ended, and what it said last unless a signal ended it. */
  readonly ended: Promise<string>;
}

/** Spawns Redis and resolves when it answers. @throws RedisUnusable */
export async function launch({ binary, folder, signal }: LaunchOptions): Promise<Server> {
  // A group of its own: Ctrl-C in the terminal is for us, and we still need Redis to stop in order.
  const child = spawn(binary, ['-'], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const lastWords = listen(child);
  let failure: Error | undefined;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      failure = cannotRun(error, binary);
      resolve(failure.message);
    });
    child.once('exit', async (code, bySignal) => {
      const words = await lastWords();
      const how = bySignal ?? `exit code ${code}`;
      failure ??= didNotStart(folder, words || how);
      resolve(bySignal || !words ? how : `${how}: ${words}`);
    });
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(redisConfig(folder));
  const server = { child, ended };
  try {
    await untilReady(folder, { signal, failure: () => failure });
  } catch (error) {
    await terminate(server);
    throw error;
  }
  return server;
}

async function untilReady(
  folder: Folder,
  watch: { readonly signal: AbortSignal; readonly failure: () => Error | undefined },
): Promise<void> {
  for (let waited = 0; waited < START_MS; waited += 10) {
    const pulse = await ping(folder.socket);
    const failure = watch.failure();
    if (failure) throw failure;
    if (watch.signal.aborted) throw new Error('redis-server was stopped while it started');
    if (pulse === 'up') return;
    if (pulse === 'loading') waited = 0;
    await delay(10);
  }
  throw didNotStart(folder, `no answer within ${START_MS / 1000} s`);
}

/** SIGTERM, and SIGKILL after 3 s; resolves when it is gone. */
export async function terminate({ child, ended }: Server): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}
