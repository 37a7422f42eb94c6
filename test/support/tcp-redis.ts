import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from './redis.ts';

/** A Redis of a test's own that listens on TCP as well, as a customer's does. */
export interface TcpRedis extends TestRedis {
  readonly url: string;
  /** For tests that look at stored data or change it. Closed with `stop`. */
  client(): Redis;
}

/** Starts a redis-server on a free port of loopback. */
export async function startTcpRedis(): Promise<TcpRedis> {
  const port = await freePort();
  const redis = await startRedis([`port ${port}`, 'bind 127.0.0.1']);
  let client: Redis | undefined;
  return Object.assign(Object.create(redis) as TestRedis, {
    url: `redis://127.0.0.1:${port}/0`,
    client(): Redis {
      client ??= new Redis({ path: redis.path, maxRetriesPerRequest: 1 }).on('error', () => undefined);
      return client;
    },
    async stop(): Promise<void> {
      client?.disconnect();
      await redis.stop();
    },
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
