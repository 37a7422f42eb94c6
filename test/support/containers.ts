import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers';
import type { TcpRedis } from './tcp-redis.ts';

/** The official images, as docker-compose.yml uses them. */
const DRACHTIO = 'drachtio/drachtio-server:latest';
const REDIS = 'redis:7';

/** Host networking: SIP and RTP carry addresses, and the test phones are on loopback. */
const HOST = 'host';
const SIP_PORT = 25_160;
const APP_PORT = 29_022;
const SECRET = 'secret-of-the-e2e-run';

const docker = async (...args: string[]): Promise<void> => {
  await promisify(execFile)('docker', args);
};

/** Whether Docker answers here. */
export async function dockerAnswers(): Promise<boolean> {
  try {
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}

/** Starts the official drachtio-server; `env` makes the e2e suite use it, and a Redis container per Hotdesk. */
export async function startDrachtio(): Promise<{ env: Record<string, string>; stop(): Promise<void> }> {
  const contact = `sip:127.0.0.1:${SIP_PORT};transport=udp,tcp`;
  const app = ['--address', '127.0.0.1', '--port', String(APP_PORT), '--secret', SECRET];
  const container = await new GenericContainer(DRACHTIO)
    .withNetworkMode(HOST)
    .withCommand(['drachtio', '--contact', contact, ...app, '--loglevel', 'notice'])
    .withWaitStrategy(Wait.forSuccessfulCommand(`bash -c '</dev/tcp/127.0.0.1/${APP_PORT}'`))
    .start();
  return {
    env: {
      DRACHTIO_HOST: '127.0.0.1',
      DRACHTIO_PORT: String(APP_PORT),
      DRACHTIO_SECRET: SECRET,
      HOTDESK_TEST_CONTAINERS: '1',
    },
    stop: async () => {
      await container.stop();
    },
  };
}

type RedisParts = Pick<TcpRedis, 'folder' | 'freeze' | 'thaw' | 'kill9' | 'restart' | 'stop'>;

/** The official Redis on a port of loopback, with the faults a test may want. */
export async function startRedisContainer(port: number): Promise<RedisParts> {
  const folder = await mkdtemp(join(tmpdir(), 'hotdesk-redis-'));
  const container = await redisContainer(port, folder);
  const id = container.getId();
  return {
    folder,
    freeze: () => docker('pause', id),
    thaw: () => docker('unpause', id).catch(() => undefined),
    kill9: () => docker('kill', id).catch(() => undefined),
    restart: () => docker('start', id),
    stop: async () => {
      await docker('rm', '--force', '--volumes', id);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function redisContainer(port: number, folder: string): Promise<StartedTestContainer> {
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'];
  return new GenericContainer(REDIS)
    .withNetworkMode(HOST)
    .withUser(`${process.getuid?.() ?? 0}`)
    .withBindMounts([{ source: folder, target: '/data' }])
    .withCommand(['redis-server', '--bind', '127.0.0.1', '--port', String(port), ...durable])
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
}
