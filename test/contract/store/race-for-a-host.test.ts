import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { HotDesk } from '../../../src/services/hot-desk.ts';
import type { Store } from '../../../src/store/store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { directory, viewOf } from '../../unit/domain/example.ts';
import { newCompany, openStore } from './setup.ts';

/** Rule B5: guests press 2 at the same moment, at phones of different nodes, against a real Redis. */

const ROUNDS = 1000;

let redis: TestRedis;
let stores: Store[] = [];

beforeAll(async () => {
  redis = await startRedis();
  const company = newCompany();
  stores = await Promise.all(['n1', 'n2'].map((node) => openStore(redis.path, { company, node })));
});
afterAll(async () => {
  for (const store of stores) await store.stop();
  await redis.stop();
});

/** A node whose view of who sits where is empty throughout: the store alone decides. */
function nodeOn(store: Store): HotDesk {
  const unused = (): never => {
    throw new Error('not used');
  };
  return new HotDesk({
    store,
    view: viewOf({ directory: directory({}) }),
    passcodes: { verify: unused, blind: unused },
    passcodeService: { replace: unused, renew: unused },
    pendingEnds: { add: unused },
    random: { uuid: randomUUID },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    storeNow: Date.now,
  });
}

it(`one of two guests is in, the other is refused, ${ROUNDS} times over`, async () => {
  const nodes = stores.map(nodeOn);
  const people = ['1001', '1003'] as const;
  const wins = { '1001': 0, '1003': 0 };
  for (let round = 0; round < ROUNDS; round++) {
    // Who asks first, and on which node, changes.
    const order = [0, 1].map((at) => ({
      extension: people[(at + round) % 2] as '1001' | '1003',
      node: nodes[(at + (round >> 1)) % 2] as HotDesk,
    }));
    const answers = await Promise.all(
      order.map(({ node, extension }) => node.associateGuest({ host: 'd1', extension })),
    );
    const refused = answers.filter(isRefusal).map((answer) => answer.refused);
    expect(refused).toEqual(['occupied']);
    const winner = order[answers.findIndex((answer) => !isRefusal(answer))]!;
    const loser = order.find(({ extension }) => extension !== winner.extension)!;
    wins[winner.extension]++;
    const { associations } = await stores[0]!.snapshot();
    expect(associations.map(({ host, guest }) => [host, guest])).toEqual([['d1', winner.extension]]);
    // B6 at the same moment: who lost can end nothing, who won leaves.
    const ends = await Promise.all(
      [loser, winner].map(({ node, extension }) => node.leave({ host: 'd1', extension })),
    );
    expect(isRefusal(ends[0]) && ['notYours', 'nobodyHere'].includes(ends[0].refused)).toBe(true);
    expect(isRefusal(ends[1])).toBe(false);
  }
  expect(Math.min(...Object.values(wins))).toBeGreaterThan(0);
  expect((await stores[0]!.snapshot()).associations).toEqual([]);
}, 60_000);
