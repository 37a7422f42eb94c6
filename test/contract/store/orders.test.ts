import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderWrite, Store } from '../../../src/store/store.ts';
import { FakeStore } from '../../support/fake-store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { eventually, openStore, record } from './setup.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

async function withRedis(test: (store: Store) => Promise<void>, maxOrders?: number): Promise<void> {
  const store = await openStore(redis.path, maxOrders === undefined ? {} : { maxOrders });
  try {
    await test(store);
  } finally {
    await store.stop();
  }
}

async function withFake(test: (store: Store) => Promise<void>, maxOrders?: number): Promise<void> {
  const store = new FakeStore(() => 1_900_000_000_000);
  if (maxOrders !== undefined) store.mostOrders = maxOrders;
  await test(store);
}

const facts = { kind: 'newPhones', state: 'submitted', sites: ['london'] } as const;
const fresh = (value: unknown = { note: 'é' }): OrderWrite => ({ value, facts, finished: false });
const done = { value: {}, facts: { ...facts, state: 'cancelled' }, finished: true } as const;

/** Writes it, and gives the outcome's id and revision. */
async function written(store: Store, write: OrderWrite): Promise<{ id: string; revision: number }> {
  const result = await store.writeOrder(write, 'admin:ann');
  if (result.outcome !== 'written') throw new Error(result.outcome);
  return result;
}

const idsIn = async (store: Store) => (await store.changedOrders(0, 1_000)).orders.map(({ id }) => id);

describe.each([
  ['Redis', withRedis],
  ['the fake', withFake],
] as const)('orders in %s', (_name, run) => {
  it('get numbers one after the other, and are read back', () =>
    run(async (store) => {
      expect(await store.changedOrders(0, 10)).toEqual({ orders: [], total: 0 });
      expect(await store.orders(['HD-1001'])).toEqual([]);
      expect(await store.writeOrder(fresh(), 'admin:ann')).toEqual({
        ...{ outcome: 'written', id: 'HD-1001', revision: 1 },
      });
      const ids = await Promise.all([fresh(), fresh(), fresh()].map((write) => written(store, write)));
      expect(ids.map(({ id }) => id).toSorted()).toEqual(['HD-1002', 'HD-1003', 'HD-1004']);
      expect(await store.orders(['HD-1001', 'HD-9', 'HD-1003'])).toMatchObject([
        { id: 'HD-1001', revision: 1, value: { note: 'é' } },
        { id: 'HD-1003' },
      ]);
    }));

  it('of one operation are one, also when the first answer got lost', () =>
    run(async (store) => {
      const write = { ...fresh(), opId: 'op-1' };
      const all = await Promise.all([write, write].map((each) => written(store, each)));
      expect(all.map(({ id, revision }) => [id, revision])).toEqual([
        ['HD-1001', 1],
        ['HD-1001', 1],
      ]);
      expect((await written(store, { ...write, opId: 'op-2' })).id).toBe('HD-1002');
      expect(await idsIn(store)).toEqual(['HD-1001', 'HD-1002']);
    }));

  it('change only as they were read', () =>
    run(async (store) => {
      const { id, revision } = await written(store, fresh());
      const change = { ...fresh({ note: 'two' }), id, ifRevision: revision };
      const together = await Promise.all([change, change].map((write) => store.writeOrder(write, 'a')));
      expect(together.map(({ outcome }) => outcome).toSorted()).toEqual(['changed', 'written']);
      expect(await store.writeOrder({ ...change, id: 'HD-7' }, 'a')).toEqual({ outcome: 'changed' });
      expect(await store.orders([id])).toEqual([{ id, revision: 2, value: { note: 'two' } }]);
    }));

  it('tell what has changed since, in its order and in portions', () =>
    run(async (store) => {
      const first = await written(store, fresh());
      await written(store, fresh());
      await written(store, fresh());
      await written(store, { ...fresh(), id: first.id, ifRevision: first.revision });
      expect(await store.changedOrders(0, 2)).toMatchObject({
        orders: [
          { id: 'HD-1002', revision: 2 },
          { id: 'HD-1003', revision: 3 },
        ],
        total: 3,
      });
      expect(await store.changedOrders(3, 10)).toMatchObject({ orders: [{ id: first.id, revision: 4 }] });
      expect(await store.changedOrders(4, 10)).toEqual({ orders: [], total: 3 });
    }));

  it('make room by the oldest finished ones, and take none when none is', () =>
    run(async (store) => {
      const [a, b, c] = [
        await written(store, fresh()),
        await written(store, fresh()),
        await written(store, fresh()),
      ];
      expect(await store.writeOrder(fresh(), 'a')).toEqual({ outcome: 'full' });
      const put = new Map([['company', { id: 'demo' }]]);
      expect(await store.writeDirectory({ put, remove: [], actor: 'a', order: fresh() })).toMatchObject({
        outcome: 'ordersFull',
      });
      for (const { id, revision } of [c, b]) await written(store, { ...done, id, ifRevision: revision });
      expect(await written(store, fresh())).toMatchObject({ id: 'HD-1004' });
      expect((await idsIn(store)).toSorted()).toEqual([a.id, c.id, 'HD-1004']);
      // What goes on after all is not finished.
      const [stored] = await store.orders([c.id]);
      await written(store, { ...fresh(), id: c.id, ifRevision: stored?.revision ?? 0 });
      expect(await store.writeOrder(fresh(), 'a')).toEqual({ outcome: 'full' });
    }, 3));

  it('are logged with who did it, and are no change of the directory', () =>
    run(async (store) => {
      const seen = record();
      const end = new AbortController();
      await store.follow(seen, end.signal);
      const { id, revision } = await written(store, fresh());
      await written(store, { ...done, id, ifRevision: revision });
      await eventually(() => seen.events.length === 2);
      end.abort();
      const about = { kind: 'order', order: id, actor: 'admin:ann' } as const;
      expect(seen.events).toMatchObject([
        { ...about, seq: 1, change: 'created', facts },
        { ...about, seq: 2, change: 'changed', facts: { ...facts, state: 'cancelled' } },
      ]);
      expect((await store.history({ kinds: ['order'], limit: 10 })).events).toMatchObject(
        seen.events.toReversed(),
      );
      const put = new Map([['company', { id: 'demo' }]]);
      const write = { put, remove: [], actor: 'a', ifVersion: 0 };
      expect(await store.writeDirectory(write)).toMatchObject({ outcome: 'written' });
      expect(seen.directory.has(id), 'followers load no orders').toBe(false);
    }));

  it('are written with the directory in one step, or neither is', () =>
    run(async (store) => {
      const put = (name: string) => new Map([[`host:${name}`, { id: name }]]);
      const both = { put: put('h1'), remove: [], actor: 'admin:ann', order: fresh() };
      expect(await store.writeDirectory(both)).toEqual({
        ...{ outcome: 'written', version: 1, order: { id: 'HD-1001', revision: 1 } },
      });
      const late = { ...fresh(), id: 'HD-1001', ifRevision: 7 };
      const refused = await store.writeDirectory({ ...both, put: put('h2'), order: late });
      expect(refused).toMatchObject({ outcome: 'orderChanged', version: 1 });
      expect(await store.writeDirectory({ ...both, put: put('h3'), ifVersion: 9 })).toMatchObject({
        outcome: 'conflict',
      });
      expect(await idsIn(store)).toEqual(['HD-1001']);
      const seen = record();
      const end = new AbortController();
      await store.follow(seen, end.signal);
      end.abort();
      expect([...seen.directory.keys()]).toEqual(['host:h1']);
      expect((await store.history({ limit: 10 })).events.map(({ kind }) => kind)).toEqual([
        'order',
        'directory',
      ]);
    }));
});

it('in Redis, what cannot be read is left out, and said', async () => {
  const { Redis } = await import('ioredis');
  const raw = new Redis(redis.path);
  const company = `bad-orders-${process.pid}`;
  const store = await openStore(redis.path, { company });
  await written(store, fresh());
  await written(store, fresh());
  await raw.hset(`hd:{${company}}:ord`, 'HD-1001', '1 {broken');
  expect(await store.changedOrders(0, 10)).toMatchObject({ orders: [{ id: 'HD-1002' }], total: 2 });
  expect(store.problems).toMatchObject([expect.stringContaining('HD-1001')]);
  raw.disconnect();
  await store.stop();
});
