import { beforeEach, expect, test } from 'vitest';
import { NodeLease } from '../../../src/services/node-lease.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { settled } from '../../support/fake-sip.ts';
import { FakeShared } from '../sip/events/notifier-world.ts';

/** Work that one node does for all. */

let clock: FakeClock;
let shared: FakeShared;
let claims: Map<string, number>;
let isAway: boolean;

beforeEach(() => {
  clock = new FakeClock();
  shared = new FakeShared(clock);
  claims = new Map();
  isAway = false;
});

function lease(node: string): NodeLease {
  const claimOnce = (name: string, ttlMs: number): Promise<boolean> => {
    if (isAway) return Promise.reject(new Error('away'));
    if ((claims.get(name) ?? 0) > clock.now()) return Promise.resolve(false);
    claims.set(name, clock.now() + ttlMs);
    return Promise.resolve(true);
  };
  return new NodeLease({ name: 'work', node, shared, claimOnce, timers: clock });
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    clock.advance(500);
    await settled();
  }
}

async function pair(): Promise<[NodeLease, NodeLease]> {
  const both: [NodeLease, NodeLease] = [lease('a'), lease('b')];
  for (const each of both) each.start();
  await settled();
  return both;
}

test('one of two has it, and keeps it', async () => {
  const [a, b] = await pair();
  expect([a.isMine, b.isMine]).toEqual([true, false]);
  await pass(60_000);
  expect([a.isMine, b.isMine]).toEqual([true, false]);
});

test('it passes on when its holder stops, at once', async () => {
  const [a, b] = await pair();
  await pass(10_000);
  a.stop();
  expect(a.isMine).toBe(false);
  await pass(2_000);
  expect(b.isMine).toBe(true);
});

test('it passes on when its holder dies, in fifteen seconds', async () => {
  const [, b] = await pair();
  // A holder that is never heard of again.
  shared.put('lease:work', 'dead', 15_000);
  await pass(14_000);
  expect(b.isMine).toBe(false);
  await pass(4_000);
  expect(shared.get('lease:work')).not.toBe('dead');
});

test('who hears that another has it lets go', async () => {
  const [a] = await pair();
  shared.put('lease:work', 'b', 15_000);
  expect(a.isMine).toBe(false);
});

test('a store that is away is asked again soon, and takes it from nobody', async () => {
  isAway = true;
  const a = lease('a');
  a.start();
  await pass(3_000);
  expect(a.isMine).toBe(false);
  isAway = false;
  await pass(1_000);
  expect(a.isMine).toBe(true);
  isAway = true;
  await pass(60_000);
  expect(a.isMine).toBe(true);
});
