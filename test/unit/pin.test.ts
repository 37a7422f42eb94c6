import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** `npm run pin`, as a process, against an admin API that says what the test wants. */

const TOKEN = 'token-in-the-data-folder';
const PROGRAM = new URL('../../src/pin.ts', import.meta.url).pathname;

let data: string;
let api: Server;
let base: string;
let requests: { line: string; token: string | undefined; body: string }[];
let answer: { status: number; body: string };

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'hotdesk-pin-'));
  await writeFile(join(data, 'admin-token'), `${TOKEN}\n`);
  requests = [];
  api = createServer(async (request, response) => {
    requests.push({ ...describe(request), body: await text(request) });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
});

afterEach(async () => {
  api.close();
  await rm(data, { recursive: true, force: true });
});

function describe({ method, url, headers }: IncomingMessage): { line: string; token: string | undefined } {
  return { line: `${method} ${url}`, token: headers.authorization };
}

interface Outcome {
  readonly code: number | null;
  readonly said: string;
  readonly complained: string;
}

async function pin(args: readonly string[], input = ''): Promise<Outcome> {
  const env = { ...process.env, HOTDESK_CONFIG: '', HOTDESK_DATA: data, HOTDESK_ADMIN_TOKEN: '' };
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...args], { env });
  child.stdin.end(input);
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, said, complained };
}

test('gives a one-time PIN with the token of the data folder', async () => {
  answer = { status: 201, body: '{"passcode":"204863","oneTime":true}' };
  const { code, said } = await pin(['1001', '--url', base]);
  expect(code).toBe(0);
  expect(said).toContain('One-time PIN of 1001: 204863\n');
  expect(requests).toEqual([
    { line: 'POST /api/v1/users/1001/passcode', token: `Bearer ${TOKEN}`, body: '' },
  ]);
});

test('sets the PIN on standard input, and repeats it nowhere', async () => {
  answer = { status: 204, body: '' };
  const { code, said, complained } = await pin(['1001', '--set', '--url', base], '204863\nmore\n');
  expect(code).toBe(0);
  expect(requests).toMatchObject([
    { line: 'PUT /api/v1/users/1001/passcode', body: '{"passcode":"204863"}' },
  ]);
  expect(said).toContain('1001');
  expect(said + complained).not.toContain('204863');
});

test('says what is wrong with it', async () => {
  const errors = [{ path: 'body.passcode', message: 'is too short' }];
  answer = { status: 422, body: JSON.stringify({ title: 'The PIN breaks the rules', errors }) };
  const { code, complained } = await pin(['1001', '--set', '--url', `${base}/`], '2048');
  expect([code, complained]).toEqual([1, 'The PIN breaks the rules\n  it is too short\n']);
});

test('no server, no token', async () => {
  api.close();
  expect(await pin(['1001', '--url', base])).toMatchObject({
    code: 1,
    complained: 'The server cannot be reached (ECONNREFUSED).\n',
  });
  await rm(join(data, 'admin-token'));
  expect((await pin(['1001', '--url', base])).complained).toMatch(/^There is no admin token/);
});

test.each([[], ['12a'], ['1001', '204863'], ['1001', '--url'], ['1001', '--url', 'x']])(
  'what makes no sense is explained: %j',
  async (...args) => {
    const { code, complained } = await pin(args);
    expect(code).toBe(2);
    expect(complained).toMatch(/^Usage: npm run pin/);
  },
);
