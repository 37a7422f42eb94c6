import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { binding, eventually, newCompany, openStore, record } from './setup.ts';

let redis: TestRedis;
let raw: Redis;
beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(redis.path);
});
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});

async function withStore(
  test: (store: Awaited<ReturnType<typeof openStore>>, name: (key: string) => string) => Promise<void>,
): Promise<void> {
  const company = newCompany();
  const store = await openStore(redis.path, { company });
  try {
    await test(store, (key) => `hd:{${company}}:${key}`);
  } finally {
    await store.stop();
  }
}

describe('writeDirectory', () => {
  it('puts and removes in one step and logs one event', () =>
    withStore(async (store) => {
      const put = new Map<string, unknown>([
        ['company', { id: 'demo', name: 'Démo "x"' }],
        ['user:1001', { extension: '1001' }],
        ['host:h1', { id: 'h1' }],
      ]);
      expect(await store.writeDirectory({ put, remove: [], actor: 'admin:ann' })).toBe(true);
      const changed = new Map([['user:1002', [1, 2.5, null]]]);
      await store.writeDirectory({ put: changed, remove: ['user:1001', 'user:none'], actor: 'admin:ann' });
      const { directory, seq } = await store.snapshot();
      expect(seq).toBe(2);
      expect(directory).toEqual(
        new Map<string, unknown>([
          ['company', put.get('company')],
          ['host:h1', { id: 'h1' }],
          ['user:1002', [1, 2.5, null]],
        ]),
      );
    }));

  it('with ifEmpty writes into an empty store only, whoever else tries at the same moment', () =>
    withStore(async (store) => {
      const write = (name: string) =>
        store.writeDirectory({
          put: new Map([['company', { name }]]),
          remove: [],
          ifEmpty: true,
          actor: name,
        });
      const written = await Promise.all(['a', 'b', 'c'].map(write));
      expect(written.filter(Boolean)).toHaveLength(1);
      expect(await write('d')).toBe(false);
      expect((await store.snapshot()).seq).toBe(1);
    }));

  it('takes ten thousand entries at once', () =>
    withStore(async (store) => {
      const put = new Map(Array.from({ length: 10_000 }, (_, i) => [`user:${i}`, { extension: String(i) }]));
      expect(await store.writeDirectory({ put, remove: [], actor: 'import' })).toBe(true);
      expect((await store.snapshot()).directory.size).toBe(10_000);
    }));

  it('refuses names that are none', () =>
    withStore(async (store) => {
      for (const name of ['', 'x', 'user:', 'users:1', `host:${'x'.repeat(200)}`]) {
        const write = store.writeDirectory({ put: new Map([[name, 1]]), remove: [], actor: 'x' });
        await expect(write).rejects.toThrow(TypeError);
      }
    }));
});

describe('writeBindings', () => {
  it('replaces a set that nobody else has changed, and counts its version', () =>
    withStore(async (store) => {
      const one = [binding()];
      expect(await store.writeBindings('cp1', 0, { version: 1, bindings: one })).toBe(true);
      expect(await store.writeBindings('cp1', 0, { version: 1, bindings: [] })).toBe(false);
      const two = [
        binding(),
        binding({ contact: 'sip:b@c', q: 0.5, path: ['<sip:p;lr>'], instance: '<urn:x>' }),
      ];
      expect(await store.writeBindings('cp1', 1, { version: 2, bindings: two })).toBe(true);
      expect((await store.snapshot()).bindings).toEqual(new Map([['cp1', { version: 2, bindings: two }]]));
    }));

  it('lets one of many writers win', () =>
    withStore(async (store) => {
      const write = (callId: string) =>
        store.writeBindings('cp1', 0, { version: 1, bindings: [binding({ callId })] });
      const won = await Promise.all(Array.from({ length: 20 }, (_, i) => write(`c${i}`)));
      expect(won.filter(Boolean)).toHaveLength(1);
    }));

  it('keeps contacts under a TTL that ends with the last of them', () =>
    withStore(async (store, name) => {
      const latest = Date.now() + 90_000;
      const bindings = [binding({ expiresAt: latest - 60_000 }), binding({ expiresAt: latest })];
      await store.writeBindings('cp1', 0, { version: 1, bindings });
      expect(await raw.pexpiretime(name('ct:cp1'))).toBe(latest);
    }));

  it('forgets what has lapsed, and lets the next writer begin whatever version it knew', () =>
    withStore(async (store, name) => {
      await store.writeBindings('cp1', 0, {
        version: 1,
        bindings: [binding({ expiresAt: Date.now() + 30 })],
      });
      await delay(50);
      expect((await store.snapshot()).bindings.size).toBe(0);
      expect(await raw.exists(name('ct:cp1'))).toBe(0);
      expect(await store.writeBindings('cp1', 1, { version: 2, bindings: [binding()] })).toBe(true);
      expect((await store.snapshot()).bindings.get('cp1')).toMatchObject({ version: 2 });
    }));

  it('remembers the version of an emptied set, so that old bindings do not come back', () =>
    withStore(async (store, name) => {
      await store.writeBindings('cp1', 0, { version: 1, bindings: [binding()] });
      await store.writeBindings('cp1', 1, { version: 2, bindings: [] });
      expect(await store.writeBindings('cp1', 1, { version: 2, bindings: [binding()] })).toBe(false);
      expect((await store.snapshot()).bindings.get('cp1')).toEqual({ version: 2, bindings: [] });
      expect(await raw.pttl(name('ct:cp1'))).toBeLessThanOrEqual(60_000);
    }));

  it('clears its index of phones that are gone', () =>
    withStore(async (store, name) => {
      for (let i = 0; i < 30; i++) await raw.zadd(name('cti'), 1000 + i, `cp${i}`);
      await store.writeBindings('x', 0, { version: 1, bindings: [binding()] });
      await store.writeBindings('y', 0, { version: 1, bindings: [binding()] });
      expect(await raw.zrange(name('cti'), '0', '-1')).toEqual(['x', 'y']);
    }));

  it('never makes a key of an AOR that is none', () =>
    withStore(async (store) => {
      for (const aor of ['', 'a b', 'a}x', 'a\r\n', 'a:b', 'x'.repeat(65), 'é']) {
        await expect(store.writeBindings(aor, 0, { version: 1, bindings: [] })).rejects.toThrow(TypeError);
      }
    }));

  it('loads a thousand phones at one moment', () =>
    withStore(async (store) => {
      const aors = Array.from({ length: 1000 }, (_, i) => `cp${i}`);
      await Promise.all(
        aors.map((aor) => store.writeBindings(aor, 0, { version: 1, bindings: [binding()] })),
      );
      expect((await store.snapshot()).bindings.size).toBe(1000);
    }));
});

it('what cannot be read is reported and left out', () =>
  withStore(async (store, name) => {
    await store.writeDirectory({ put: new Map([['company', { id: 'x' }]]), remove: [], actor: 'x' });
    await store.writeBindings('good', 0, { version: 1, bindings: [binding()] });
    await store.writeBindings('bad', 0, { version: 1, bindings: [binding()] });
    await raw.hset(name('b'), 'h1', '{"g":"1","gen":"x"}');
    await raw.hset(name('dir'), 'user:1', '{secret');
    await raw.set(name('ct:bad'), '{"version":1,"bindings":[{"contact":5}]}', 'KEEPTTL');
    const seen = record();
    const end = new AbortController();
    await store.follow(seen, end.signal);
    await eventually(() => seen.snapshots.length === 1);
    end.abort();
    const [snapshot] = seen.snapshots;
    expect(snapshot!.associations).toEqual([]);
    expect([...snapshot!.directory.keys()]).toEqual(['company']);
    expect([...snapshot!.bindings.keys()]).toEqual(['good']);
    expect(store.problems).toHaveLength(3);
    expect(store.problems.join()).not.toContain('secret');
  }));
