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
