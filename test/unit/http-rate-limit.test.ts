import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { type Principal, setPrincipal } from '../../src/http/principal.ts';
import { limitPrincipal, limitSource, limitsOf, MinuteCounts, sourceOf } from '../../src/http/rate-limit.ts';

/** How much one address, and one account or token, may ask for in a minute. */

function appWith(perMinute: number) {
  const time = { now: 0 };
  const limits = limitsOf({ now: () => time.now, perMinute });
  const app = Fastify({ trustProxy: true });
  app.addHook('onRequest', limitSource(limits));
  app.get('/healthz', () => 'alive');
  app.get('/open', () => 'open');
  app.register((api, _options, done) => {
    api.addHook('onRequest', async (request) => {
      const actor = String(request.headers.actor);
      const principal: Principal = { kind: 'token', actor, role: 'administrator', sites: 'all' };
      setPrincipal(request, { principal, find: () => principal });
    });
    api.addHook('onRequest', limitPrincipal(limits));
    api.get('/api', () => 'api');
    done();
  });
  const ask = (url: string, actor: string, from: string) =>
    app.inject({ url, headers: { actor, 'x-forwarded-for': from } });
  return { time, ask, limits };
}

test('one account or token, wherever it comes from; another goes on', async () => {
  const { ask, time } = appWith(3);
  for (let i = 0; i < 3; i++) expect((await ask('/api', 'one', `192.0.2.${i}`)).statusCode).toBe(200);
  const refused = await ask('/api', 'one', '192.0.2.9');
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '60']);
  expect(refused.json()).toMatchObject({ status: 429 });
  expect((await ask('/api', 'other', '192.0.2.9')).statusCode).toBe(200);
  time.now = 60_000;
  expect((await ask('/api', 'one', '192.0.2.9')).statusCode).toBe(200);
});

test('one address five times as much, whatever it asks for; health is always told', async () => {
  const { ask, time } = appWith(2);
  for (let i = 0; i < 10; i++) expect((await ask('/open', '', '192.0.2.1')).statusCode).toBe(200);
  for (const path of ['/open', '/nowhere', '/api'])
    expect((await ask(path, 'x', '192.0.2.1')).statusCode).toBe(429);
  expect((await ask('/healthz', '', '192.0.2.1')).statusCode).toBe(200);
  expect((await ask('/open', '', '192.0.2.2')).statusCode).toBe(200);
  time.now = 60_000;
  expect((await ask('/open', '', '192.0.2.1')).statusCode).toBe(200);
});

test('the tables are bounded, and the oldest goes first', () => {
  const counts = new MinuteCounts({ now: () => 0, perMinute: 1, most: 100 });
  for (let i = 0; i < 1_000; i++) counts.count(`k${i}`);
  expect(counts.size).toBe(100);
  expect(counts.waitOf('k999')).toBe(60);
  expect(counts.waitOf('k0')).toBe(0);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:0db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s counts as %s', (ip, source) => expect(sourceOf({ ip })).toBe(source));
