import { expect, test } from 'vitest';
import { Activity } from '../../../src/services/activity.ts';
import { LocalView } from '../../../src/services/local-view.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeStore } from '../../support/fake-store.ts';
import { settle, TestLog } from './harness.ts';

const MINUTE = 60_000;

async function scene() {
  const clock = new FakeClock();
  const store = new FakeStore(() => clock.now());
  const log = new TestLog();
  const view = new LocalView({ clock, log });
  await store.follow(view, new AbortController().signal);
  const inUse = new Set<string>();
  const listeners = new Set<(host: string) => void>();
  const calls = {
    onUse: (listener: (host: string) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    inUse: () => [...inUse],
  };
  const activity = new Activity({ store, view, clock, timers: clock, log, actor: 'node:a', calls });
  activity.start();
  const tell = (host: string): void => {
    for (const listener of listeners) listener(host);
  };
  const seat = (host: string, idleLimitMs: number | 'never', limitMs: number | 'never' = 'never') =>
    store.associate({
      ...{ host, guest: `guest of ${host}`, site: 's', limitMs, idleLimitMs },
      ...{ occupied: 'deny', secondDesk: 'move', actor: 'x', opId: host },
    });
  return {
    ...{ clock, store, log, view, activity, listeners, seat },
    begin(host: string) {
      inUse.add(host);
      tell(host);
    },
    end(host: string) {
      inUse.delete(host);
      tell(host);
    },
    /** Lets time pass; whatever is due ends, as the sweep of any node would see to. */
    async pass(ms: number) {
      for (let at = 0; at < ms; at += 1_000) {
        clock.advance(1_000);
        await settle();
        if (!store.down) await store.claimDue(100);
        store.contact();
      }
    },
    extends: () => store.calls.filter((name) => name === 'extend').length,
    deadline: (host: string) => view.associationAt(host)?.expiresAt,
  };
}

test('a call moves the idle deadline at its start, every minute, and at its end', async () => {
  const desk = await scene();
  await desk.seat('d1', 10 * MINUTE);
  await desk.pass(5 * MINUTE);
  desk.begin('d1');
  await settle();
  expect(desk.deadline('d1')).toBe(15 * MINUTE);
  expect(desk.store.log.at(-1)).toMatchObject({ kind: 'extend', reason: 'call', actor: 'node:a' });
  await desk.pass(60 * MINUTE);
  expect(desk.deadline('d1')).toBeGreaterThanOrEqual(74 * MINUTE);
  expect(desk.extends()).toBeLessThanOrEqual(62);
  await desk.pass(31_000);
  desk.end('d1');
  await desk.pass(35_000);
  const over = desk.deadline('d1') as number;
  expect(over - desk.clock.now()).toBeGreaterThan(9.4 * MINUTE);
  await desk.pass(10 * MINUTE);
  expect(desk.store.log.at(-1)).toMatchObject({ kind: 'end', reason: 'expired' });
});

test('a talking person stays, however short the limit; who talks no more goes after the whole of it', async () => {
  const desk = await scene();
  await desk.seat('d1', MINUTE);
  await desk.pass(50_000);
  desk.begin('d1');
  await desk.pass(10 * MINUTE);
  expect(desk.deadline('d1')).toBeDefined();
  desk.begin('d1');
  await desk.pass(2_000);
  desk.end('d1');
  // Told within 30 s of the last time: kept until it may be.
  await desk.pass(59_000);
  expect(desk.deadline('d1')).toBeDefined();
  await desk.pass(MINUTE);
  expect(desk.deadline('d1')).toBeUndefined();
});

test('the store is asked at most once in 30 s for each host', async () => {
  const desk = await scene();
  await desk.seat('d1', 10 * MINUTE);
  for (let n = 0; n < 100; n++) {
    desk.begin('d1');
    desk.end('d1');
    await desk.pass(1_000);
  }
  expect(desk.extends()).toBeGreaterThanOrEqual(3);
  expect(desk.extends()).toBeLessThanOrEqual(4);
});

test('who has just come is not kept waiting by who sat there before', async () => {
  const desk = await scene();
  await desk.seat('d1', 10 * MINUTE);
  desk.begin('d1');
  desk.end('d1');
  await desk.store.end({ host: 'd1', reason: 'loggedOut', actor: 'guest', opId: 'out' });
  await desk.store.associate({
    ...{ host: 'd1', guest: 'somebody else', site: 's', limitMs: 'never', idleLimitMs: 10 * MINUTE },
    ...{ occupied: 'deny', secondDesk: 'move', actor: 'x', opId: 'next' },
  });
  await desk.pass(6_000);
  desk.begin('d1');
  await settle();
  expect(desk.deadline('d1')).toBe(desk.clock.now() + 10 * MINUTE);
});

test('nothing is asked for who has no idle limit, or for a phone with nobody on it', async () => {
  const desk = await scene();
  await desk.seat('d1', 'never');
  for (const host of ['d1', 'd2']) desk.begin(host);
  await desk.pass(5 * MINUTE);
  expect(desk.extends()).toBe(0);
});

test('a store that is away is said once and asked again when it is back, before idleness ends anything', async () => {
  const desk = await scene();
  await desk.seat('d1', 10 * MINUTE);
  desk.store.down = true;
  desk.begin('d1');
  await desk.pass(9 * MINUTE);
  expect(desk.log.level('warn')).toHaveLength(1);
  expect(desk.extends()).toBeLessThanOrEqual(20);
  desk.store.down = false;
  await desk.pass(MINUTE);
  expect(desk.deadline('d1')).toBeGreaterThan(19 * MINUTE - 30_000);
  await desk.pass(20 * MINUTE);
  expect(desk.deadline('d1')).toBeDefined();
});

test('the first contact after a silence is enough', async () => {
  const desk = await scene();
  await desk.seat('d1', 10 * MINUTE);
  desk.store.down = true;
  desk.begin('d1');
  desk.end('d1');
  await settle();
  // Silent for longer than the view takes for being in touch.
  desk.clock.advance(3_000);
  desk.store.down = false;
  const before = desk.extends();
  desk.store.contact();
  await settle();
  expect(desk.extends()).toBe(before + 1);
  expect(desk.deadline('d1')).toBe(desk.clock.now() + 10 * MINUTE);
});

test('calls never wait, and hear nothing of a store that throws at once', async () => {
  const desk = await scene();
  await desk.seat('d1', MINUTE);
  desk.store.extend = () => Promise.reject(new Error('boom'));
  expect(() => desk.begin('d1')).not.toThrow();
  await settle();
  expect(desk.log.level('warn')).toHaveLength(1);
});

test('keeps nothing of calls that are over, and nothing at all when stopped', async () => {
  const desk = await scene();
  for (let n = 0; n < 200; n++) {
    await desk.seat(`d${n}`, 10 * MINUTE);
    desk.begin(`d${n}`);
    desk.end(`d${n}`);
  }
  expect(desk.activity.size).toBeGreaterThan(0);
  await desk.pass(3 * MINUTE);
  expect(desk.activity.size).toBe(0);
  desk.activity.stop();
  expect([desk.clock.pending, desk.listeners.size]).toEqual([0, 0]);
});
