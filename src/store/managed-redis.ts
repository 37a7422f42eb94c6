import { chmod, mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { describeFolder } from './managed/config.ts';
import { lockFolder } from './managed/folder-lock.ts';
import { endOrphan } from './managed/orphan.ts';
import { type LaunchOptions, launch, type Server, terminate } from './managed/server.ts';

export interface ManagedRedisOptions {
  /** Where its data and socket live; made if absent, and closed to other users. */
  readonly folder: string;
  /** Default: `redis-server`, found on the PATH. */
  readonly binary?: string;
  readonly onProblem?: (text: string, error?: Error) => void;
  /** ms since 1970. */
  readonly clock?: { now(): number };
}

export interface ManagedRedis {
  /**
   * Starts Redis and resolves with its socket when it answers. Rejects with a sentence for the operator when the
   * binary is missing, the folder is in use, or Redis does not start.
   */
  start(): Promise<{ path: string }>;
  /** Ends Redis: SIGTERM, and SIGKILL after 3 s. */
  stop(): Promise<void>;
  readonly pid: number | undefined;
}

const LONGEST_RESTART_MS = 2000;
/** After running this long, restarts are counted from one again. */
const STEADY_MS = 60_000;

/** A private redis-server for machines without one: the same Redis, Lua and durability as in production. */
export function createManagedRedis(options: ManagedRedisOptions): ManagedRedis {
  const { binary = 'redis-server', onProblem = () => undefined, clock = { now: Date.now } } = options;
  let stopping = new AbortController();
  let server: Server | undefined;
  let supervision: Promise<void> = Promise.resolve();
  let release: (() => Promise<void>) | undefined;
  // The process ends without stop(): Redis is told to go, and writes nothing more that anybody waits for.
  const onExit = () => server?.child.kill('SIGTERM');

  async function supervise(launching: LaunchOptions): Promise<void> {
    let restarts = 0;
    while (server !== undefined) {
      const since = clock.now();
      const how = await server.ended;
      server = undefined;
      if (launching.signal.aborted) return;
      restarts = clock.now() - since > STEADY_MS ? 1 : restarts + 1;
      onProblem(`The private redis-server ended (${how}) and is started again`);
      server = await restart({ ...launching, restarts, onProblem });
      // Stopped in the moment it came up.
      if (launching.signal.aborted && server !== undefined) await terminate(server);
    }
  }

  async function start(): Promise<{ path: string }> {
    if (release !== undefined) throw new Error('The private redis-server is started already');
    const folder = describeFolder(options.folder);
    await mkdir(folder.path, { recursive: true, mode: 0o700 });
    await chmod(folder.path, 0o700);
    stopping = new AbortController();
    ({ release } = await lockFolder(folder.ownerSocket));
    try {
      if (await endOrphan(folder)) onProblem('A redis-server left over by an earlier run was ended');
      server = await launch({ binary, folder, signal: stopping.signal });
    } catch (error) {
      await stop();
      throw error;
    }
    process.on('exit', onExit);
    supervision = supervise({ binary, folder, signal: stopping.signal });
    return { path: folder.socket };
  }

  async function stop(): Promise<void> {
    process.off('exit', onExit);
    stopping.abort();
    if (server !== undefined) await terminate(server);
    await supervision;
    server = undefined;
    const unlock = release;
    release = undefined;
    await unlock?.();
  }

  return {
    start,
    stop,
    get pid() {
      return server?.child.pid;
    },
  };
}

/** Tries until it runs; undefined when the signal aborts. */
async function restart(
  options: LaunchOptions & {
    readonly restarts: number;
    readonly onProblem: (text: string, error?: Error) => void;
  },
): Promise<Server | undefined> {
  const { restarts, signal, onProblem } = options;
  for (let n = restarts; ; n++) {
    await delay(Math.min(100 * n, LONGEST_RESTART_MS), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return undefined;
    try {
      return await launch(options);
    } catch (error) {
      if (!signal.aborted) onProblem('The private redis-server does not start', error as Error);
    }
  }
}
