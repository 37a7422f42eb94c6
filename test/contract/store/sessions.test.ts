import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LONGEST_SESSION_MS, MOST_SESSIONS, type Store } from '../../../src/store/store.ts';
import { FakeStore } from '../../support/fake-store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { newCompany, openStore } from './setup.ts';

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

const hashOf = (n: number) => n.toString(16).padStart(64, '0');
const MINUTE = 60_000;

interface Fixture {
  readonly store: Store;
  later(ms: number): Promise<void>;
}

async function withRedis(test: (fixture: Fixture) => Promise<void>): Promise<void> {
  const company = newCompany();
  const store = await openStore(redis.path, { company });
  try {
    await test({
      store,
      later: async (ms) => {
        for (const key of await raw.keys(`hd:{${company}}:ses*`))
          await raw.pexpire(key, Math.max(0, (await raw.pttl(key)) - ms));
      },
    });
  } finally {
    await store.stop();
  }
}

async function withFake(test: (fixture: Fixture) => Promise<void>): Promise<void> {
  let now = 1_900_000_000_000;
  await test({
    store: new FakeStore(() => now),
    later: async (ms) => {
      now += ms;
    },
  });
}

describe.each([
  ['Redis', withRedis],
  ['the fake', withFake],
] as const)('sessions in %s', (_name, run) => {
  const keep = (store: Store, n: number, account = 'a1') =>
    store.keepSession(hashOf(n), { account, value: { n, text: 'é' }, ttlMs: 30 * MINUTE });

  it('are kept, and are nobody else’s', () =>
    run(async ({ store }) => {
      await keep(store, 1);
      expect(await store.session(hashOf(1), MINUTE)).toEqual({ n: 1, text: 'é' });
      expect(await store.session(hashOf(2), MINUTE)).toBeUndefined();
    }));

  it('live on when they are asked for, and end when they are not', () =>
    run(async ({ store, later }) => {
      await keep(store, 1);
      await keep(store, 2);
      await later(20 * MINUTE);
      expect(await store.session(hashOf(1), 30 * MINUTE)).toBeDefined();
      expect(await store.session(hashOf(2))).toEqual({ n: 2, text: 'é' });
      await later(20 * MINUTE);
      expect(await store.session(hashOf(1), 30 * MINUTE)).toBeDefined();
      expect(await store.session(hashOf(2), 30 * MINUTE)).toBeUndefined();
    }));

  it('end one by one, and all of an account', () =>
    run(async ({ store }) => {
      for (const n of [1, 2, 3]) await keep(store, n);
      await keep(store, 4, 'a2');
      await store.dropSession(hashOf(1));
      expect(await store.session(hashOf(1), MINUTE)).toBeUndefined();
      expect(await store.session(hashOf(2), MINUTE)).toBeDefined();
      await store.dropSessionsOf('a1');
      for (const n of [1, 2, 3]) expect(await store.session(hashOf(n), MINUTE)).toBeUndefined();
      expect(await store.session(hashOf(4), MINUTE)).toBeDefined();
      await store.dropSessionsOf('nobody');
    }));

  it('of an account are found, with the time they have left, which looking does not change', () =>
    run(async ({ store, later }) => {
      for (const n of [1, 2, 3]) await keep(store, n);
      await keep(store, 4, 'a2');
      await store.dropSession(hashOf(2));
      await later(20 * MINUTE);
      await store.session(hashOf(3), 30 * MINUTE);
      for (let times = 0; times < 2; times++) {
        const found = (await store.sessionsOf('a1')).toSorted((a, b) => a.leftMs - b.leftMs);
        expect(found).toMatchObject([
          { hash: hashOf(1), value: { n: 1, text: 'é' } },
          { hash: hashOf(3), value: { n: 3 } },
        ]);
        const minutes = found.map(({ leftMs }) => Math.ceil(leftMs / MINUTE));
        expect(minutes).toEqual([10, 30]);
      }
      await later(10 * MINUTE + 1_000);
      expect((await store.sessionsOf('a1')).map(({ hash }) => hash)).toEqual([hashOf(3)]);
      await store.dropSessionsOf('a1');
      expect(await store.sessionsOf('a1')).toEqual([]);
      expect(await store.sessionsOf('nobody')).toEqual([]);
    }));

  it('of an account with too many the oldest ends', () =>
    run(async ({ store }) => {
      for (let n = 1; n <= MOST_SESSIONS + 2; n++) {
        await keep(store, n);
        // Those that begin in the same millisecond have no order.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      for (const n of [1, 2]) expect(await store.session(hashOf(n), MINUTE)).toBeUndefined();
      expect(await store.session(hashOf(3), MINUTE)).toBeDefined();
      expect(await store.session(hashOf(MOST_SESSIONS + 2), MINUTE)).toBeDefined();
    }));

  it('those that have ended make room', () =>
    run(async ({ store }) => {
      await keep(store, 1);
      for (let n = 2; n <= MOST_SESSIONS; n++) await keep(store, n);
      for (let n = 2; n <= MOST_SESSIONS; n++) await store.dropSession(hashOf(n));
      for (let n = 102; n <= 100 + MOST_SESSIONS; n++) await keep(store, n);
      expect(await store.session(hashOf(1), MINUTE)).toBeDefined();
    }));

  it('are named by a hash and have an end', () =>
    run(async ({ store }) => {
      const session = { account: 'a1', value: 1, ttlMs: MINUTE };
      for (const hash of ['', 'x'.repeat(64), hashOf(1).toUpperCase().replace(/^0/, 'A'), `${hashOf(1)}0`])
        await expect(store.keepSession(hash, session)).rejects.toThrow(TypeError);
      for (const ttlMs of [0, -1, Number.NaN, LONGEST_SESSION_MS + 1])
        await expect(store.keepSession(hashOf(1), { ...session, ttlMs })).rejects.toThrow(TypeError);
    }));

  it('a notice is logged by itself', () =>
    run(async ({ store }) => {
      await store.logNotice({ notice: 'signedIn', actor: 'user:1001', extension: '1001' });
      const { events } = await store.history({ limit: 10, guest: '1001' });
      expect(events).toMatchObject([
        { kind: 'notice', notice: 'signedIn', actor: 'user:1001', extension: '1001' },
      ]);
      expect(events[0]).not.toMatchObject({ host: expect.any(String) });
    }));

  it('who guesses at an account is slowed down and never locked out for good', () =>
    run(async ({ store }) => {
      const key = {
        extension: 'account:x',
        known: false,
        host: 'web:s',
        source: 'web:s',
        limits: 'account',
      } as const;
      for (let n = 0; n < 5; n++) expect(await store.reserveGuess(key)).toEqual({ outcome: 'reserved' });
      expect(await store.reserveGuess(key)).toMatchObject({ outcome: 'wait', counter: 'pair' });
      const others = Array.from({ length: 30 }, (_, n) => ({ ...key, host: `web:${n}`, source: `web:${n}` }));
      const outcomes: string[] = [];
      for (const other of others) outcomes.push((await store.reserveGuess(other)).outcome);
      expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(5);
      expect(outcomes).not.toContain('locked');
    }));
});

it('Redis has no id of a session, and all of its keys go away', async () => {
  const company = newCompany();
  const store = await openStore(redis.path, { company });
  await store.keepSession(hashOf(7), { account: 'a1', value: {}, ttlMs: MINUTE });
  const keys = await raw.keys(`hd:{${company}}:*`);
  expect(keys.toSorted()).toEqual([`hd:{${company}}:ses:${hashOf(7)}`, `hd:{${company}}:sesx:a1`]);
  for (const key of keys) expect(await raw.pttl(key)).toBeGreaterThan(0);
  await store.stop();
});
