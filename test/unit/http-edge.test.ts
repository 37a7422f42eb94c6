import { Server } from 'node:http';
import { connect, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { refuseOdd } from '../../src/http/odd-requests.ts';
import { problemOf, REASONS } from '../../src/http/problem.ts';
import { MinuteCounts } from '../../src/http/rate-limit.ts';
import { SECURITY_HEADERS } from '../../src/http/security-headers.ts';
import { association, base, expectProblem, http, reception, request, TOKEN, world } from './http-world.ts';

async function answerTo(bytes: string): Promise<string> {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  socket.write(bytes);
  return (await socket.toArray()).join('');
}

describe('health', () => {
  test('healthz says the process lives, without a token', async () => {
    expect(await request('GET', '/healthz', { token: '' })).toMatchObject({
      status: 200,
      json: { alive: true },
    });
  });

  test('readyz names the part that is not ready', async () => {
    expect(await request('GET', '/readyz', { token: '' })).toMatchObject({
      status: 200,
      json: { ready: true, store: true, sip: true, media: true },
    });
    world.readiness = { store: false, sip: true, media: false };
    const answer = await request('GET', '/readyz', { token: '' });
    expectProblem(answer, 503, { store: false, sip: true, media: false, detail: 'Not ready: store, media.' });
    expect(answer.headers.get('retry-after')).toBe('5');
  });
});

describe('the administrator’s token', () => {
  test.each([
    ['none', ''],
    ['a wrong one', 'administrator-token-for-testz'],
    ['a prefix', TOKEN.slice(0, -1)],
  ])('%s gets 401 and reaches nothing', async (_name, token) => {
    for (const [method, path] of [
      ['GET', '/hosts'],
      ['PUT', '/directory'],
      ['DELETE', `/hosts/${reception.id}/association`],
    ] as const) {
      const answer = await request(method, `/api/v1${path}`, { token });
      expectProblem(answer, 401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="hotdesk"/);
    }
    expect(world.calls).toEqual([]);
  });

  test('too many wrong ones get 429 until the minute is over', async () => {
    for (let guess = 0; guess < 20; guess++)
      await request('GET', '/api/v1/company', { token: 'wrong-token-wrong' });
    const answer = await request('GET', '/api/v1/company');
    expectProblem(answer, 429);
    expect(answer.headers.get('retry-after')).toBe('60');
    expect((await request('GET', '/healthz', { token: '' })).status).toBe(200);
    world.now = 60_000;
    expect((await request('GET', '/api/v1/company')).status).toBe(200);
  });

  test('a request without a token is no guess', async () => {
    for (let times = 0; times < 25; times++) await request('GET', '/api/v1/company', { token: '' });
    expect((await request('GET', '/api/v1/company')).status).toBe(200);
  });

  test('the table of sources is bounded and forgets the oldest', () => {
    const failed = new MinuteCounts({ now: () => 0, perMinute: 20, most: 1_000 });
    for (let source = 0; source < 5_000; source++) failed.count(`10.0.${source >> 8}.${source & 255}`);
    expect(failed.size).toBe(1_000);
    for (let guess = 0; guess < 20; guess++) failed.count('192.0.2.1');
    expect(failed.waitOf('192.0.2.1')).toBe(60);
  });
});

describe('errors', () => {
  test('before the directory is loaded: 503', async () => {
    world.view = { knowledge: 'unknown', directory: undefined };
    for (const path of ['/company', '/hosts', `/hosts/${reception.id}`, '/users', '/users/1001']) {
      expectProblem(await request('GET', `/api/v1${path}`), 503, { reason: 'stateUnknown' });
    }
  });

  test('unknown paths', async () => {
    for (const path of ['/', '/api/v1/nope', '/api/v2']) expectProblem(await request('GET', path), 404);
    expectProblem(await request('PUT', '/api/v1/hosts'), 404);
  });

  test('a body that is no JSON is not quoted', async () => {
    const answer = await request('PATCH', '/api/v1/company', { body: '{"pin": SECRET-INTERNAL' });
    expectProblem(answer, 400, { detail: 'The request could not be read.' });
  });

  test('a body that is too large', async () => {
    const answer = await request('PATCH', '/api/v1/company', { body: { x: 'x'.repeat(20_000) } });
    expectProblem(answer, 413, { detail: 'The body is too large: 16 KiB is the most that is taken here.' });
  });

  test.each([
    ['cannot be decoded', '/api/v1/hosts/%zz', 400],
    ['is too long', `/api/v1/hosts/${'x'.repeat(200)}`, 414],
  ])('an address that %s, with the headers of every answer', async (_name, path, status) => {
    const answer = await request('GET', path);
    expectProblem(answer, status);
    for (const [name, value] of Object.entries(SECURITY_HEADERS))
      expect([name, answer.headers.get(name)]).toEqual([name, value]);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'a body of %s, as any page can send it',
    async (type) => {
      const body = '{"associationLimit":8}';
      expectProblem(await request('PATCH', '/api/v1/company', { body, type }), 415, {
        detail: 'The body has a type that is not taken here.',
      });
    },
  );

  test('what is broken is logged once and shows no internals', async () => {
    world.answer = new Error('SECRET-INTERNAL in /some/path.ts');
    expectProblem(await request('POST', '/api/v1/users/1001/unlock'), 500, {
      title: 'Internal Server Error',
    });
    expect(world.logged).toHaveLength(1);
    expect(world.logged[0]).toMatchObject([
      { err: world.answer, route: '/api/v1/users/:extension/unlock' },
      expect.any(String),
    ]);
  });

  test('an answer that does not fit its schema is a 500', async () => {
    world.answer = { association: { ...association, startedAt: Number.NaN } };
    expectProblem(
      await request('PUT', `/api/v1/hosts/${reception.id}/association`, { body: { guest: '1001' } }),
      500,
    );
  });

  const ASK = 'GET /healthz HTTP/1.1\r\nConnection: close\r\n';
  test.each([
    ['bytes that are no HTTP', '\x01 nonsense\r\n\r\n', 400],
    ['a request without a host', `${ASK}\r\n`, 400],
    ['a request with two hosts', `${ASK}Host: a.example\r\nhost: b.example\r\n\r\n`, 400],
    ['an unknown expectation', `${ASK}Host: a.example\r\nExpect: miracles\r\n\r\n`, 417],
    ['a proxy’s method', 'CONNECT b.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n', 405],
  ])('%s: a problem too', async (_name, bytes, status) => {
    const text = await answerTo(bytes);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text).toMatch(/\r\ncontent-type: application\/problem\+json/i);
    expect(text).toMatch(/\r\ncontent-security-policy: default-src 'none'/i);
    expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status });
  });

  test('who asks for a proxy and is gone before the answer ends nobody but themselves', () => {
    const [server, socket] = [new Server(), new Socket()];
    refuseOdd(server);
    server.emit('connect', {}, socket, Buffer.alloc(0));
    // With nobody to hear it, this would throw, and the process end.
    expect(() => socket.emit('error', new Error('read ECONNRESET'))).not.toThrow();
  });

  test('HTTP/1.0 need not name a host', async () => {
    expect(await answerTo('GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });

  test('every reason is a problem of its own', () => {
    for (const reason of Object.keys(REASONS) as (keyof typeof REASONS)[]) {
      const problem = problemOf({ refused: reason });
      expect(problem).toMatchObject({ reason, type: `urn:hotdesk:reason:${reason}` });
      expect(problem.status).toBeGreaterThanOrEqual(400);
    }
  });

  test('no answer is cached', async () => {
    for (const path of ['/api/v1/company', '/api/v1/nope']) {
      expect((await request('GET', path)).headers.get('cache-control')).toBe('no-store');
    }
  });
});

describe('OpenAPI', () => {
  const ROUTES = {
    '/healthz': ['get'],
    '/readyz': ['get'],
    '/api/v1/setup': ['get', 'post'],
    '/api/v1/web-phone': ['get'],
    '/api/v1/password': ['post'],
    '/api/v1/session': ['post', 'get', 'delete'],
    '/api/v1/session/password': ['put'],
    '/api/v1/session/totp': ['post', 'put'],
    '/api/v1/session/totp/removal': ['post'],
    '/api/v1/sessions': ['get'],
    '/api/v1/sessions/{id}': ['delete'],
    '/api/v1/session/others': ['delete'],
    '/api/v1/provider': ['get', 'post'],
    '/api/v1/provider/callback': ['get'],
    '/api/v1/accounts': ['get', 'post'],
    '/api/v1/accounts/{id}': ['get', 'patch', 'delete'],
    '/api/v1/accounts/{id}/reset': ['post'],
    '/api/v1/accounts/{id}/totp': ['delete'],
    '/api/v1/accounts/{id}/sessions': ['delete'],
    '/api/v1/tokens': ['get', 'post'],
    '/api/v1/tokens/{id}': ['delete'],
    '/api/v1/company': ['get', 'patch'],
    '/api/v1/company/licences': ['get'],
    '/api/v1/hosts': ['get', 'post'],
    '/api/v1/hosts/{id}': ['get', 'patch', 'delete'],
    '/api/v1/hosts/{id}/unassign': ['post'],
    '/api/v1/hosts/{id}/convert': ['post'],
    '/api/v1/hosts/{id}/assign': ['post'],
    '/api/v1/catalogue': ['get'],
    '/api/v1/order-quotes': ['post'],
    '/api/v1/orders': ['get', 'post'],
    '/api/v1/orders.csv': ['get'],
    '/api/v1/orders/{id}': ['get', 'patch'],
    '/api/v1/orders/{id}.csv': ['get'],
    '/api/v1/orders/{id}/phones': ['post'],
    '/api/v1/events': ['get'],
    '/api/v1/sites': ['get', 'post'],
    '/api/v1/sites/{id}': ['get', 'patch', 'delete'],
    '/api/v1/hosts/{id}/address/verification': ['post'],
    '/api/v1/hosts/{id}/association': ['put', 'delete'],
    '/api/v1/users': ['get', 'post'],
    '/api/v1/users/import': ['post'],
    '/api/v1/users/{extension}': ['get', 'patch', 'delete'],
    '/api/v1/users/{extension}/association': ['put', 'delete'],
    '/api/v1/users/{extension}/calls': ['patch'],
    '/api/v1/users/{extension}/guest': ['patch'],
    '/api/v1/users/{extension}/hosts': ['get'],
    '/api/v1/users/{extension}/passcode': ['put', 'post'],
    '/api/v1/users/{extension}/unlock': ['post'],
    '/api/v1/directory': ['get', 'put'],
    '/api/v1/webhooks': ['get', 'post'],
    '/api/v1/webhooks/dead-letters': ['get'],
    '/api/v1/webhooks/{id}': ['get', 'patch', 'delete'],
    '/api/v1/webhooks/{id}/secret': ['post'],
    '/api/v1/webhooks/{id}/test': ['post'],
    '/api/v1/webhooks/{id}/deliveries': ['get'],
    '/api/v1/webhooks/{id}/dead-letters/{letter}/delivery': ['post'],
    '/api/v1/audit': ['get'],
    '/api/v1/audit/sessions': ['get'],
    '/api/v1/audit.csv': ['get'],
    '/api/v1/audit/sessions.csv': ['get'],
    '/api/v1/usage': ['get'],
    '/api/v1/emergencies': ['get'],
    '/api/v1/emergencies/{id}/acknowledgement': ['post'],
  };

  test('3.1, every route, every reference there', async () => {
    const { status, json } = await request('GET', '/api/v1/openapi.json', { token: '' });
    expect(status).toBe(200);
    expect(json.openapi).toBe('3.1.0');
    const paths = Object.entries(json.paths).map(([path, item]) => [
      path,
      Object.keys(item as object).sort(),
    ]);
    expect(Object.fromEntries(paths)).toEqual(
      Object.fromEntries(Object.entries(ROUTES).map(([path, methods]) => [path, [...methods].sort()])),
    );
    expect(Object.keys(json.components.schemas).sort()).toEqual([
      'Account',
      'AddedHost',
      'ApiToken',
      'AuditEntry',
      'AvailableHost',
      'Binding',
      'Catalogue',
      'Charges',
      'CivicAddress',
      'Company',
      'ConvertedHost',
      'Emergency',
      'Host',
      'ImportedRow',
      'Licences',
      'NewAccount',
      'NewApiToken',
      'NewWebhook',
      'NotReady',
      'OneTimePasscode',
      'Order',
      'OwnSession',
      'PasswordLink',
      'PeopleImport',
      'Problem',
      'ProviderSignIn',
      'ReadyPhones',
      'Session',
      'SignedIn',
      'Site',
      'Stay',
      'TotpSecret',
      'Usage',
      'User',
      'WebPhone',
      'Webhook',
      'WebhookMessage',
      'WebhookSecret',
      'WebhookTest',
    ]);
    for (const [, name] of JSON.stringify(json).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      expect(json.components.schemas).toHaveProperty(name ?? '');
    }
  });

  test('only health and the way in are open, and YAML is said to be YAML', async () => {
    const { json } = await request('GET', '/api/v1/openapi.json', { token: '' });
    expect(json.security).toEqual([{ bearer: [] }, { session: [] }]);
    const open = Object.entries(json.paths).flatMap(([path, item]) =>
      Object.entries(item as Record<string, { security?: unknown[] }>).flatMap(([method, { security }]) =>
        security === undefined ? [] : [`${method} ${path}`],
      ),
    );
    expect(open.sort()).toEqual([
      'get /api/v1/provider',
      'get /api/v1/provider/callback',
      'get /api/v1/setup',
      'get /api/v1/web-phone',
      'get /healthz',
      'get /readyz',
      'post /api/v1/password',
      'post /api/v1/provider',
      'post /api/v1/session',
      'post /api/v1/setup',
    ]);
    expect(json.paths['/healthz'].get.security).toEqual([]);
    expect(json.paths['/api/v1/hosts'].get.security).toBeUndefined();
    expect(Object.keys(json.paths['/api/v1/directory'].put.requestBody.content)).toContain('text/yaml');
    expect(Object.keys(json.paths['/api/v1/directory'].get.responses['200'].content)).toEqual(['text/yaml']);
    expect(Object.keys(json.paths['/api/v1/hosts'].get.responses)).toEqual(['200', '4XX', '5XX']);
  });
});

test('stop lets a request in hand finish and frees the port', async () => {
  let finish = (_done?: unknown) => {};
  world.answer = new Promise((resolve) => {
    finish = resolve;
  });
  const inHand = request('POST', '/api/v1/users/1001/unlock');
  await expect.poll(() => world.calls.length).toBe(1);
  const stopped = http.stop();
  finish();
  expect((await inHand).status).toBe(204);
  await stopped;
  await expect(fetch(`${base}/healthz`)).rejects.toThrow();
});

test('a HEAD of the stream of events ends', async () => {
  world.answer = () => undefined;
  const head = await request('HEAD', '/api/v1/events');
  expect([head.status, head.type, world.calls]).toEqual([200, 'text/event-stream', []]);
});
