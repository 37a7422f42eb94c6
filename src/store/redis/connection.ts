import { Redis, type RedisOptions } from 'ioredis';
import { StoreUnavailable } from '../store.ts';
import { createBreaker } from './breaker.ts';
import { defineScripts, runScript, type ScriptCall } from './scripts.ts';

export type Connection = { readonly url: string } | { readonly path: string };

/** Options of the client that we set; the shape of replies is not up to us. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** RESP2: the shape of a reply does not depend on what the server speaks. */
export const COMMON: ClientOptions = {
  protocol: 2,
  lazyConnect: true,
  disableClientInfo: true,
  enableOfflineQueue: false,
  connectTimeout: 1000,
};

export interface LinkOptions {
  readonly connection: Connection;
  readonly node: string;
  readonly clock: { now(): number };
  readonly commandTimeoutMs: number;
  readonly onProblem: (text: string, error?: Error) => void;
}

/** The command was not sent: it can have no effect. */
export class NotSent extends StoreUnavailable {}

/** A connection for short commands: an answer in time, or StoreUnavailable. */
export interface Link {
  /** Whether a command would be sent now. */
  readonly available: boolean;
  /** Number of connections made so far: equal before and after means the same connection. */
  readonly epoch: number;
  /** Connects; resolves whether or not Redis answered, it goes on trying by itself. */
  open(): Promise<void>;
  close(): void;
  run(call: ScriptCall): Promise<unknown>;
  send(command: string, ...args: readonly (string | number)[]): Promise<unknown>;
  /** Calls back at each new connection. */
  onReady(listener: () => void): void;
}

/** Nothing is queued, nothing is sent twice, and a socket that says nothing for 2 s is given up. */
function fastOptions(options: LinkOptions): ClientOptions {
  return {
    ...COMMON,
    connectionName: `hotdesk-${options.node}`,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: options.commandTimeoutMs,
    socketTimeout: 2000,
    keepAlive: 10_000,
    retryStrategy: (n) => Math.min(50 * 2 ** Math.min(n, 5), 1000) + Math.random() * 100,
    reconnectOnError: (e) => /^(READONLY|MASTERDOWN|LOADING|UNBLOCKED)/.test(e.message),
  };
}

/** A Redis client that knows the scripts. Errors without a command go to `onProblem`, the first of a row only. */
export function openRedis(
  connection: Connection,
  options: ClientOptions,
  onProblem: (text: string, error?: Error) => void,
): Redis {
  const redis =
    'path' in connection
      ? new Redis({ ...options, path: connection.path })
      : new Redis(connection.url, options);
  defineScripts(redis);
  let told = false;
  redis.on('error', (error: Error) => {
    if (!told) onProblem('Redis does not answer', new Error(describe(error)));
    told = true;
  });
  redis.on('ready', () => {
    told = false;
  });
  return redis;
}

/** Ends a client at once, also when the other side is frozen. */
export function closeRedis(redis: Redis): void {
  redis.disconnect();
  // Absent before the first connection.
  redis.stream?.destroy();
}

/** What went wrong, in words that hold no argument of any command. */
export function describe(error: unknown): string {
  const { message = '', code } = error as { message?: string; code?: string };
  if (message === 'Command timed out') return 'no answer in time';
  // Redis' errors begin with a code; what follows may quote arguments.
  const refusal = /^([A-Z]{2,20})\b(?= )/.exec(message)?.[1];
  if (refusal !== undefined && code === undefined) return `Redis refused: ${refusal}`;
  return code !== undefined && /^[A-Z_]+$/.test(code) ? code : 'not connected';
}

/** Creates a closed link. */
export function createLink(options: LinkOptions): Link {
  const redis = openRedis(options.connection, fastOptions(options), options.onProblem);
  const breaker = createBreaker({ clock: options.clock, timeouts: 3, openMs: 500 });
  let epoch = 0;
  redis.on('ready', () => {
    epoch += 1;
  });

  async function guarded(command: () => Promise<unknown>): Promise<unknown> {
    if (redis.status !== 'ready') throw new NotSent('The store is not connected');
    if (!breaker.enter()) throw new NotSent('The store does not answer');
    try {
      const reply = await command();
      breaker.succeeded();
      return reply;
    } catch (error) {
      const reason = describe(error);
      if (reason === 'no answer in time') breaker.timedOut();
      else breaker.succeeded();
      throw new StoreUnavailable(`The store cannot do it: ${reason}`);
    }
  }

  return {
    get available() {
      return redis.status === 'ready' && breaker.closed;
    },
    get epoch() {
      return epoch;
    },
    open: () => redis.connect().catch(() => undefined),
    close: () => closeRedis(redis),
    run: (call) => guarded(() => runScript(redis, call)),
    send: (command, ...args) => guarded(() => redis.call(command, ...args)),
    onReady: (listener) => redis.on('ready', listener),
  };
}
