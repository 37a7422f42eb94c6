import { Redis } from 'ioredis';
import { StoreUnavailable } from '../store.ts';
import { type Address, type Credentials, credentialOptions } from './asker.ts';
import { createBreaker } from './breaker.ts';
import { type ClientOptions, COMMON, closeRedis, describe, inTime } from './client.ts';
import { locatedConnector } from './located-connector.ts';
import { defineScripts, runScript, type ScriptCall } from './scripts.ts';
import type { Locator } from './topology.ts';

export { type ClientOptions, COMMON, closeRedis, describe } from './client.ts';

/** To one Redis, or to the node that a locator names at each connection. */
export type Connection =
  | { readonly url: string }
  | { readonly path: string }
  | ({ readonly locator: Locator } & Credentials);

export interface LinkOptions {
  readonly connection: Connection;
  readonly node: string;
  readonly clock: { now(): number };
  readonly commandTimeoutMs: number;
  readonly onProblem: (text: string, error?: Error) => void;
}

/** The command was not carried out, and never will be. */
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
  /** The same for arguments and replies that are no text. */
  sendBytes(command: string, ...args: readonly (string | Buffer)[]): Promise<unknown>;
  /** Calls back at each new connection. */
  onReady(listener: () => void): void;
}

/** Nothing is queued, nothing is sent twice, and a socket that says nothing for `SILENCE_MS` is given up. */
function fastOptions(options: LinkOptions): ClientOptions {
  return {
    ...COMMON,
    connectionName: `hotdesk-${options.node}`,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: Math.max(SILENCE_MS, options.commandTimeoutMs),
    socketTimeout: SILENCE_MS,
    keepAlive: 10_000,
    retryStrategy: (n) => Math.min(50 * 2 ** Math.min(n, 5), LONGEST_RETRY_MS) + Math.random() * 100,
    reconnectOnError: (e) => OTHER_NODE.test(e.message),
  };
}

const SILENCE_MS = 2000;
/** Short, as a fail-over is over within seconds. */
const LONGEST_RETRY_MS = 500;
/** How often it is asked whether the node connected to still has the say. */
const WATCH_MS = 1000;
/** Another node may have the say by now, or this one cannot speak: a new connection will tell. */
const OTHER_NODE = /^(MOVED|READONLY|MASTERDOWN|CLUSTERDOWN|LOADING|UNBLOCKED)\b/;
/** Refusals that come before anything is done. */
const NOTHING_DONE = /: (MOVED|ASK|TRYAGAIN|CLUSTERDOWN|READONLY|MASTERDOWN|LOADING)$/;

/** A Redis client that knows the scripts. Errors without a command go to `onProblem`, the first of a row only. */
export function openRedis(
  connection: Connection,
  options: ClientOptions,
  onProblem: (text: string, error?: Error) => void,
): Redis {
  const redis = createClient(connection, options);
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

function createClient(connection: Connection, options: ClientOptions): Redis {
  if ('path' in connection) return new Redis({ ...options, path: connection.path });
  if ('url' in connection) return new Redis(connection.url, options);
  const { locator, ...credentials } = connection;
  let address: Address | undefined;
  const Connector = locatedConnector({
    locator,
    tls: credentials.tls ?? false,
    onAddress: (found) => {
      address = found;
    },
  });
  const redis = new Redis({ ...options, ...credentialOptions(credentials), Connector });
  watch(redis, async () => {
    const found = await locator.find().catch(() => undefined);
    return found !== undefined && !isSame(found, address);
  });
  return redis;
}

function isSame(one: Address, other: Address | undefined): boolean {
  if (one.id !== undefined) return one.id === other?.id;
  return one.host === other?.host && one.port === other.port;
}

/** Leaves a node that answers although another has taken its place, as behind a partition: it would never be noticed. */
function watch(redis: Redis, hasMoved: () => Promise<boolean>): void {
  let timer: NodeJS.Timeout | undefined;
  redis.on('ready', () => {
    const { stream } = redis;
    timer = setInterval(async () => {
      if (await hasMoved()) stream.destroy();
    }, WATCH_MS).unref();
  });
  redis.on('close', () => clearInterval(timer));
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
      const reply = await inTime(command(), options.commandTimeoutMs);
      breaker.succeeded();
      return reply;
    } catch (error) {
      const reason = describe(error);
      if (reason === 'no answer in time') breaker.timedOut();
      else breaker.succeeded();
      const text = `The store cannot do it: ${reason}`;
      throw NOTHING_DONE.test(text) ? new NotSent(text) : new StoreUnavailable(text);
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
    sendBytes: (command, ...args) => guarded(() => redis.callBuffer(command, ...args)),
    onReady: (listener) => redis.on('ready', listener),
  };
}
