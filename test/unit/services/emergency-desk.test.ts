import { beforeEach, describe, expect, test } from 'vitest';
import type { EmergencyRecord, EmergencyStage } from '../../../src/domain/emergency-record.ts';
import type { EmergencyRoute } from '../../../src/domain/route.ts';
import { tableOf } from '../../../src/services/directory-document.ts';
import { EmergencyDesk } from '../../../src/services/emergency-desk.ts';
import { company, host, site, user } from '../domain/example.ts';
import { Harness, settle } from './harness.ts';

const NUMBER = '+442079460111';
const d1 = host('d1', { callbackNumber: NUMBER });
const route: EmergencyRoute = {
  kind: 'emergency',
  number: '999',
  host: d1,
  callbackNumber: NUMBER,
  address: d1.address,
  guest: user('1001'),
};

let harness: Harness;
let desk: EmergencyDesk;
let told: string[];

beforeEach(async () => {
  harness = new Harness();
  told = [];
  desk = deskOver({});
  await harness.follow();
});

function deskOver(differs: Partial<ConstructorParameters<typeof EmergencyDesk>[0]>): EmergencyDesk {
  const { store, view, clock: timers, random, log } = harness;
  const made = new EmergencyDesk({ store, view, timers, random, log, node: 'n1', ...differs });
  made.onStage((record, stage) => told.push(`${stage} ${record.id}`));
  return made;
}

async function pass(ms: number): Promise<void> {
  harness.pass(ms);
  await settle();
}

function logged(): string[] {
  return harness.store.log.flatMap((event) =>
    event.kind === 'emergency' ? [`${event.stage} ${event.record.id} by ${event.actor}`] : [],
  );
}

describe('a call that goes out', () => {
  test('has its record, open on this node before anything else happens', () => {
    harness.store.down = true;
    const record = desk.placed(route);
    expect(record).toEqual({
      ...{ id: 'op-1', number: '999', host: 'd1', nickname: 'd1', site: 'london', callbackNumber: NUMBER },
      ...{ address: d1.address, addressUnverified: false },
      guest: { extension: '1001', name: 'Person 1001' },
      ...{ at: harness.now, callbackUntil: harness.now + 3_600_000 },
    });
    expect(harness.view.emergencyRecords(NUMBER)).toEqual([record]);
    expect(harness.store.calls).not.toContain('noteEmergency');
  });

  test('is open as long as its site says, by the clock of the store', async () => {
    harness.storeOffset = 5_000;
    harness.store.contact(5_000);
    const table = tableOf([
      { kind: 'company', value: company() },
      { kind: 'site', value: site('london', { callbackMinutes: 10 }) },
    ]);
    harness.view.useEmergencyDirectory(table);
    const { at, callbackUntil } = desk.placed(route);
    expect(at).toBe(harness.now + 5_000);
    expect(callbackUntil - at).toBe(600_000);
    await pass(599_999);
    expect(harness.view.emergencyRecords(NUMBER)).toHaveLength(1);
    await pass(1);
    expect(harness.view.emergencyRecords(NUMBER)).toEqual([]);
  });

  test('of a phone that has moved says so, and of an unknown phone says nothing', () => {
    const moved = host('d1', { location: { network: '198.51.100.0/24', verified: false } });
    expect(desk.placed({ ...route, host: moved }).addressUnverified).toBe(true);
    const nothing = { host: undefined, callbackNumber: undefined, address: undefined, guest: undefined };
    expect(desk.placed({ ...route, ...nothing })).toMatchObject({ ...nothing, number: '999' });
  });

  test('is told and kept a moment later, with how it went on, in that order', async () => {
    const record = desk.placed(route);
    desk.stage(record, 'answered');
    expect(told).toEqual([]);
    await pass(0);
    desk.stage(record, 'calledBack');
    await pass(0);
    expect(told).toEqual(['placed op-1', 'answered op-1', 'calledBack op-1']);
    expect(logged()).toEqual(
      ['placed op-1', 'answered op-1', 'calledBack op-1'].map((line) => `${line} by node:n1`),
    );
  });
});

describe('with the store away', () => {
  test('it is told when it is back, every second until then', async () => {
    harness.store.down = true;
    const record = desk.placed(route);
    await pass(0);
    desk.stage(record, 'failed');
    for (let s = 0; s < 30; s++) await pass(1_000);
    expect(told).toEqual(['placed op-1', 'failed op-1']);
    expect(harness.store.calls.filter((name) => name === 'noteEmergency')).toHaveLength(31);
    harness.store.down = false;
    await pass(1_000);
    expect(logged()).toEqual(['placed op-1 by node:n1', 'failed op-1 by node:n1']);
    await pass(60_000);
    expect(harness.store.calls.filter((name) => name === 'noteEmergency')).toHaveLength(33);
  });

  test('not when the call back time is over, and that is logged', async () => {
    harness.store.down = true;
    desk.placed(route);
    await pass(0);
    await pass(3_600_000);
    harness.store.down = false;
    await pass(1_000);
    expect(logged()).toEqual([]);
    expect(harness.log.level('error')).toEqual(['the store misses an emergency call']);
  });

  test('at most a thousand wait, the newest of them', async () => {
    harness.store.down = true;
    for (let i = 0; i < 1_200; i++) desk.placed(route);
    await pass(0);
    expect(told).toHaveLength(1_200);
    harness.store.down = false;
    for (let s = 0; s < 3; s++) {
      harness.pass(1_000);
      for (let turns = 0; turns < 300; turns++) await settle();
    }
    expect(logged()).toHaveLength(1_000);
    expect(logged().at(-1)).toBe('placed op-1200 by node:n1');
    expect(harness.log.level('error')).toHaveLength(1);
    expect(harness.view.openEmergencies()).toHaveLength(1_200);
  });

  test('nothing is asked of it after a stop, and what it has missed is logged', async () => {
    harness.store.down = true;
    desk.placed(route);
    await pass(0);
    desk.stop();
    harness.store.down = false;
    await pass(10_000);
    expect(logged()).toEqual([]);
    expect(harness.log.level('error')).toHaveLength(1);
  });
});

describe('nothing gets in the way of a call', () => {
  const broken = (): never => {
    throw new Error('broken');
  };

  test('a store that never answers holds up nobody, and not what people are told', async () => {
    desk = deskOver({ store: { noteEmergency: () => new Promise(() => undefined) } });
    const record = desk.placed(route);
    await pass(0);
    desk.stage(record, 'answered');
    desk.placed(route);
    await pass(5_000);
    expect(told).toEqual(['placed op-1', 'answered op-1', 'placed op-2']);
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['throws', broken],
  ])('a store that %s is asked ten times', async (_, noteEmergency) => {
    const asked: EmergencyStage[] = [];
    desk = deskOver({
      store: {
        noteEmergency: (_record: EmergencyRecord, stage) => {
          asked.push(stage);
          return noteEmergency();
        },
      },
    });
    const record = desk.placed(route);
    expect(record.id).toBe('op-1');
    await pass(0);
    for (let s = 0; s < 20; s++) await pass(1_000);
    expect(asked).toHaveLength(10);
  });

  test('a view that throws: the call goes out, and that it has no record is logged', () => {
    desk = deskOver({ view: { now: broken, emergencyDirectory: undefined, keepEmergencies: broken } });
    const record = desk.placed(route);
    expect(record).toMatchObject({ id: '', number: '999', host: 'd1' });
    desk.stage(record, 'answered');
    expect(harness.log.level('error')).toEqual(['an emergency call goes out without a record']);
  });

  test('timers that throw', () => {
    desk = deskOver({ timers: { setTimer: broken } });
    const record = desk.placed(route);
    desk.stage(record, 'answered');
    expect(harness.log.level('error')).toHaveLength(2);
  });

  test('a listener that throws: the others are told', async () => {
    const heard: string[] = [];
    desk.onStage(broken);
    const off = desk.onStage((_, stage) => heard.push(stage));
    const record = desk.placed(route);
    await pass(0);
    off();
    desk.stage(record, 'failed');
    await pass(0);
    expect(heard).toEqual(['placed']);
  });
});
