import { chmod, mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { describeFolder, type Folder } from './managed/config.ts';
import { lockFolder } from './managed/folder-lock.ts';
import { endOrphan } from './managed/orphan.ts';
import { type LaunchOptions, launch, type Server, terminate } from './managed/server.ts';
import { cannotUse } from './managed/unusable.ts';

export { RedisUnusable } from './managed/unusable.ts';

export interface ManagedRedisOptions {
  /** Where its data and socket live; made if absent, and closed to other users. */
  readonly folder: string;
  /** Default: `redis-server`, found on the PATH. */
  readonly binary?: string;
  readonly onProblem?: (text: string) => void;
  /** ms since 1970. */
  readonly clock?: { now(): number };
}

export interface ManagedRedis {
  /**
   * Starts Redis and resolves with its socket when it answers. Rejects with a sentence for the operator: a
   * `RedisUnusable` when the binary is missing, the disk keeps us out or Redis does not start with its data; another
   * Error when the folder is in use or its path too long, which are mistakes.
   */
  start(): Promise<{ path: string }>;
  /** Ends Redis: SIGTERM, and SIGKILL after 3 s. */
  stop(): Promise<void>;
  readonly pid: number | undefined;
}

/** However often it ended: with the start itself Redis is back within 2 s. */
const LONGEST_RESTART_MS = 400;
/** Why it does not start again is told anew after this long, ms. */
const REMINDER_MS = 10_000;
/** After running this long, restarts are counted from one again. */
const STEADY_MS = 60_000;

/** A private redis-server for machines without one: the same Redis, Lua and durability as in production. */
export function createManagedRedis(options: ManagedRedisOptions): ManagedRedis {
  return new SupervisedRedis(options);
}

class SupervisedRedis implements ManagedRedis {
  readonly #options: Required<ManagedRedisOptions>;
  #stopping = new AbortController();
  #server: Server | undefined;
  #supervision: Promise<void> = Promise.resolve();
  #release: (() => Promise<void>) | undefined;
  // The process ends without stop(): Redis is told to go, and writes nothing more that anybody waits for.
  readonly #onExit = (): unknown => this.#server?.child.kill('SIGTERM');

  constructor(options: ManagedRedisOptions) {
    this.#options = {
      binary: 'redis-server',
      onProblem: () => undefined,
      clock: { now: Date.now },
      ...options,
    };
  }

  get pid(): number | undefined {
    return this.#server?.child.pid;
  }

  async start(): Promise<{ path: string }> {
    if (this.#release !== undefined) throw new Error('The private redis-server is started already');
    const { binary, onProblem } = this.#options;
    const folder = describeFolder(this.#options.folder);
    this.#stopping = new AbortController();
    ({ release: this.#release } = await takeFolder(folder));
    const launching = { binary, folder, signal: this.#stopping.signal };
    try {
      if (await endOrphan(folder)) onProblem('A redis-server left over by an earlier run was ended');
      this.#server = await launch(launching);
    } catch (error) {
      await this.stop();
      throw error;
    }
    process.on('exit', this.#onExit);
    this.#supervision = this.#supervise(launching);
    return { path: folder.socket };
  }

  async stop(): Promise<void> {
    process.off('exit', this.#onExit);
    this.#stopping.abort();
    if (this.#server !== undefined) await terminate(this.#server);
    await this.#supervision;
    this.#server = undefined;
    const unlock = this.#release;
    this.#release = undefined;
    await unlock?.();
  }

  async #supervise(launching: LaunchOptions): Promise<void> {
    const { clock, onProblem } = this.#options;
    let restarts = 0;
    while (this.#server !== undefined) {
      const since = clock.now();
      const how = await this.#server.ended;
      this.#server = undefined;
      if (launching.signal.aborted) return;
      restarts = clock.now() - since > STEADY_MS ? 1 : restarts + 1;
      onProblem(`The private redis-server ended (${how}) and is started again`);
      this.#server = await restart({ ...launching, restarts, onProblem, clock });
      // Stopped in the moment it came up.
      if (launching.signal.aborted && this.#server !== undefined) await terminate(this.#server);
    }
  }
}

/** Makes the folder and becomes its owner. */
async function takeFolder(folder: Folder): Promise<{ release(): Promise<void> }> {
  try {
    await mkdir(folder.path, { recursive: true, mode: 0o700 });
    await chmod(folder.path, 0o700);
    return await lockFolder(folder.ownerSocket);
  } catch (error) {
    // A code is the system's; without one it is our own word that somebody else has the folder.
    throw (error as NodeJS.ErrnoException).code === undefined ? error : cannotUse(folder, error as Error);
  }
}

/** Tries until it runs; undefined when the signal aborts. */
async function restart(
  options: LaunchOptions & {
    readonly restarts: number;
    readonly onProblem: (text: string) => void;
    readonly clock: { now(): number };
  },
): Promise<Server | undefined> {
  const { restarts, signal, onProblem, clock } = options;
  let told = { why: '', at: 0 };
  for (let n = restarts; ; n++) {
    await delay(Math.min(100 * n, LONGEST_RESTART_MS), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return undefined;
    try {
      return await launch(options);
    } catch (error) {
      const why = (error as Error).message;
      if (signal.aborted || (why === told.why && clock.now() - told.at < REMINDER_MS)) continue;
      told = { why, at: clock.now() };
      onProblem(`The private redis-server is tried again and again: ${why}`);
    }
  }
}
