import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { startRedisContainer } from './containers.ts';
import { startRedis } from './redis.ts';

/** A Redis of a test's own that listens on TCP, as a customer's does, with the faults a test may want. */
export interface TcpRedis {
  readonly url: string;
  /** Where it keeps what it has on disk. */
  readonly folder: string;
  /** For tests that look at stored data or change it. Closed with `stop`. */
  client(): Redis;
  /** It accepts connections and answers nothing, until `thaw`. */
  freeze(): Promise<void> | void;
  thaw(): Promise<void> | void;
  kill9(): Promise<void>;
  /** Starts it again with what it had on disk. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a redis-server on a free port of loopback; the official image when the suite runs against containers. */
export async function startTcpRedis(): Promise<TcpRedis> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}/0`;
  const redis = process.env.HOTDESK_TEST_CONTAINERS
    ? await startRedisContainer(port)
    : await startRedis([`port ${port}`, 'bind 127.0.0.1']);
  let client: Redis | undefined;
  return {
    url,
    folder: redis.folder,
    client() {
      client ??= new Redis(url, { maxRetriesPerRequest: 1 }).on('error', () => undefined);
      return client;
    },
    freeze: () => redis.freeze(),
    thaw: () => redis.thaw(),
    kill9: () => redis.kill9(),
    restart: () => redis.restart(),
    async stop() {
      client?.disconnect();
      await redis.stop();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
