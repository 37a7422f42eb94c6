import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { binding, eventually, login, newCompany, openStore, record } from './setup.ts';

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

/** The directory as a new follower gets it. */
async function directoryOf(store: Store): Promise<{ entries: ReadonlyMap<string, unknown>; pages: number }> {
  const seen = record();
  const end = new AbortController();
  await store.follow(seen, end.signal);
  end.abort();
  return { entries: seen.directory, pages: seen.pages };
}

describe('writeDirectory', () => {
  it('puts and removes in one step and logs one event', () =>
    withStore(async (store) => {
      const put = new Map<string, unknown>([
        ['company', { id: 'demo', name: 'Démo "x"' }],
        ['user:1001', { extension: '1001' }],
        ['host:h1', { id: 'h1' }],
      ]);
      const first = await store.writeDirectory({ put, remove: [], actor: 'admin:ann' });
      expect(first).toEqual({ outcome: 'written', version: 1 });
      const changed = new Map([['user:1002', [1, 2.5, null]]]);
      await store.writeDirectory({ put: changed, remove: ['user:1001', 'user:none'], actor: 'admin:ann' });
      expect((await store.snapshot()).seq).toBe(2);
      expect((await directoryOf(store)).entries).toEqual(
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
      expect(written.map(({ outcome }) => outcome).toSorted()).toEqual(['exists', 'exists', 'written']);
      expect(await write('d')).toEqual({ outcome: 'exists', version: 1 });
      expect((await store.snapshot()).seq).toBe(1);
    }));

  it('takes ten thousand entries at once', () =>
    withStore(async (store) => {
      const put = new Map(Array.from({ length: 10_000 }, (_, i) => [`user:${i}`, { extension: String(i) }]));
      expect(await store.writeDirectory({ put, remove: [], actor: 'import' })).toMatchObject({ version: 1 });
      const { entries, pages } = await directoryOf(store);
      expect(entries.size).toBe(10_000);
      expect(pages, 'read in pages').toBeGreaterThan(10);
    }));

  it('with ifVersion writes only what nobody else has changed since', () =>
    withStore(async (store) => {
      const write = (ifVersion: number) =>
        store.writeDirectory({ put: new Map([['company', {}]]), remove: [], ifVersion, actor: 'x' });
      expect(await write(0)).toEqual({ outcome: 'written', version: 1 });
      expect(await write(0)).toEqual({ outcome: 'conflict', version: 1 });
      // A login is no change of the directory.
      await store.associate(login('h1', '1001'));
      const together = await Promise.all([write(1), write(1), write(1)]);
      expect(together.map(({ outcome }) => outcome).toSorted()).toEqual(['conflict', 'conflict', 'written']);
      expect((await store.snapshot()).seq).toBe(3);
    }));

  it('logs a notice in the same step', () =>
    withStore(async (store) => {
      const seen = record();
      const end = new AbortController();
      await store.follow(seen, end.signal);
      const notice = { notice: 'passcodeSet', extension: '1001' } as const;
      await store.writeDirectory({
        put: new Map([['user:1001', {}]]),
        remove: [],
        actor: 'admin:ann',
        notice,
      });
      await eventually(() => seen.events.length === 2);
      end.abort();
      expect(seen.events).toMatchObject([
        { kind: 'directory', seq: 1, entries: ['user:1001'] },
        { kind: 'notice', seq: 2, actor: 'admin:ann', notice: 'passcodeSet', extension: '1001' },
      ]);
    }));

  it('logs a notice about a host, which its history has', () =>
    withStore(async (store) => {
      const notice = { notice: 'locationUnverified', host: 'd1' } as const;
      const put = new Map([['host:d1', { a: 1 }]]);
      const remove = ['host:d2'];
      await store.writeDirectory({ put, remove, actor: 'node:a', notice });
      const about = { kind: 'notice', actor: 'node:a', notice: 'locationUnverified', host: 'd1' };
      expect((await store.history({ host: 'd1', limit: 10 })).events).toMatchObject([about]);
      expect((await store.history({ limit: 10 })).events).toMatchObject([
        about,
        { kind: 'directory', entries: ['host:d1', 'host:d2'] },
      ]);
    }));

  it('is followed entry by entry, and as a whole when too much has changed', () =>
    withStore(async (store) => {
      const seen = record();
      const end = new AbortController();
      await store.writeDirectory({ put: new Map([['company', { n: 1 }]]), remove: [], actor: 'x' });
      await store.follow(seen, end.signal);
      expect(seen.directory).toEqual(new Map([['company', { n: 1 }]]));
      await store.writeDirectory({ put: new Map([['user:1', 'a']]), remove: ['company'], actor: 'x' });
      await eventually(() => seen.directory.has('user:1'));
      expect(seen.directory).toEqual(new Map([['user:1', 'a']]));
      expect(seen.loads, 'no second load').toBe(1);
      const many = new Map(Array.from({ length: 600 }, (_, i) => [`host:${i}`, i]));
      await store.writeDirectory({ put: many, remove: [], actor: 'x' });
      await eventually(() => seen.directory.size === 601);
      expect(seen.loads).toBe(2);
      end.abort();
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
        binding({ contact: 'sip:b@c', q: 0.5, path: ['<sip:p;lr>'], instance: '<urn:x>', regId: 1 }),
      ];
      expect(await store.writeBindings('cp1', 1, { version: 2, bindings: two })).toBe(true);
      expect((await store.snapshot()).bindings).toEqual(new Map([['cp1', { version: 2, bindings: two }]]));
    }));

  it('tells when a phone was last seen, long after it has gone', () =>
    withStore(async (store) => {
      const from = Date.now();
      await store.writeBindings('cp1', 0, {
        version: 1,
        bindings: [binding({ expiresAt: Date.now() + 20 })],
      });
      const came = (await store.snapshot()).seen.get('cp1') ?? 0;
      expect(came).toBeGreaterThanOrEqual(from);
      await delay(40);
      const { bindings, seen } = await store.snapshot();
      expect([bindings.size, seen]).toEqual([0, new Map([['cp1', came]])]);
      await store.writeBindings('cp1', 1, { version: 2, bindings: [] });
      expect((await store.snapshot()).seen.get('cp1')).toBeGreaterThan(came);
    }));

  it('tells of a phone made anew nothing of the one before', () =>
    withStore(async (store) => {
      const write = (put: readonly string[], remove: readonly string[] = []) =>
        store.writeDirectory({ put: new Map(put.map((name) => [name, {}])), remove, actor: 'test' });
      const seen = async () => [...(await store.snapshot()).seen.keys()];
      await write(['host:cp1', 'host:cp2']);
      for (const aor of ['cp1', 'cp2']) await store.writeBindings(aor, 0, { version: 1, bindings: [] });
      await write(['host:cp1', 'user:cp2']);
      expect((await seen()).sort()).toEqual(['cp1', 'cp2']);
      await write([], ['host:cp1']);
      await write(['host:cp1']);
      expect(await seen()).toEqual(['cp2']);
    }));

  it('forgets who has not been seen for 400 days', () =>
    withStore(async (store, name) => {
      const day = 86_400_000;
      await raw.zadd(name('seen'), Date.now() - 401 * day, 'cp2', Date.now() - 399 * day, 'cp3');
      await store.writeBindings('cp1', 0, { version: 1, bindings: [binding()] });
      expect([...(await store.snapshot()).seen.keys()]).toEqual(['cp3', 'cp1']);
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
    expect([...seen.directory.keys()]).toEqual(['company']);
    expect([...snapshot!.bindings.keys()]).toEqual(['good']);
    expect(store.problems).toHaveLength(3);
    expect(store.problems.join()).not.toContain('secret');
  }));
