import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChangeEvent } from '../../src/domain/association.ts';
import type { Webhook } from '../../src/domain/directory.ts';
import { createSealing } from '../../src/services/sealing.ts';
import { Delivery, newStatus } from '../../src/services/webhooks/delivery.ts';
import { webhookMessage } from '../../src/services/webhooks/message.ts';
import { createPost, type Post, type PostOptions } from '../../src/services/webhooks/post.ts';
import { createWebhookSender } from '../../src/services/webhooks/sender.ts';
import { SECRET_BYTES, secretText } from '../../src/services/webhooks/signature.ts';
import { createWebhookTargets } from '../../src/services/webhooks/targets.ts';
import type { DeadLetter } from '../../src/store/store.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** Deliveries to a real HTTP server on loopback. Pauses between tries are fake time; requests take real time. */

interface Received {
  readonly request: IncomingMessage;
  readonly body: string;
}

const timers = {
  setTimer(ms: number, run: () => void) {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
const never = new AbortController().signal;
const loopback = createWebhookTargets({ allowInsecure: true, allowedNetworks: ['127.0.0.0/8', '::1/128'] });
const key = new Uint8Array(SECRET_BYTES).map((_, i) => (i * 7) & 255);
const sealing = createSealing({ keyId: 'p1', pepper: Buffer.alloc(32, 1) });

let server: Server;
let port: number;
let received: Received[];
let sockets: Set<Socket>;
let answer: (response: ServerResponse, request: IncomingMessage) => void;

beforeEach(async () => {
  received = [];
  sockets = new Set();
  answer = (response) => response.writeHead(204).end();
  server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString('utf8');
    received.push({ request, body });
    answer(response, request);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function post(options: Partial<PostOptions> = {}): Post {
  return createPost({ targets: loopback, timers, timeoutMs: 500, ...options });
}

function to(path = '/', host = '127.0.0.1') {
  return { url: `http://${host}:${port}${path}`, headers: { 'X-Test': 'yes' }, body: '{"a":"é"}' };
}

/** Time that stands still, but for pauses between tries, which pass at once and are written down. */
class SkippedPauses {
  readonly waits: number[] = [];
  #now = 1_700_000_000_000;
  now = (): number => this.#now;
  setTimer(ms: number, run: () => void) {
    this.waits.push(ms);
    const timer = setImmediate(() => {
      this.#now += ms;
      run();
    });
    return { cancel: () => clearImmediate(timer) };
  }
}

function deliveryBench(webhookPath = '/hook') {
  const clock = new SkippedPauses();
  const letters: DeadLetter[] = [];
  const secret = secretText(key);
  const webhook: Webhook = {
    id: 'a1',
    url: `http://127.0.0.1:${port}${webhookPath}`,
    events: [],
    enabled: true,
    sealedSecret: sealing.seal(secret, 'webhook:a1'),
  };
  const sender = createWebhookSender({ post: post(), sealing, clock, userAgent: 'Hotdesk/test' });
  const store = {
    addDeadLetter: async (letter: DeadLetter) => void letters.push(letter),
    noteAttempt: async () => undefined,
  };
  const nobody = { info() {}, warn() {}, error() {} };
  const status = newStatus();
  const deps = { store, sender, clock, timers: clock, jitter: () => 0.5, company: 'demo', log: nobody };
  return { clock, letters, secret, status, delivery: new Delivery(deps, webhook, status) };
}

/** Company, position, time: what no other event has. */
const ID = `demo:42:${Date.UTC(2031, 4, 6, 14, 5)}`;

const endEvent: ChangeEvent = {
  kind: 'end',
  seq: 42,
  at: Date.UTC(2031, 4, 6, 14, 5),
  actor: 'ttl',
  reason: 'expired',
  association: {
    host: 'cp0004f2000001',
    guest: '1001',
    site: 'london',
    generation: 41,
    startedAt: Date.UTC(2031, 4, 6, 2, 5),
    expiresAt: Date.UTC(2031, 4, 6, 14, 5),
    idleLimitMs: 'never',
  },
};

describe('a request', () => {
  test('is a signed POST that anybody with the secret can verify', async () => {
    const { delivery, secret } = deliveryBench();
    await delivery.take(endEvent, never);
    const [{ request, body }] = received as [Received];
    expect([request.method, request.url]).toEqual(['POST', '/hook']);
    expect(request.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Hotdesk/test',
      'webhook-id': ID,
      'webhook-timestamp': '1700000000',
      host: `127.0.0.1:${port}`,
    });
    // As a receiver would: from the text of the secret and what arrived.
    const signed = `${ID}.1700000000.${body}`;
    const mac = createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64')).update(signed);
    expect(request.headers['webhook-signature']).toBe(`v1,${mac.digest('base64')}`);

    const message = JSON.parse(body);
    expect(webhookMessage.parse(message)).toEqual(message);
    expect(message).toEqual({
      id: ID,
      seq: 42,
      type: 'association.ended',
      at: '2031-05-06T14:05:00.000Z',
      company: 'demo',
      data: {
        host: 'cp0004f2000001',
        guest: '1001',
        site: 'london',
        generation: 41,
        startedAt: '2031-05-06T02:05:00.000Z',
        expiresAt: '2031-05-06T14:05:00.000Z',
        actor: 'ttl',
        reason: 'expired',
      },
    });
  });

  test('carries its body in octets, not characters', async () => {
    expect(await post()(to(), never)).toEqual({ status: 204, retryAfter: undefined });
    expect(received[0]?.body).toBe('{"a":"é"}');
    expect(received[0]?.request.headers['content-length']).toBe('10');
  });
});

describe('tries', () => {
  test('the same event again and again, in order, until it is taken', async () => {
    const { delivery, clock, letters, status } = deliveryBench();
    answer = (response) => response.writeHead(received.length < 4 ? 500 : 200).end('ok');
    await delivery.take(endEvent, never);
    await delivery.take({ ...endEvent, seq: 43 }, never);
    const ids = received.map(({ request }) => request.headers['webhook-id']);
    expect(ids).toEqual([ID, ID, ID, ID, ID.replace('42', '43')]);
    expect(new Set(received.slice(0, 4).map(({ body }) => body)).size).toBe(1);
    // Each try is signed for its own time.
    const stamps = received.map(
      ({ request }) => Number(request.headers['webhook-timestamp']) - 1_700_000_000,
    );
    expect(stamps).toEqual([0, 1, 3, 7, 7]);
    expect(clock.waits).toEqual([1_000, 2_000, 4_000]);
    expect(letters).toEqual([]);
    expect(status).toMatchObject({ lastStatus: 200, consecutiveFailures: 0 });
  });

  test('twelve, then a dead letter', async () => {
    const { delivery, letters } = deliveryBench();
    answer = (response) => response.writeHead(410).end();
    await delivery.take(endEvent, never);
    expect(received).toHaveLength(12);
    expect(letters).toMatchObject([
      { consumer: 'webhook:a1', problem: 'the answer was 410', event: { seq: 42 } },
    ]);
  });

  test.each([
    ['in seconds', '120', 120_000],
    ['as a date', new Date(1_700_000_000_000 + 60_000).toUTCString(), 60_000],
    ['too long', '86400', 300_000],
    ['in the past', 'Thu, 01 Jan 1970 00:00:00 GMT', 1_000],
    ['nonsense', 'soon', 1_000],
  ])('Retry-After %s', async (_name, value, wait) => {
    const { delivery, clock } = deliveryBench();
    answer = (response) =>
      response.writeHead(received.length === 1 ? 503 : 200, { 'Retry-After': value }).end();
    await delivery.take(endEvent, never);
    expect(clock.waits).toEqual([wait]);
  });
});

describe('what a receiver may do to us', () => {
  test('answer nothing', async () => {
    answer = () => undefined;
    const began = performance.now();
    expect(await post({ timeoutMs: 200 })(to(), never)).toEqual({ problem: 'no answer within 0.2 s' });
    expect(performance.now() - began).toBeLessThan(1_500);
    await expect.poll(() => sockets.size).toBe(0);
  });

  test('dribble the headers', async () => {
    const dribbler = createTcpServer((socket) => {
      socket.on('error', () => undefined).write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write('X-A: b\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => dribbler.listen(0, '127.0.0.1', resolve));
    const { port: at } = dribbler.address() as AddressInfo;
    const result = await post({ timeoutMs: 300 })({ ...to(), url: `http://127.0.0.1:${at}/` }, never);
    expect(result).toEqual({ problem: 'no answer within 0.3 s' });
    await new Promise((resolve) => dribbler.close(resolve));
  });

  test.each([
    ['and wait', (_socket: Socket) => undefined],
    ['and close', (socket: Socket) => socket.end()],
    ['and talk on', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')],
  ])('change the protocol (101) %s', async (_name, then) => {
    const changer = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
      socket.resume().write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
      then(socket);
    });
    await new Promise<void>((resolve) => changer.listen(0, '127.0.0.1', resolve));
    const { port: at } = changer.address() as AddressInfo;
    const result = await post()({ ...to(), url: `http://127.0.0.1:${at}/` }, never);
    expect(result).toEqual({ status: 101 });
    await expect.poll(() => sockets.size).toBe(0);
    await new Promise((resolve) => changer.close(resolve));
  });

  test('an upgrade is no delivery, and the next event has its turn', async () => {
    const { delivery, letters } = deliveryBench();
    answer = (response) =>
      void response.socket?.write('HTTP/1.1 101 Other\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    await delivery.take(endEvent, never);
    expect(letters[0]?.problem).toBe('the answer was 101');
  });

  test('answer in part, then hang up: the status counts', async () => {
    answer = (response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('x', () => response.destroy());
    };
    expect(await post()(to(), never)).toMatchObject({ status: 200 });
  });

  test('dribble a body: the status counts, and the connection is closed soon', async () => {
    answer = (response) => {
      response.writeHead(200).write('x');
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    };
    const began = performance.now();
    expect(await post({ timeoutMs: 10_000 })(to(), never)).toMatchObject({ status: 200 });
    expect(performance.now() - began).toBeLessThan(4_000);
    await expect.poll(() => sockets.size).toBe(0);
  });

  test('pour out a body without end: no more than a little is read', async () => {
    let written = 0;
    answer = (response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) written += 65_536;
        if (!response.destroyed) response.once('drain', pour);
      };
      response.writeHead(200);
      pour();
    };
    expect(await post()(to(), never)).toMatchObject({ status: 200 });
    await expect.poll(() => sockets.size).toBe(0);
    // What the sockets' buffers hold, not what was poured.
    expect(written).toBeLessThan(20 * 1024 * 1024);
  });

  test('redirect: not followed', async () => {
    const { delivery, letters } = deliveryBench();
    answer = (response) => response.writeHead(302, { Location: `http://127.0.0.1:${port}/elsewhere` }).end();
    await delivery.take(endEvent, never);
    expect(new Set(received.map(({ request }) => request.url))).toEqual(new Set(['/hook']));
    expect(letters[0]?.problem).toBe('the answer was 302; redirects are not followed');
  });

  test.each([
    ['hang up', (response: ServerResponse) => response.destroy(), /closed without an answer/],
    ['talk nonsense', (response: ServerResponse) => response.socket?.end('nonsense\r\n\r\n'), /no HTTP/],
    [
      'send endless headers',
      (response: ServerResponse) =>
        response.socket?.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`),
      /no HTTP|closed/,
    ],
  ])('%s', async (_name, act, words) => {
    answer = act;
    const result = await post()(to('/?token=secret'), never);
    expect(result).toEqual({ problem: expect.stringMatching(words) });
    expect(JSON.stringify(result)).not.toMatch(/token|secret/);
  });

  test('not be there, or speak no TLS', async () => {
    const closed = await post()({ ...to(), url: 'http://127.0.0.1:1/' }, never);
    expect(closed).toEqual({ problem: 'the connection was refused (ECONNREFUSED)' });
    const plain = await post()({ ...to(), url: `https://127.0.0.1:${port}/` }, never);
    expect(plain).toEqual({ problem: expect.stringMatching(/no TLS|closed without/) });
  });
});

describe('where requests may go', () => {
  const strict = createWebhookTargets({ allowInsecure: true, allowedNetworks: [] });

  test.each(['127.0.0.1', 'localhost', '[::1]', '127.1', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0'])(
    'not to %s by default',
    async (host) => {
      const result = await post({ targets: strict })(to('/', host), never);
      expect(result).toEqual({ problem: expect.stringMatching(/webhooks\.allowedNetworks does not allow/) });
      expect(sockets.size).toBe(0);
      expect(received).toEqual([]);
    },
  );

  test('not without TLS by default', async () => {
    const targets = createWebhookTargets({ allowInsecure: false, allowedNetworks: ['127.0.0.0/8'] });
    expect(await post({ targets })(to(), never)).toEqual({ problem: expect.stringMatching(/https:/) });
    expect(received).toEqual([]);
  });

  test('not to a name that leads there, nor if only one of its addresses does', async () => {
    for (const addresses of [['127.0.0.1'], ['1.1.1.1', '127.0.0.1'], ['::ffff:127.0.0.1'], ['fe80::1%lo']]) {
      const resolve = async () => addresses;
      const result = await post({ targets: strict, resolve })(to('/', 'hooks.example.com'), never);
      expect(result, addresses.join()).toEqual({ problem: expect.stringMatching(/does not allow/) });
    }
    expect(sockets.size).toBe(0);
  });

  test('a name is looked up once, and what was checked is what is connected to (DNS rebinding)', async () => {
    const names: string[] = [];
    const resolve = async (name: string) => {
      names.push(name);
      // A second look-up would lead elsewhere.
      return names.length === 1 ? ['127.0.0.1'] : ['192.0.2.1'];
    };
    expect(await post({ resolve })(to('/', 'hooks.example.com'), never)).toMatchObject({ status: 204 });
    expect(names).toEqual(['hooks.example.com']);
    expect(received[0]?.request.headers.host).toBe(`hooks.example.com:${port}`);
  });

  test('the next address is tried when one does not answer', async () => {
    const resolve = async () => ['::1', '127.0.0.1'];
    expect(await post({ resolve, timeoutMs: 3_000 })(to('/', 'hooks.example.com'), never)).toMatchObject({
      status: 204,
    });
  });

  test('a look-up that fails, or hangs', async () => {
    const failing = Object.assign(new Error('getaddrinfo ENOTFOUND hooks'), { code: 'ENOTFOUND' });
    expect(await post({ resolve: () => Promise.reject(failing) })(to('/', 'hooks'), never)).toEqual({
      problem: 'the host name is not known (ENOTFOUND)',
    });
    const hanging = { resolve: () => new Promise<string[]>(() => undefined), timeoutMs: 100 };
    expect(await post(hanging)(to('/', 'hooks'), never)).toEqual({ problem: 'no answer within 0.1 s' });
    expect(await post({ resolve: async () => [] })(to('/', 'hooks'), never)).toEqual({
      problem: 'the host name has no address',
    });
  });

  test('nor does a proxy of the environment get to see them', async () => {
    process.env.HTTP_PROXY = 'http://127.0.0.1:1';
    try {
      expect(await post()(to(), never)).toMatchObject({ status: 204 });
    } finally {
      delete process.env.HTTP_PROXY;
    }
  });
});

describe('stopping', () => {
  test('ends a request under way, and its connection', async () => {
    answer = () => undefined;
    const stop = new AbortController();
    const clock = new FakeClock();
    const under = post({ timers: clock, timeoutMs: 10_000 })(to(), stop.signal);
    await expect.poll(() => received.length).toBe(1);
    stop.abort();
    expect(await under).toEqual({ problem: 'the request was ended (ABORT_ERR)' });
    await expect.poll(() => sockets.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('before it begins: nothing is sent', async () => {
    expect(await post()(to(), AbortSignal.abort())).toEqual({ problem: expect.stringMatching(/ended/) });
    expect(received).toEqual([]);
  });
});
