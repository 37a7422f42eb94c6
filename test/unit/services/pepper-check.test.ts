import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { LocalView } from '../../../src/services/local-view.ts';
import { PepperCheck } from '../../../src/services/pepper-check.ts';
import { SharedWriter } from '../../../src/services/shared-writer.ts';
import { Harness, settle, TestLog } from './harness.ts';

/** A node with this pepper on the store of the harness; `join` ends when it knows the store. */
function startNode(harness: Harness, pepper: Uint8Array, keyId = 'p1') {
  const log = new TestLog();
  const view = new LocalView({ clock: harness.clock, log });
  const join = async () => {
    await harness.store.follow(view, new AbortController().signal);
    await settle();
  };
  const shared = new SharedWriter({ store: harness.store, view, timers: harness.clock, log });
  shared.start();
  const check = new PepperCheck({
    ...{ peppers: { keyId, pepper }, shared, view, timers: harness.clock, log },
  });
  return { log, check, join };
}

async function node(harness: Harness, pepper: Uint8Array, keyId?: string) {
  const made = startNode(harness, pepper, keyId);
  await made.join();
  made.check.start();
  await settle();
  return made;
}

test('nodes with one pepper have nothing to say, nor has one with a pepper of another name', async () => {
  const harness = new Harness();
  const pepper = randomBytes(32);
  const nodes = [
    await node(harness, pepper),
    await node(harness, pepper),
    await node(harness, randomBytes(32), 'p2'),
  ];
  for (const { log } of nodes) expect(log.lines).toEqual([]);
  const kept = JSON.stringify([...harness.store.shared]);
  expect(kept).toContain('pepper:p1');
  for (const form of ['hex', 'base64', 'base64url'] as const)
    expect(kept).not.toContain(pepper.toString(form));
});

test('a node with another pepper of the same name says so once, and does not become the one that is right', async () => {
  const harness = new Harness();
  const pepper = randomBytes(32);
  const first = await node(harness, pepper);
  const other = await node(harness, randomBytes(32));
  expect(other.log.level('error')).toEqual([expect.stringContaining('HOTDESK_PEPPER')]);
  other.check.stop();
  other.check.start();
  expect(other.log.lines).toHaveLength(1);
  const third = await node(harness, pepper);
  expect([...first.log.lines, ...third.log.lines]).toEqual([]);
});

test('a node that starts without the store looks when it is there, and until then says nothing of its own', async () => {
  const harness = new Harness();
  const first = await node(harness, randomBytes(32));
  const other = startNode(harness, randomBytes(32));
  other.check.start();
  await other.join();
  harness.pass(10_000);
  await settle();
  expect(other.log.level('error')).toHaveLength(1);
  expect(first.log.lines).toEqual([]);
});
