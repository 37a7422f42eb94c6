import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createHttp, type Http, type HttpOptions } from '../../src/http/create-http.ts';
import { services, TOKEN } from './http-world.ts';

/** Real connections: who holds them, and for how long. */

const started: Http[] = [];
const sockets: Socket[] = [];
const warnings: string[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const http of started.splice(0)) await http.stop();
  warnings.length = 0;
});

async function listening(options: Partial<HttpOptions> = {}): Promise<number> {
  const http = createHttp({
    ...{ host: '127.0.0.1', port: 0, adminToken: TOKEN, services: services(), now: () => 0 },
    log: { error: () => undefined, warn: (_fields, text) => void warnings.push(text) },
    ...options,
  });
  started.push(http);
  return (await http.start()).port;
}

/** A connection from a loopback address, open until the test or the server closes it. */
async function opened(
  port: number,
  options: { localAddress?: string; allowHalfOpen?: boolean } = {},
): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, ...options });
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** What is answered to a look whether the server lives; empty: the connection was closed. */
async function answerOn(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  await closed(socket);
  return text.split('\r\n')[0] ?? '';
}

/** However it came to that. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

const OK = 'HTTP/1.1 200 OK';

describe('connections of one address', () => {
  test('are bounded, leave room for others, and count no more once they are closed', async () => {
    const port = await listening({ connectionsPerSource: 10 });
    const held = await Promise.all(Array.from({ length: 10 }, () => opened(port)));
    expect(await answerOn(await opened(port))).toBe('');
    expect(await answerOn(await opened(port))).toBe('');
    expect(warnings).toEqual(['one address has as many HTTP connections as it may']);
    expect(await answerOn(await opened(port, { localAddress: '127.0.0.2' }))).toBe(OK);
    expect(await answerOn(held[0] as Socket)).toBe(OK);
    expect(await answerOn(await opened(port))).toBe(OK);
  });

  test.each(['127.0.0.1', '127.0.0.0/8'])('that is a trusted proxy (%s) are everybody’s', async (proxy) => {
    const port = await listening({ connectionsPerSource: 10, trustedProxies: [proxy] });
    await Promise.all(Array.from({ length: 30 }, () => opened(port)));
    expect(await answerOn(await opened(port))).toBe(OK);
  });
});

describe('a request that comes byte by byte', () => {
  test.each([
    ['with its head', 'GET /healthz HTTP/1.1\r\nx-slow: '],
    [
      'with its body',
      'POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n',
    ],
  ])('%s is cut off, though it is never idle', async (_name, start) => {
    const port = await listening({ requestMs: 300 });
    // Nor does it close its side.
    const socket = await opened(port, { allowHalfOpen: true });
    let text = '';
    socket.on('data', (data) => {
      text += data;
    });
    socket.write(start);
    const drip = setInterval(() => socket.writable && socket.write('a'), 40);
    await closed(socket);
    clearInterval(drip);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });
});
