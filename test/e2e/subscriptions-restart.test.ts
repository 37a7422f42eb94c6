import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PHONES } from '../support/demo.ts';
import { ADMIN_TOKEN, DOMAIN } from '../support/hotdesk.ts';
import { type Endpoint, Subscriber, tellMailbox } from '../support/subscriber.ts';
import { startTcpRedis, type TcpRedis } from '../support/tcp-redis.ts';
import { eventually, within } from '../support/wait.ts';

/**
 * Subscriptions go on when the process is another one: the phone notices nothing but a gap in CSeq. A drachtio-server
 * outlives the process, and answers what comes in its dialogs itself (hoteling-restart).
 */
const withEngine = process.env.DRACHTIO_HOST === undefined;

const HOST = PHONES.own;
/** Who owns it: its lamp is theirs while nobody else sits there. */
const OWNER = '1002';
const PBX = '127.0.0.2';

let redis: TcpRedis;
let folder: string;
let server: Endpoint;
let child: ChildProcess | undefined;
let phone: Subscriber;

beforeEach(async () => {
  redis = await startTcpRedis();
  folder = await mkdtemp(join(tmpdir(), 'hotdesk-restart-'));
  server = { host: '127.0.0.1', port: await freePort() };
  await starts();
  phone = await Subscriber.open(server, { user: HOST });
}, 60_000);

afterEach(async () => {
  await phone.close();
  await ends('SIGKILL');
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.runIf(withEngine).each(['SIGTERM', 'SIGKILL'] as const)('after %s', (signal) => {
  test('what changed meanwhile is told, refreshes are answered, and the phone keeps its dialog', async () => {
    expect((await phone.subscribe({ expires: 3600 })).status).toBe(200);
    const initial = await phone.notified();
    await tellMailbox(server, OWNER, 3, PBX);
    const before = await phone.notified();
    expect(before.body).toContain('Voice-Message: 3/0');
    expect(before.tag('From')).toBe(initial.tag('From'));

    await stored();
    await ends(signal);
    await starts();
    await tellMailbox(server, OWNER, 4, PBX);
    const after = await phone.notified(20_000);
    expect(after.body).toContain('Voice-Message: 4/0');
    expect(after.cseq).toBeGreaterThan(before.cseq);
    expect([after.header('From'), after.header('Call-ID')]).toEqual([
      expect.stringContaining(`tag=${initial.tag('From')}`),
      initial.header('Call-ID'),
    ]);

    const refreshed = await phone.subscribe({ expires: 600 });
    expect([refreshed.status, refreshed.header('Expires')]).toEqual([200, '600']);
    const told = await phone.notified();
    expect([told.cseq > after.cseq, told.header('Subscription-State')]).toEqual([
      true,
      expect.stringMatching(/^active;expires=(600|599)$/),
    ]);
    expect((await phone.subscribe({ expires: 0 })).status).toBe(200);
    expect((await phone.notified()).header('Subscription-State')).toBe('terminated;reason=timeout');
    expect((await phone.subscribe()).status).toBe(481);
  }, 90_000);

  test('a refresh straight after the start is answered', async () => {
    expect((await phone.subscribe()).status).toBe(200);
    const before = await phone.notified();
    await stored();
    await ends(signal);
    await starts();
    const refreshed = await eventually('the refresh', async () => {
      const answer = await phone.subscribe();
      return answer.status === 503 ? undefined : answer;
    });
    expect(refreshed.status).toBe(200);
    expect((await phone.notified()).cseq).toBeGreaterThan(before.cseq);
  }, 90_000);
});

async function starts(): Promise<void> {
  const config = {
    ...{ data: join(folder, 'data'), directory: 'config/demo.yaml', company: 'demo' },
    sip: {
      domain: DOMAIN,
      listen: [{ protocol: 'udp', ...server }],
      trunks: [{ name: 'pbx', uri: `sip:${PBX}:9`, addresses: [PBX] }],
      trunkProbe: 0,
    },
    http: { port: 0, adminToken: ADMIN_TOKEN },
    redis: { url: redis.url },
    log: { level: 'warn' },
  };
  const file = join(folder, 'hotdesk.yaml');
  await writeFile(file, JSON.stringify(config));
  const env = { ...process.env, HOTDESK_CONFIG: file };
  child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { stdout } = child;
  const ready = new Promise<void>((resolve, reject) => {
    let said = '';
    child?.once('exit', () => reject(new Error(`Hotdesk ended before it was ready: ${said}`)));
    stdout?.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-4_000);
      if (said.includes('Hotdesk is ready')) resolve();
    });
  });
  await within(40_000, 'the start of Hotdesk', ready);
}

/** What was granted a moment ago may not be in the store yet: it is told in the background. */
function stored(): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, 1_000));
}

async function ends(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const running = child;
  child = undefined;
  if (!running || running.exitCode !== null) return;
  const over = new Promise<void>((resolve) => running.once('exit', () => resolve()));
  running.kill(signal);
  await within(20_000, 'the end of Hotdesk', over);
}

/** A UDP port nobody uses now: the phone finds the next process where the first one was. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
