import { beforeEach, expect, test } from 'vitest';
import type { EmergencyRecord } from '../../../src/domain/emergency-record.ts';
import type { Channel } from '../../../src/services/emergency-notices/channel.ts';
import { EmergencyNotices } from '../../../src/services/emergency-notices/emergency-notices.ts';
import { emergency } from '../domain/example.ts';
import { Harness, settle } from './harness.ts';

/** An administrator has seen an emergency call: kept in the store, once, for every node. */

const HOUR = 3_600_000;
let h: Harness;
let told: string[];
let notices: EmergencyNotices;

beforeEach(async () => {
  h = new Harness();
  told = [];
  await h.follow();
  notices = node();
  notices.start();
});

function node(): EmergencyNotices {
  const { view, store, clock: timers, log } = h;
  const channel: Channel = {
    ...{ name: 'email', waits: [], patienceMs: 1_000, atOnce: 1 },
    recipients: () => ['a@example.com'],
    tell: async ({ stage }, to) => {
      told.push(stage);
      return new Map(to.map((each) => [each, { told: true }]));
    },
  };
  return new EmergencyNotices({ store, view, timers, log, channels: [channel] });
}

const call = (differs: Partial<EmergencyRecord> = {}): EmergencyRecord =>
  emergency('d1', { id: 'e1', at: h.now, callbackUntil: h.now + HOUR, ...differs });

async function pass(ms: number): Promise<void> {
  for (const step of [0, ms, 0]) {
    h.pass(step);
    await settle();
  }
}

const shown = async (of = notices) => (await of.list()).emergencies.map(({ acknowledged }) => acknowledged);

async function log(): Promise<string[]> {
  const { events } = await h.store.history({ limit: 10 });
  return events.map((event) =>
    event.kind === 'emergency' ? `${event.stage} by ${event.actor}` : event.kind,
  );
}

test('who was first and when; again changes nothing, and nobody is told', async () => {
  await h.store.noteEmergency(call(), 'placed', 'node:b');
  await pass(3_000);
  expect(await shown()).toEqual([undefined]);
  const before = told.length;
  const at = h.now;
  expect(await notices.acknowledge('e1', 'admin:ann')).toMatchObject({
    record: { id: 'e1' },
    stages: [{ stage: 'placed' }, { stage: 'acknowledged', at }],
    acknowledged: { by: 'admin:ann', at },
  });
  await pass(5_000);
  expect(await notices.acknowledge('e1', 'admin:bob')).toMatchObject({
    acknowledged: { by: 'admin:ann', at },
  });
  expect(await shown()).toEqual([{ by: 'admin:ann', at }]);
  expect(await log()).toEqual(['acknowledged by admin:ann', 'placed by node:b']);
  expect(told.length).toBe(before);
  expect(h.log.level('error')).toEqual([]);
});

test('on another node it is the same, whether it heard of it, read of it, or was the second', async () => {
  const other = node();
  other.start();
  await h.store.noteEmergency(call(), 'placed', 'node:b');
  await pass(0);
  await Promise.all([shown(), shown(other)]);
  const at = h.now;
  // Noted by another node this very moment: it has not come round yet.
  await h.store.noteEmergency(call(), 'acknowledged', 'admin:ann');
  expect(await notices.acknowledge('e1', 'admin:bob')).toMatchObject({
    acknowledged: { by: 'admin:ann', at },
  });
  await pass(0);
  const late = node();
  expect([await shown(other), await shown(late)]).toEqual([
    [{ by: 'admin:ann', at }],
    [{ by: 'admin:ann', at }],
  ]);
});

test('a call of yesterday evening can still be acknowledged', async () => {
  await h.store.noteEmergency(call(), 'placed', 'node:b');
  await pass(0);
  h.now += 20 * HOUR;
  expect(await notices.acknowledge('e1', 'admin:ann')).toMatchObject({
    acknowledged: { by: 'admin:ann' },
    open: false,
  });
  expect((await log())[0]).toBe('acknowledged by admin:ann');
});

test('one nobody knows, and any while the store is away', async () => {
  expect(await notices.acknowledge('e2', 'admin:ann')).toEqual({ refused: 'unknownEmergency' });
  notices.tell(call(), 'placed');
  await pass(0);
  h.disconnect();
  expect(await notices.acknowledge('e1', 'admin:ann')).toMatchObject({ refused: 'storeUnavailable' });
  expect(await notices.acknowledge('e2', 'admin:ann')).toEqual({ refused: 'unknownEmergency' });
  expect(await node().acknowledge('e2', 'admin:ann')).toMatchObject({ refused: 'storeUnavailable' });
  expect(await shown()).toEqual([undefined]);
});
