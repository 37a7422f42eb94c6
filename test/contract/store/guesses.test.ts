import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
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

interface Fixture {
  readonly store: Store;
  counter(kind: 'x' | 'h' | 's', id: string): string;
  /** Lets the wait of a counter be over without waiting. */
  skipWait(kind: 'x' | 'h' | 's', id: string): Promise<void>;
}

async function withStore(test: (fixture: Fixture) => Promise<void>): Promise<void> {
  const company = newCompany();
  const store = await openStore(redis.path, { company, commandTimeoutMs: 2000 });
  const counter = (kind: string, id: string) => `hd:{${company}}:guess:${kind}:${id}`;
  try {
    await test({
      ...{ store, counter },
      skipWait: async (kind, id) => void (await raw.hset(counter(kind, id), 'until', '0')),
    });
  } finally {
    await store.stop();
  }
}

const key = { extension: '1001', host: 'h1', source: '192.0.2.1' };

it('200 parallel guesses from 4 nodes share one budget of 5', async () => {
  const company = newCompany();
  const stores = await Promise.all(
    ['a', 'b', 'c', 'd'].map((node) => openStore(redis.path, { company, node, commandTimeoutMs: 2000 })),
  );
  const replies = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      stores[i % 4]!.reserveGuess({ extension: '1001', host: `h${i}`, source: `192.0.2.${i}` }),
    ),
  );
  expect(replies.filter(({ outcome }) => outcome === 'reserved')).toHaveLength(5);
  await Promise.all(stores.map((store) => store.stop()));
});

it('a person waits 1, 2, 4 … s from the fifth guess on, and is locked at 20 until an administrator helps', () =>
  withStore(async ({ store, counter, skipWait }) => {
    for (let n = 1; n <= 20; n++) {
      const guess = { ...key, host: `h${n}`, source: `s${n}` };
      expect(await store.reserveGuess(guess)).toEqual({ outcome: 'reserved' });
      const reply = await store.reserveGuess(guess);
      if (n < 5) {
        // The second guess of this round was let through: take it back.
        expect(reply).toEqual({ outcome: 'reserved' });
        await raw.hincrby(counter('x', '1001'), 'n', -1);
        await skipWait('x', '1001');
      } else if (n < 20) {
        const due = Math.min(1000 * 2 ** (n - 5), 3_600_000);
        expect(reply).toMatchObject({ outcome: 'wait', counter: 'extension' });
        expect((reply as { waitMs: number }).waitMs).toSatisfy((ms: number) => ms > due - 900 && ms <= due);
        expect(await raw.pttl(counter('x', '1001'))).toBeGreaterThan(3_590_000);
        await skipWait('x', '1001');
      } else {
        expect(reply).toEqual({ outcome: 'locked' });
      }
    }
    expect(await raw.pttl(counter('x', '1001'))).toBe(-1);
    await store.clearGuesses('1001');
    expect(await store.reserveGuess(key)).toEqual({ outcome: 'reserved' });
  }));

it('a phone that tries one person after another is slowed down, and never locked', () =>
  withStore(async ({ store, counter, skipWait }) => {
    for (let n = 1; n <= 10; n++) {
      await store.reserveGuess({ ...key, extension: `x${n}`, source: `s${n}` });
    }
    expect(await store.reserveGuess({ ...key, extension: 'y' })).toMatchObject({
      outcome: 'wait',
      counter: 'host',
    });
    await raw.hset(counter('h', 'h1'), 'n', '500');
    await skipWait('h', 'h1');
    expect(await store.reserveGuess({ ...key, extension: 'y' })).toEqual({ outcome: 'reserved' });
    const reply = await store.reserveGuess({ ...key, extension: 'y' });
    expect((reply as { waitMs: number }).waitMs).toBeLessThanOrEqual(300_000);
  }));

it('a guess that must wait is counted nowhere', () =>
  withStore(async ({ store, counter }) => {
    await raw.hset(counter('h', 'h1'), 'n', '10', 'until', String(Date.now() + 60_000));
    expect(await store.reserveGuess(key)).toMatchObject({ outcome: 'wait', counter: 'host' });
    expect(await raw.exists(counter('x', '1001'), counter('s', '192.0.2.1'))).toBe(0);
    expect(await raw.hget(counter('h', 'h1'), 'n')).toBe('10');
  }));

it('of several waits the longest is told', () =>
  withStore(async ({ store, counter }) => {
    await raw.hset(counter('x', '1001'), 'n', '6', 'until', String(Date.now() + 5000));
    await raw.hset(counter('s', '192.0.2.1'), 'n', '60', 'until', String(Date.now() + 60_000));
    expect(await store.reserveGuess(key)).toMatchObject({ outcome: 'wait', counter: 'source' });
  }));

it('a right guess frees the person and takes back one guess of phone and source, not those of others', () =>
  withStore(async ({ store, counter }) => {
    for (let n = 1; n <= 3; n++) await store.reserveGuess({ ...key, extension: `x${n}` });
    await store.reserveGuess(key);
    await store.confirmGuess(key);
    expect(await raw.exists(counter('x', '1001'))).toBe(0);
    expect(await raw.hget(counter('h', 'h1'), 'n')).toBe('3');
    expect(await raw.hget(counter('s', '192.0.2.1'), 'n')).toBe('3');
  }));

it('a right guess ends a wait that is its own, not one that others have earned', () =>
  withStore(async ({ store, counter, skipWait }) => {
    for (let n = 1; n <= 9; n++) await store.reserveGuess({ ...key, extension: `x${n}` });
    await store.reserveGuess(key);
    await store.confirmGuess(key);
    // The tenth guess on this phone: its wait went with it.
    expect(await store.reserveGuess({ ...key, extension: 'x10' })).toEqual({ outcome: 'reserved' });
    await skipWait('h', 'h1');
    await store.reserveGuess(key);
    await store.confirmGuess(key);
    expect(await raw.hget(counter('h', 'h1'), 'n')).toBe('10');
    expect(await store.reserveGuess({ ...key, extension: 'x11' })).toMatchObject({ counter: 'host' });
  }));

it('counts odd and endless ids without putting them into a key', () =>
  withStore(async ({ store, counter }) => {
    const hostile = { extension: '1}:b\r\n', host: 'x'.repeat(10_000), source: '[fe80::1%eth0]' };
    for (let n = 1; n <= 5; n++) expect(await store.reserveGuess(hostile)).toEqual({ outcome: 'reserved' });
    expect(await store.reserveGuess(hostile)).toMatchObject({ outcome: 'wait' });
    const keys = await raw.keys(counter('x', '*').replace(/[{}]/g, '?').replace(':x:', ':?:'));
    expect(keys).toHaveLength(3);
    for (const each of keys) expect(each).toMatch(/:guess:[xhs]:~[0-9a-f]{32}$/);
  }));
