import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { login, newCompany, openStore } from './setup.ts';

let redis: TestRedis;
let store: Awaited<ReturnType<typeof openStore>>;
const company = newCompany();
beforeAll(async () => {
  redis = await startRedis();
  store = await openStore(redis.path, { company });
});
afterAll(async () => {
  await store.stop();
  await redis.stop();
});

it('who stays keeps the new limit through the calls that follow', async () => {
  const reply = await store.associate(login('h1', '1001', { limitMs: 1600, idleLimitMs: 1000 }));
  if (reply.outcome !== 'associated') throw new Error(reply.outcome);
  const { generation, startedAt } = reply.association;
  const fence = { host: 'h1', generation, actor: 'guest' };
  await delay(500);
  const stays = await store.extend({ ...fence, reason: 'stay', limitMs: 60_000 });
  expect(stays).toMatchObject({ outcome: 'extended' });
  await delay(200);
  const calls = await store.extend({ ...fence, reason: 'call' });
  if (calls.outcome !== 'extended') throw new Error(calls.outcome);
  expect(calls.association.expiresAt).toBeGreaterThan(startedAt + 1600);
});

it('no more is claimed at once than asked for', async () => {
  for (const n of [1, 2, 3]) await store.associate(login(`due${n}`, `200${n}`, { limitMs: 1 }));
  await delay(5);
  const claims = [await store.claimDue(2), await store.claimDue(2), await store.claimDue(2)];
  expect(claims.map(({ ended }) => ended)).toEqual([2, 1, 0]);
});

const good = { g: '1009', gen: '1', at: '1', dl: '0', site: 'x' };

it.each([
  '',
  'x',
  '5',
  'null',
  '[]',
  ...Object.keys(good).map((name) => JSON.stringify({ ...good, [name]: {} })),
])('a record that is no such thing (%s) keeps nobody from the phone', async (record) => {
  const raw = new Redis(redis.path);
  await raw.hset(`hd:{${company}}:b`, 'odd', record);
  raw.disconnect();
  expect(await store.associate(login('odd', '3001'))).toMatchObject({ outcome: 'associated' });
  await store.end({ host: 'odd', reason: 'released', actor: 'test', opId: crypto.randomUUID() });
});
