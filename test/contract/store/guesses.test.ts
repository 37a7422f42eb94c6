import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { eventually, newCompany, openStore, record } from './setup.ts';

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

/** Person, person at a host, host, source. */
type Kind = 'x' | 'p' | 'h' | 's';

interface Fixture {
  readonly store: Store;
  counter(kind: Kind, id: string): string;
  /** Lets the wait of a counter be over without waiting. */
  skipWait(kind: Kind, id: string): Promise<void>;
  /** What a counter counts and how long it lets one wait. */
  read(kind: Kind, id: string): Promise<{ n: number; waitMs: number }>;
  /** Lets time pass for all counters without waiting. */
  later(ms: number): Promise<void>;
}

async function withStore(test: (fixture: Fixture) => Promise<void>): Promise<void> {
  const company = newCompany();
  const store = await openStore(redis.path, { company, commandTimeoutMs: 2000 });
  const counter = (kind: string, id: string) => `hd:{${company}}:guess:${kind}:${id}`;
  try {
    await test({
      ...{ store, counter },
      read: async (kind, id) => {
        const [n, until] = await raw.hmget(counter(kind, id), 'n', 'until');
        return { n: Number(n ?? 0), waitMs: Math.max(0, Number(until ?? 0) - Date.now()) };
      },
      later: async (ms) => {
        for (const each of await raw.keys(counter('?', '*'))) await age(each, ms);
      },
      skipWait: async (kind, id) => void (await raw.hset(counter(kind, id), 'until', '0')),
    });
  } finally {
    await store.stop();
  }
}

async function age(counter: string, ms: number): Promise<void> {
  for (const field of ['until', 'ends']) await raw.hincrby(counter, field, -ms);
  const left = await raw.pttl(counter);
  if (left >= 0) await raw.pexpire(counter, Math.max(0, left - ms));
}

const key = { extension: '1001', known: true, host: 'h1', source: '192.0.2.1' };

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

it('a person waits 1, 2, 4 … 30 s from the fifth guess on, and is locked at 20 until an administrator helps', () =>
  withStore(async ({ store, counter, skipWait }) => {
    for (let n = 1; n <= 20; n++) {
      expect(await store.reserveGuess({ ...key, host: `h${n}`, source: `s${n}` })).toEqual({
        outcome: 'reserved',
      });
      const reply = await store.reserveGuess({ ...key, host: `again${n}`, source: `s${n}` });
      if (n < 5) {
        // The second guess of this round was let through: take it back.
        expect(reply).toEqual({ outcome: 'reserved' });
        await raw.hincrby(counter('x', '1001'), 'n', -1);
        await raw.hincrby(counter('x', '1001'), 'total', -1);
        await skipWait('x', '1001');
      } else if (n < 20) {
        const due = Math.min(1000 * 2 ** (n - 5), 30_000);
        expect(reply).toMatchObject({ outcome: 'wait', counter: 'extension' });
        expect((reply as { waitMs: number }).waitMs).toSatisfy((ms: number) => ms > due - 900 && ms <= due);
        await skipWait('x', '1001');
      } else {
        expect(reply).toEqual({ outcome: 'locked' });
      }
    }
    expect(await raw.pttl(counter('x', '1001'))).toBe(-1);
    await store.clearGuesses('1001', 'admin:ann');
    expect(await store.reserveGuess({ ...key, host: 'h99' })).toEqual({ outcome: 'reserved' });
  }));

it('at one phone the waits for a person grow to an hour, at another they can log in', () =>
  withStore(async ({ store, read, skipWait }) => {
    for (let n = 1; n <= 8; n++) {
      expect(await store.reserveGuess(key)).toEqual({ outcome: 'reserved' });
      await skipWait('x', '1001');
      if (n < 5) expect((await read('p', '1001:h1')).waitMs).toBe(0);
      else {
        const due = 1000 * 2 ** (n - 5);
        expect((await read('p', '1001:h1')).waitMs).toSatisfy((ms: number) => ms > due - 900 && ms <= due);
        expect(await store.reserveGuess(key)).toMatchObject({ outcome: 'wait', counter: 'pair' });
        await skipWait('p', '1001:h1');
      }
    }
    await store.reserveGuess(key);
    await skipWait('x', '1001');
    expect(await store.reserveGuess(key)).toMatchObject({ outcome: 'wait', counter: 'pair' });
    expect(await store.reserveGuess({ ...key, host: 'h2' })).toEqual({ outcome: 'reserved' });
    await store.confirmGuess({ ...key, host: 'h2' });
    expect((await read('x', '1001')).n).toBe(0);
    expect((await read('p', '1001:h1')).waitMs, 'a right PIN elsewhere frees no guesser').toBeGreaterThan(0);
  }));

it('an unlock lifts the waits at all phones, and a right PIN elsewhere does not bring them back', () =>
  withStore(async ({ store, skipWait }) => {
    for (let n = 1; n <= 8; n++) {
      await store.reserveGuess(key);
      await skipWait('x', '1001');
      if (n < 8) await skipWait('p', '1001:h1');
    }
    expect(await store.reserveGuess(key)).toMatchObject({ outcome: 'wait', counter: 'pair' });
    await store.clearGuesses('1001', 'admin:ann');
    await store.reserveGuess({ ...key, host: 'h2' });
    await store.confirmGuess({ ...key, host: 'h2' });
    expect(await store.reserveGuess(key)).toEqual({ outcome: 'reserved' });
    for (let n = 2; n <= 5; n++) await store.reserveGuess(key);
    expect(await store.reserveGuess(key), 'guesses after it count').toMatchObject({ outcome: 'wait' });
  }));

it('four guesses an hour lock a person as well, and administrators are told, once', () =>
  withStore(async ({ store, later }) => {
    const seen = record();
    const end = new AbortController();
    await store.follow(seen, end.signal);
    for (let n = 1; n <= 20; n++) {
      expect(await store.reserveGuess(key)).toEqual({ outcome: 'reserved' });
      if (n % 4 === 0) await later(3_700_000);
    }
    for (let n = 1; n <= 3; n++) expect(await store.reserveGuess(key)).toEqual({ outcome: 'locked' });
    await store.clearGuesses('1001', 'admin:ann');
    await eventually(() => seen.events.length === 2);
    end.abort();
    expect(seen.events).toMatchObject([
      { kind: 'notice', notice: 'lockedOut', extension: '1001', host: 'h1', actor: 'guest' },
      { kind: 'notice', notice: 'unlocked', extension: '1001', actor: 'admin:ann' },
    ]);
  }));

it('a right guess starts the count of twenty anew', () =>
  withStore(async ({ store, later }) => {
    for (let n = 1; n <= 30; n++) {
      expect(await store.reserveGuess(key)).toEqual({ outcome: 'reserved' });
      if (n % 4 === 0) await later(3_700_000);
      if (n % 15 === 0) await store.confirmGuess(key);
    }
  }));

it('what is no user’s extension is named nowhere in the log, and forgotten after a month', () =>
  withStore(async ({ store, counter }) => {
    const seen = record();
    const end = new AbortController();
    await store.follow(seen, end.signal);
    for (let n = 1; n <= 10; n++)
      await store.reserveGuess({ extension: `blind${n}`, host: 'h1', source: `s${n}` });
    await eventually(() => seen.events.length === 1);
    end.abort();
    expect(seen.events).toMatchObject([{ notice: 'guessing', host: 'h1', extension: undefined }]);
    expect(JSON.stringify(seen.events)).not.toContain('blind');
    const days = (await raw.pttl(counter('x', 'blind1'))) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThanOrEqual(30);
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
    expect(await raw.exists(counter('x', '1001'), counter('p', '1001:h1'), counter('s', '192.0.2.1'))).toBe(
      0,
    );
    expect(await raw.hget(counter('h', 'h1'), 'n')).toBe('10');
  }));

it('of several waits the longest is told', () =>
  withStore(async ({ store, counter }) => {
    await raw.hset(counter('x', '1001'), 'n', '6', 'until', String(Date.now() + 5000));
    await raw.hset(counter('s', '192.0.2.1'), 'n', '205', 'until', String(Date.now() + 60_000));
    expect(await store.reserveGuess(key)).toMatchObject({ outcome: 'wait', counter: 'source' });
  }));

it('a right guess frees the person and takes back one guess of phone and source, not those of others', () =>
  withStore(async ({ store, counter }) => {
    for (let n = 1; n <= 3; n++) await store.reserveGuess({ ...key, extension: `x${n}` });
    await store.reserveGuess(key);
    await store.confirmGuess(key);
    expect(await raw.exists(counter('x', '1001'), counter('p', '1001:h1'))).toBe(0);
    expect(await raw.hget(counter('h', 'h1'), 'n')).toBe('3');
    expect(await raw.hget(counter('s', '192.0.2.1'), 'n')).toBe('3');
  }));

it('a right guess ends the wait it has begun, past the free guesses too', () =>
  withStore(async ({ store, read, skipWait }) => {
    for (let n = 1; n <= 9; n++) await store.reserveGuess({ ...key, extension: `x${n}` });
    await store.reserveGuess(key);
    await store.confirmGuess(key);
    // The tenth guess on this phone: its wait went with it.
    expect(await store.reserveGuess({ ...key, extension: 'x10' })).toEqual({ outcome: 'reserved' });
    await skipWait('h', 'h1');
    await store.reserveGuess(key);
    await store.confirmGuess(key);
    expect(await read('h', 'h1')).toEqual({ n: 10, waitMs: 0 });
    expect(await store.reserveGuess({ ...key, extension: 'x11' })).toEqual({ outcome: 'reserved' });
  }));

it('counts odd and endless ids without putting them into a key', () =>
  withStore(async ({ store, counter }) => {
    const hostile = { extension: '1}:b\r\n', host: 'x'.repeat(10_000), source: '[fe80::1%eth0]' };
    for (let n = 1; n <= 5; n++) expect(await store.reserveGuess(hostile)).toEqual({ outcome: 'reserved' });
    expect(await store.reserveGuess(hostile)).toMatchObject({ outcome: 'wait' });
    const keys = await raw.keys(counter('x', '*').replace(/[{}]/g, '?').replace(':x:', ':?:'));
    expect(keys).toHaveLength(4);
    for (const each of keys) expect(each).toMatch(/:guess:[xphs]:~[0-9a-f]{32}$/);
  }));

it('a person is locked at 20 also when every wait is waited for', () =>
  withStore(async ({ store, later }) => {
    for (let n = 1; n <= 20; n++) {
      const reply = await store.reserveGuess({ ...key, host: `h${n}`, source: `s${n}` });
      expect(reply).toEqual({ outcome: 'reserved' });
      if (n >= 5) await later(30_000);
    }
    await later(90_000_000);
    expect(await store.reserveGuess(key)).toEqual({ outcome: 'locked' });
  }));

it('a person who stops guessing for an hour starts anew', () =>
  withStore(async ({ store, read, later }) => {
    for (let n = 1; n <= 4; n++) {
      await store.reserveGuess({ ...key, host: `h${n}` });
      await later(3_500_000);
    }
    expect(await read('x', '1001')).toMatchObject({ n: 4 });
    await later(100_001);
    await store.reserveGuess(key);
    expect(await read('x', '1001')).toMatchObject({ n: 1 });
  }));

const SITE = '198.51.100.1';
const person = (i: number) => ({ extension: `${2000 + i}`, host: `d${i}`, source: SITE });

it('300 people of one source, one typo each, then right: waits stay short, the right ones lengthen none', () =>
  withStore(async ({ store, read, skipWait }) => {
    for (let i = 1; i <= 300; i++) {
      expect(await store.reserveGuess(person(i))).toEqual({ outcome: 'reserved' });
      const typo = await read('s', SITE);
      expect(typo.n).toBe(i);
      if (i < 200) expect(typo.waitMs).toBe(0);
      else if (i > 203) expect(typo.waitMs).toBeGreaterThan(0);
      expect(typo.waitMs).toBeLessThanOrEqual(30_000);
      await skipWait('s', SITE);
      expect(await store.reserveGuess(person(i))).toEqual({ outcome: 'reserved' });
      await store.confirmGuess(person(i));
      expect(await read('s', SITE)).toEqual({ n: i, waitMs: 0 });
    }
  }));

it('past the free guesses, people who are right come in one after another without a wait', () =>
  withStore(async ({ store, read, skipWait }) => {
    for (let i = 1; i <= 205; i++) {
      await store.reserveGuess(person(i));
      await skipWait('s', SITE);
    }
    for (let i = 301; i <= 320; i++) {
      expect(await store.reserveGuess(person(i))).toEqual({ outcome: 'reserved' });
      await store.confirmGuess(person(i));
    }
    expect(await read('s', SITE)).toEqual({ n: 205, waitMs: 0 });
  }));

it('a right guess leaves alone the wait that a wrong one has begun meanwhile', () =>
  withStore(async ({ store, read, skipWait }) => {
    for (let i = 1; i <= 15; i++) {
      await store.reserveGuess(i === 14 ? key : { ...person(i), host: 'h1' });
      if (i < 15) await skipWait('h', 'h1');
    }
    await store.confirmGuess(key);
    const { n, waitMs } = await read('h', 'h1');
    expect(n).toBe(14);
    expect(waitMs).toBeGreaterThan(16_000);
  }));

it('whatever the order, right guesses leave no trace at phone and source', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ right: fc.boolean(), answerAfter: fc.nat(5) }), { minLength: 5, maxLength: 40 }),
      (guesses) =>
        withStore(async ({ store, read, skipWait }) => {
          const open: { at: number; confirm: () => Promise<void> }[] = [];
          const settle = async (now: number) => {
            for (const each of open.filter(({ at }) => at === now)) await each.confirm();
          };
          for (const [i, { right, answerAfter }] of guesses.entries()) {
            await settle(i);
            await skipWait('h', 'h1');
            const who = { ...person(i), host: 'h1' };
            expect(await store.reserveGuess(who)).toEqual({ outcome: 'reserved' });
            if (right) open.push({ at: i + 1 + answerAfter, confirm: () => store.confirmGuess(who) });
          }
          for (let i = guesses.length; i < guesses.length + 6; i++) await settle(i);
          const wrong = guesses.filter(({ right }) => !right).length;
          expect((await read('s', SITE)).n).toBe(wrong);
          const { n, waitMs } = await read('h', 'h1');
          expect(n).toBe(wrong);
          if (guesses.at(-1)?.right) expect(waitMs).toBe(0);
        }),
    ),
    { numRuns: 20 },
  ));

it('the window of phone and source ends although guesses go on', () =>
  withStore(async ({ store, read, later }) => {
    for (let i = 0; i < 40; i++) {
      expect(await store.reserveGuess({ ...person(i), host: 'h1' })).toEqual({ outcome: 'reserved' });
      // Nine guesses in 15 minutes, then the first of the next 15.
      const n = (i % 9) + 1;
      expect(await read('h', 'h1')).toEqual({ n, waitMs: 0 });
      expect(await read('s', SITE)).toMatchObject({ n });
      await later(100_000);
    }
  }));

it('a wait outlasts the window, the count does not, and a right guess moves neither', () =>
  withStore(async ({ store, counter, read, later, skipWait }) => {
    for (let i = 1; i <= 17; i++) {
      await store.reserveGuess({ ...person(i), host: 'h1' });
      await skipWait('h', 'h1');
    }
    await later(850_000);
    await store.reserveGuess({ ...person(18), host: 'h1' });
    expect(await raw.pttl(counter('h', 'h1'))).toBeGreaterThan(250_000);
    await later(200_000);
    expect(await store.reserveGuess(key)).toMatchObject({ outcome: 'wait', counter: 'host' });
    await skipWait('h', 'h1');
    await store.reserveGuess(key);
    expect(await read('h', 'h1')).toEqual({ n: 1, waitMs: 0 });
    await store.reserveGuess({ ...key, extension: 'x' });
    await later(800_000);
    await store.reserveGuess({ ...key, extension: 'y' });
    await store.confirmGuess({ ...key, extension: 'y' });
    expect(await read('h', 'h1')).toMatchObject({ n: 2 });
    await later(100_001);
    await store.reserveGuess(key);
    expect(await read('h', 'h1')).toMatchObject({ n: 1 });
  }));

it.each([
  ['host', 10, (i: number) => ({ ...person(i), host: 'h1', source: `s${i}` })],
  ['source', 200, person],
] as const)('parallel guesses of one %s: %i are looked at', (_, free, guess) =>
  withStore(async ({ store }) => {
    const replies = await Promise.all(Array.from({ length: 400 }, (_, i) => store.reserveGuess(guess(i))));
    expect(replies.filter(({ outcome }) => outcome === 'reserved')).toHaveLength(free);
  }),
);
