import { expect, test } from 'vitest';
import { Expiry } from '../../../src/services/expiry.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeStore } from '../../support/fake-store.ts';
import { settle, TestLog } from './harness.ts';

async function started() {
  const clock = new FakeClock();
  const store = new FakeStore(() => clock.now());
  const log = new TestLog();
  const expiry = new Expiry({ store, timers: clock, log });
  const seat = (host: string, limitMs: number | 'never') =>
    store.associate({
      host,
      guest: host,
      site: 's',
      limitMs,
      idleLimitMs: 'never',
      occupied: 'deny',
      secondDesk: 'move',
      actor: 'x',
      opId: host,
    });
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += 10) {
      clock.advance(10);
      await settle();
    }
  };
  return { clock, store, log, expiry, seat, pass };
}

test('ends associations at their deadline, not before (A4); never means never', async () => {
  const { store, expiry, seat, pass } = await started();
  await seat('d1', 2_500);
  await seat('d2', 'never');
  expiry.start();
  await pass(2_490);
  expect(store.log.filter(({ kind }) => kind === 'end')).toEqual([]);
  await pass(20);
  expect(store.log.at(-1)).toMatchObject({ kind: 'end', reason: 'expired', association: { host: 'd1' } });
  await pass(5_000);
  expect((await store.snapshot()).associations.map(({ host }) => host)).toEqual(['d2']);
  await expiry.stop();
});

test('asks once a second when nothing is due, and not in a tight loop when something stays due', async () => {
  const { store, expiry, pass, clock } = await started();
  expiry.start();
  await pass(10_000);
  expect(store.calls.length).toBeLessThanOrEqual(11);
  store.claimDue = async () => {
    store.calls.push('claimDue');
    return { ended: 0, nextDeadline: clock.now() - 1, now: clock.now() };
  };
  store.calls.length = 0;
  await pass(1_000);
  expect(store.calls.length).toBeGreaterThan(0);
  expect(store.calls.length).toBeLessThanOrEqual(51);
  await expiry.stop();
});

test('a store that is away is said once, and tried again', async () => {
  const { store, expiry, seat, pass, log } = await started();
  await seat('d1', 500);
  store.down = true;
  expiry.start();
  await pass(3_000);
  expect(log.level('warn')).toHaveLength(1);
  store.down = false;
  await pass(1_100);
  expect(store.log.at(-1)).toMatchObject({ reason: 'expired' });
  await expiry.stop();
});

test('stops', async () => {
  const { store, expiry, pass, clock } = await started();
  expiry.start();
  await expiry.stop();
  expect(clock.pending).toBe(0);
  const before = store.calls.length;
  await pass(3_000);
  expect(store.calls).toHaveLength(before);
  expiry.start();
  await settle();
  expect(store.calls).toHaveLength(before + 1);
  await expiry.stop();
});

/** Several nodes on one store, whose clock may jump; each end with how late it came. */
async function nodes(count: number) {
  const clock = new FakeClock();
  let jumped = 0;
  const store = new FakeStore(() => clock.now() + jumped);
  const log = new TestLog();
  const all = Array.from({ length: count }, () => new Expiry({ store, timers: clock, log }));
  for (const expiry of all) expiry.start();
  const seat = (host: string, limitMs: number) =>
    store.associate({
      ...{ host, guest: host, site: 's', limitMs, idleLimitMs: 'never' },
      ...{ occupied: 'deny', secondDesk: 'move', actor: 'x', opId: host },
    });
  return {
    ...{ store, seat },
    jump(ms: number) {
      jumped += ms;
    },
    async pass(ms: number) {
      for (let at = 0; at < ms; at += 10) {
        clock.advance(10);
        await settle();
      }
    },
    /** Generations ended, in order, and ms after their deadlines. */
    ends: () =>
      store.log.flatMap((event) => {
        if (event.kind !== 'end' || event.association.expiresAt === 'never') return [];
        return [{ of: event.association.generation, lag: event.at - event.association.expiresAt }];
      }),
    stop: () => Promise.all(all.map((expiry) => expiry.stop())),
  };
}

test.each([1, 4])('many due at once end at once, each once, with %i nodes', async (count) => {
  const desk = await nodes(count);
  for (let n = 0; n < 2_500; n++) await desk.seat(`d${n}`, 60_000);
  await desk.pass(59_990);
  expect(desk.ends()).toEqual([]);
  await desk.pass(500);
  const ends = desk.ends();
  expect(new Set(ends.map(({ of }) => of)).size).toBe(2_500);
  expect(ends).toHaveLength(2_500);
  // A hundred at a time, without a pause.
  expect(Math.max(...ends.map(({ lag }) => lag))).toBeLessThan(300);
  await desk.stop();
});

test('lag stays under a second however deadlines come and fall', async () => {
  const desk = await nodes(2);
  for (let n = 0; n < 300; n++) {
    await desk.seat(`d${n}`, 1 + ((n * 7_919) % 5_000));
    await desk.pass(30);
  }
  await desk.pass(6_000);
  const lags = desk.ends().map(({ lag }) => lag);
  expect(lags).toHaveLength(300);
  expect(Math.min(...lags)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...lags)).toBeLessThan(1_000);
  await desk.stop();
});

test("the store's clock jumps forward: what is due by it ends within a second, the rest stays", async () => {
  const desk = await nodes(2);
  await desk.seat('d1', 3_600_000);
  await desk.seat('d2', 7_200_000);
  await desk.pass(5_000);
  desk.jump(3_600_000);
  await desk.pass(1_010);
  expect(desk.ends()).toHaveLength(1);
  await desk.stop();
});

test("the store's clock jumps back: nothing ends early by it, nor is anything forgotten", async () => {
  const desk = await nodes(2);
  await desk.seat('d1', 10_000);
  await desk.pass(9_500);
  desk.jump(-60_000);
  await desk.pass(60_000);
  expect(desk.ends()).toEqual([]);
  await desk.pass(1_500);
  expect(desk.ends()).toMatchObject([{ of: 1 }]);
  expect(desk.ends()[0]?.lag).toBeLessThan(1_000);
  await desk.stop();
});

test('an edited limit leaves who is in as they are', async () => {
  const desk = await nodes(1);
  await desk.seat('d1', 3_600_000);
  await desk.store.writeDirectory({
    put: new Map<string, unknown>([['company', { id: 'acme', associationLimit: 1 }]]),
    remove: [],
    actor: 'admin:x',
  });
  await desk.pass(2_000);
  expect((await desk.store.snapshot()).associations).toMatchObject([{ host: 'd1', expiresAt: 3_600_000 }]);
  await desk.stop();
});
