import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type ClientOptions, COMMON, closeRedis, describe } from './client.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** What the node calls itself, where it may be known under several addresses. */
  readonly id?: string;
}

export interface Credentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: boolean | undefined;
}

type Command = readonly [name: string, ...args: string[]];

/** Puts short questions to nodes; keeps one connection to each, and gives up soon. */
export interface Asker {
  /** The replies, in order. Rejects when one is an error or does not come in time. */
  ask(address: Address, commands: readonly Command[]): Promise<unknown[]>;
  close(): void;
}

/** Long for a node on the same network, short against a fail-over. */
const ANSWER_MS = 300;
/** After the first answer, how long the other nodes may take to know better. */
const GRACE_MS = 100;

/** Options of a client that logs in as these. */
export function credentialOptions({ username, password, tls }: Credentials): ClientOptions {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
}

/** Creates one; it connects when asked. */
export function createAsker(credentials: Credentials): Asker {
  const clients = new Map<string, { readonly redis: Redis; readonly ready: Promise<unknown> }>();
  let closed = false;

  function clientOf({ host, port }: Address) {
    const name = `${host}:${port}`;
    const known = clients.get(name);
    if (known !== undefined) return known;
    if (closed) throw new Error('closed');
    const redis = new Redis({ ...COMMON, ...ASKING, ...credentialOptions(credentials), host, port });
    let cause: Error | undefined;
    redis.on('error', (error: Error) => {
      cause = error;
    });
    redis.on('end', () => clients.delete(name));
    const ready = redis.connect().catch((error: Error) => {
      throw cause ?? error;
    });
    const client = { redis, ready };
    clients.set(name, client);
    return client;
  }

  return {
    async ask(address, commands) {
      const { redis, ready } = clientOf(address);
      await ready;
      try {
        return await Promise.all(commands.map(([name, ...args]) => redis.call(name, ...args)));
      } catch (error) {
        if (describe(error) === 'no answer in time') closeRedis(redis);
        throw error;
      }
    },
    close() {
      closed = true;
      for (const { redis } of clients.values()) closeRedis(redis);
    },
  };
}

const ASKING: ClientOptions = {
  connectionName: 'hotdesk-ask',
  connectTimeout: ANSWER_MS,
  commandTimeout: ANSWER_MS,
  enableReadyCheck: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: null,
};

/**
 * The answers that come: all of them, or those within a moment of the first. What fails is left out.
 * @throws what the first question failed with, when there is no answer at all
 */
export async function answersTo<T>(questions: readonly Promise<T>[]): Promise<T[]> {
  const answers: T[] = [];
  const all = Promise.allSettled(
    questions.map((question) => question.then((answer) => answers.push(answer))),
  );
  await Promise.any(questions).catch(({ errors }: AggregateError) => {
    throw errors[0];
  });
  const enough = new AbortController();
  const grace = delay(GRACE_MS, undefined, { signal: enough.signal }).catch(() => undefined);
  await Promise.race([all, grace]);
  enough.abort();
  return [...answers];
}
