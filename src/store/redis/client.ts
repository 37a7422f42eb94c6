import type { Redis, RedisOptions } from 'ioredis';

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

/** What ioredis says of its own time-outs too. */
const TIMED_OUT = 'Command timed out';

/** No node is known that could be asked; the text holds no secret. */
export class NotLocated extends Error {}

/** Ends a client at once, also when the other side is frozen. */
export function closeRedis(redis: Redis): void {
  redis.disconnect();
  // Absent before the first connection.
  redis.stream?.destroy();
}

/** What went wrong, in words that hold no argument of any command. */
export function describe(error: unknown): string {
  if (error instanceof NotLocated) return error.message;
  const { message = '', code } = error as { message?: string; code?: string };
  if (message === TIMED_OUT) return 'no answer in time';
  // Redis' errors begin with a code; what follows may quote arguments.
  const refusal = /^([A-Z]{2,20})\b(?= )/.exec(message)?.[1];
  if (refusal !== undefined && code === undefined) return `Redis refused: ${refusal}`;
  return code !== undefined && /^[A-Z_]+$/.test(code) ? code : 'not connected';
}

/**
 * The reply, unless it takes longer than so many ms. Where this process was the late one, what has arrived meanwhile is
 * read before the other side is blamed.
 * @throws Error that `describe` calls no answer in time
 */
export function inTime<T>(reply: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    // Sockets are read between timers and immediates.
    const timer = setTimeout(() => setImmediate(() => reject(new Error(TIMED_OUT))), ms);
    reply.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
