import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../../src/store/store.ts';
import { type FailoverTarget, type Fault, failOver } from '../../support/failover.ts';
import { type RedisSentinels, startSentinels } from '../../support/redis-sentinel.ts';
import { eventually, login, newCompany, openStore, record, timed } from './setup.ts';

let set: RedisSentinels;
beforeAll(async () => {
  set = await startSentinels();
}, 60_000);
afterAll(() => set.stop());

const place = (more: { name?: string; addresses?: readonly string[] } = {}) => ({
  sentinel: { name: set.name, addresses: set.addresses, ...more },
});

describe('a master with replicas and sentinels', () => {
  it('is found although some sentinels are dead, and takes a login that a replica confirmed', async () => {
    const addresses = ['127.0.0.1:1', '127.0.0.1:2', set.addresses[2]!];
    const store = await openStore('', { connection: place({ addresses }), waitForReplicas: 1 });
    expect(store.problems).toEqual([]);
    const seen = record();
    const end = new AbortController();
    await store.follow(seen, end.signal);
    expect(await store.associate(login('h1', '1001'))).toMatchObject({ outcome: 'associated' });
    await eventually(() => seen.events.length === 1);
    end.abort();
    await store.stop();
  });

  it('is not used without replicas that confirm, unless the operator accepts that', async () => {
    const refused = openStore('', { connection: place() });
    await expect(refused).rejects.toThrow(/^A fail-over would lose acknowledged logins: .*waitForReplicas/);
    const store = await openStore('', { connection: place(), acceptWeakDurability: true });
    expect(store.problems).toEqual([expect.stringContaining('Logins are acknowledged all the same')]);
    expect(await store.associate(login('h1', '1001'))).toMatchObject({ outcome: 'associated' });
    await store.stop();
  });

  it('refuses logins, and starts with a warning, while it has too few replicas', async () => {
    const company = newCompany();
    const store = await openStore('', { company, connection: place(), waitForReplicas: 3 });
    expect(store.problems).toEqual([expect.stringContaining('Redis has 2 of the 3 replicas')]);
    await expect(store.associate(login('h1', '1001'))).rejects.toThrow(StoreUnavailable);
    expect((await store.snapshot()).seq, 'nothing was done').toBe(0);
    await store.stop();
  });

  it('that no sentinel knows is no reason not to start; nothing is done, and the problem says why', async () => {
    const store = await openStore('', { connection: place({ name: 'other' }), waitForReplicas: 1 });
    expect(store.available).toBe(false);
    expect(store.problems).toEqual(['Redis does not answer: no sentinel knows a master of the name other']);
    const { error, ms } = await timed(store.associate(login('h1', '1001')));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(ms).toBeLessThan(50);
    await store.stop();
  });
});

/** With companies of their own, so that trials do not see each other. */
const target = (): FailoverTarget => {
  return { place: place(), company: newCompany(), master: set.master, settled: set.settled };
};

describe('a fail-over', () => {
  it.each<Fault>(['crash', 'split', 'partition'])(
    'by %s loses no acknowledged login, keeps none refused, and is over within 5 s',
    async (fault) => {
      const outcome = await failOver(target(), fault);
      expect(outcome).toMatchObject({ lost: [], ghosts: [], forgotten: [], viewIsRight: true });
      expect(outcome.acknowledged.size).toBeGreaterThan(100);
      expect(outcome.outageMs).toBeLessThan(5000);
    },
  );
});
