import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EmergencyRecord } from '../../../src/domain/emergency-record.ts';
import { createKeys } from '../../../src/store/redis/keys.ts';
import { FakeStore } from '../../support/fake-store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { eventually, login, newCompany, openStore, record as recorder } from './setup.ts';

let redis: TestRedis;
let raw: Redis;
let company: string;
let store: Awaited<ReturnType<typeof openStore>>;

beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(redis.path);
});
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});
beforeEach(async () => {
  company = newCompany();
  store = await openStore(redis.path, { company });
});
afterEach(() => store.stop());

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const keys = () => createKeys(company);

function call(id: string, differs: Partial<EmergencyRecord> = {}): EmergencyRecord {
  const at = Date.now();
  return {
    ...{
      id,
      number: '999',
      host: 'h1',
      nickname: 'Desk "3"',
      site: 'leeds',
      callbackNumber: '+441134960111',
    },
    address: {
      ...{
        customerName: 'Acmé & Söhne',
        houseNumber: '12',
        street: 'Park Row',
        city: 'Leeds',
        state: undefined,
      },
      ...{ postcode: 'LS1 1AA', country: 'GB', floor: '3', room: undefined },
    },
    ...{ addressUnverified: false, guest: { extension: '1001', name: 'Zoë' } },
    ...{ at, callbackUntil: at + HOUR },
    ...differs,
  };
}

const open = async (): Promise<string[]> => (await store.snapshot()).emergencies.map(({ id }) => id).sort();

describe('an emergency record', () => {
  it('comes back as it was, by snapshot and by event, with nothing where nothing was', async () => {
    const follower = recorder();
    await store.follow(follower, new AbortController().signal);
    const nothing = { host: undefined, nickname: undefined, site: undefined, callbackNumber: undefined };
    const full = call('full');
    const bare = call('bare', { ...nothing, address: undefined, guest: undefined, addressUnverified: true });
    await store.noteEmergency(full, 'placed', 'node:a');
    await store.noteEmergency(bare, 'placed', 'node:a');
    const { emergencies, seq } = await store.snapshot();
    expect(emergencies).toHaveLength(2);
    expect(emergencies).toEqual(expect.arrayContaining([full, bare]));
    await eventually(() => follower.events.length === 2);
    expect(follower.events.map(({ at: _, ...event }) => event)).toEqual([
      { kind: 'emergency', seq: seq - 1, actor: 'node:a', stage: 'placed', record: full },
      { kind: 'emergency', seq, actor: 'node:a', stage: 'placed', record: bare },
    ]);
    expect(store.problems).toEqual([]);
  });

  it('is logged once for each stage, however often it is told, and keeps what it first held', async () => {
    const first = call('c1');
    for (const stage of ['placed', 'placed', 'answered', 'placed', 'answered', 'calledBack'] as const)
      await store.noteEmergency({ ...first, number: stage === 'placed' ? '999' : '112' }, stage, 'node:a');
    const { events } = await store.history({ limit: 10 });
    const stages = events.map((event) => event.kind === 'emergency' && [event.stage, event.record.number]);
    expect(stages).toEqual([
      ['calledBack', '999'],
      ['answered', '999'],
      ['placed', '999'],
    ]);
    expect((await store.snapshot()).emergencies).toEqual([first]);
  });

  it('told twice at once is logged once', async () => {
    const record = call('c1');
    await Promise.all(Array.from({ length: 20 }, () => store.noteEmergency(record, 'placed', 'node:a')));
    expect((await store.history({ limit: 10 })).events).toHaveLength(1);
  });

  it('is acknowledged once, by whoever is first, also when its callback time is long over', async () => {
    const over = call('c1', { at: Date.now() - 20 * HOUR, callbackUntil: Date.now() - 19 * HOUR });
    await store.noteEmergency(over, 'placed', 'node:a');
    await Promise.all(
      ['ann', 'bob', 'cid'].map((name) => store.noteEmergency(over, 'acknowledged', `admin:${name}`)),
    );
    await store.noteEmergency(over, 'acknowledged', 'admin:dan');
    const { events } = await store.history({ limit: 10 });
    const stages = events.map((event) => event.kind === 'emergency' && [event.stage, event.actor]);
    expect(stages).toEqual([
      ['acknowledged', expect.stringMatching(/^admin:(ann|bob|cid)$/)],
      ['placed', 'node:a'],
    ]);
  });

  it('whose first stage was lost begins with a later one', async () => {
    await store.noteEmergency(call('c1'), 'failed', 'node:a');
    expect(await open()).toEqual(['c1']);
    await store.noteEmergency(call('c1'), 'placed', 'node:a');
    expect((await store.history({ limit: 10 })).events).toHaveLength(2);
  });

  it('is found by host and by guest, beside what happened there', async () => {
    await store.associate(login('h1', '1001'));
    await store.noteEmergency(call('c1'), 'placed', 'node:a');
    await store.noteEmergency(call('c2', { host: 'h2', guest: undefined }), 'placed', 'node:a');
    const found = async (query: object) =>
      (await store.history({ limit: 10, ...query })).events.map((event) =>
        event.kind === 'emergency' ? event.record.id : event.kind,
      );
    expect(await found({ host: 'h1' })).toEqual(['c1', 'start']);
    expect(await found({ guest: '1001' })).toEqual(['c1', 'start']);
    expect(await found({ host: 'h2' })).toEqual(['c2']);
    expect(await found({ host: 'h1', guest: '1001', kinds: ['emergency'] })).toEqual(['c1']);
    expect(await found({ kinds: ['emergency'] })).toEqual(['c2', 'c1']);
  });

  it('can be a dead letter', async () => {
    const record = call('c1', { guest: undefined });
    const event = { kind: 'emergency', seq: 7, at: 5, actor: 'node:a', stage: 'failed', record } as const;
    const letter = { consumer: 'mail', event, problem: 'refused', at: 9 };
    await store.addDeadLetter(letter);
    expect(await store.deadLetters(1)).toEqual([{ ...letter, id: expect.any(String) }]);
  });

  it('goes the same way through the fake of the unit tests', async () => {
    const fake = new FakeStore(Date.now);
    const told = [
      [call('c1'), 'placed'],
      [call('c1'), 'placed'],
      [call('c1'), 'answered'],
      [call('old', { callbackUntil: Date.now() - 1 }), 'placed'],
      [call('c1'), 'acknowledged'],
      [call('c1'), 'acknowledged'],
      [call('older', { callbackUntil: Date.now() - DAY - 1000 }), 'placed'],
    ] as const;
    const outcome = [];
    for (const each of [store, fake]) {
      for (const [record, stage] of told) await each.noteEmergency(record, stage, 'node:a');
      const { events } = await each.history({ limit: 10, host: 'h1' });
      const { emergencies } = await each.snapshot();
      outcome.push([events.map(({ seq }) => seq), emergencies.map(({ id }) => id)]);
    }
    expect(outcome[0]).toEqual([[4, 3, 2, 1], ['c1']]);
    expect(outcome[1]).toEqual(outcome[0]);
  });
});

describe('room', () => {
  it('what is over is not in the snapshot, is remembered a day, and then goes', async () => {
    await store.noteEmergency(call('over', { callbackUntil: Date.now() - 1000 }), 'placed', 'node:a');
    await store.noteEmergency(call('over', { callbackUntil: Date.now() - 1000 }), 'placed', 'node:a');
    expect(await open()).toEqual([]);
    expect((await store.history({ limit: 10 })).events).toHaveLength(1);
    await raw.zadd(keys().emergencyEnds, Date.now() - DAY - 1000, 'over');
    await store.noteEmergency(call('c1'), 'placed', 'node:a');
    expect(await raw.hkeys(keys().emergencies)).toEqual(['c1']);
    expect(await raw.hkeys(keys().emergencyStages)).toEqual(['c1']);
    expect(await raw.zcard(keys().emergencyEnds)).toBe(1);
  });

  it('a stage that comes after all that changes nothing', async () => {
    await store.noteEmergency(call('late', { callbackUntil: Date.now() - DAY - 1000 }), 'placed', 'node:a');
    expect((await store.history({ limit: 10 })).events).toEqual([]);
    expect(await raw.exists(keys().emergencies)).toBe(0);
  });

  it('for ten thousand; the one that ends first makes room for the next', async () => {
    const pipeline = raw.pipeline();
    const end = Date.now() + HOUR;
    for (let i = 0; i < 9_999; i++) {
      pipeline.hset(keys().emergencies, `c${i}`, JSON.stringify(call(`c${i}`, { callbackUntil: end + i })));
      pipeline.hset(keys().emergencyStages, `c${i}`, 'placed');
      pipeline.zadd(keys().emergencyEnds, end + i, `c${i}`);
    }
    await pipeline.exec();
    const latest = { callbackUntil: end + HOUR };
    await store.noteEmergency(call('last', latest), 'placed', 'node:a');
    await store.noteEmergency(call('c9998'), 'answered', 'node:a');
    expect(await open()).toHaveLength(10_000);
    await store.noteEmergency(call('new', latest), 'placed', 'node:a');
    const ids = await open();
    expect(ids).toHaveLength(10_000);
    expect(ids).not.toContain('c0');
    expect(ids).toEqual(expect.arrayContaining(['c1', 'last', 'new']));
    expect(await raw.hlen(keys().emergencyStages)).toBe(10_000);
  });

  it('what cannot be read is left out and reported; the others come', async () => {
    await store.noteEmergency(call('good'), 'placed', 'node:a');
    await raw.hset(keys().emergencies, 'odd', '{"id":"odd"}');
    expect(await open()).toEqual(['good']);
    expect(store.problems).toEqual([expect.stringContaining('"odd"')]);
  });
});
