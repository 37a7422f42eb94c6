import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeEvent } from '../../../src/domain/association.ts';
import { createLink } from '../../../src/store/redis/connection.ts';
import { createConsumers } from '../../../src/store/redis/consumers.ts';
import { createKeys } from '../../../src/store/redis/keys.ts';
import type { Consumer } from '../../../src/store/store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startSentinels } from '../../support/redis-sentinel.ts';
import { eventually, newCompany, openStore, timed } from './setup.ts';

let redis: TestRedis;
let company: string;
let raw: Redis;
let writer: Awaited<ReturnType<typeof openStore>>;
const nodes: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  redis = await startRedis();
  raw = new Redis(redis.path);
  raw.on('error', () => undefined);
  company = newCompany();
  writer = await openStore(redis.path, { company });
});
afterEach(async () => {
  redis.thaw();
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  await writer.stop();
  raw.disconnect();
  await redis.stop();
});

/** A node that consumes, with the time-out of production. */
async function openNode(node: string) {
  const problems: string[] = [];
  const onProblem = (text: string, error?: Error) =>
    problems.push(error ? `${text}: ${error.message}` : text);
  const connection = { path: redis.path };
  const link = createLink({ connection, node, clock: { now: Date.now }, commandTimeoutMs: 250, onProblem });
  await link.open();
  const consumers = createConsumers({ connection, link, keys: createKeys(company), node, onProblem });
  const opened = {
    problems,
    consume: consumers.consume,
    /** Gone without a word to Redis. */
    kill: () => link.close(),
    async stop() {
      await consumers.stop();
      link.close();
    },
  };
  nodes.push(opened);
  return opened;
}

/** Keeps what it is given; `before` runs first and may fail or take long. */
function recorder(before: (seq: number, signal: AbortSignal) => unknown = () => undefined) {
  const taken: number[] = [];
  const missed: [number, number][] = [];
  const consumer: Consumer = {
    name: 'audit',
    async take(event: ChangeEvent, signal) {
      await before(event.seq, signal);
      taken.push(event.seq);
    },
    missed: (from, to) => missed.push([from, to]),
  };
  return { taken, missed, consumer };
}

const keys = () => createKeys(company);
const cursor = async () => (await raw.hget(keys().cursors, 'audit')) ?? '';
const begun = () => eventually(async () => (await cursor()) !== '');
const lastTaken = (seen: { taken: number[] }, seq: number) => eventually(() => seen.taken.at(-1) === seq);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Writes so many entries and waits for each. */
async function write(count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await writer.writeDirectory({ put: new Map([['site:a', i]]), remove: [], actor: 'x' });
}

/** Every value of the second is there, and in the order of its first appearance. */
function expectAllInOrder(taken: readonly number[], wanted: readonly number[]): void {
  expect([...new Set(taken)]).toEqual(wanted);
}

describe('taking', () => {
  it('begins at the end of the log, takes all that follows in order, and saves where it got to', async () => {
    await write(3);
    const node = await openNode('n1');
    const seen = recorder();
    const end = new AbortController();
    const consuming = node.consume(seen.consumer, end.signal);
    await begun();
    await write(130);
    await lastTaken(seen, 133);
    end.abort();
    await consuming;
    expect(seen).toMatchObject({ taken: range(4, 133), missed: [] });
    expect(await cursor()).toMatch(/^\d{13}-\d+ 133$/);
    expect(node.problems).toEqual([]);
  });

  it('goes on where it was, on another node and without repeats when the first one ended in order', async () => {
    const seen = recorder();
    const first = await openNode('n1');
    void first.consume(seen.consumer, new AbortController().signal);
    await begun();
    await write(5);
    await lastTaken(seen, 5);
    await first.stop();
    await write(5);
    const second = await openNode('n2');
    void second.consume(seen.consumer, new AbortController().signal);
    await lastTaken(seen, 10);
    expect(seen).toMatchObject({ taken: range(1, 10), missed: [] });
  });

  it('misses nothing that was written before anybody began to take, once it ran at all', async () => {
    const first = await openNode('n1');
    void first.consume(recorder(() => new Promise(() => undefined)).consumer, new AbortController().signal);
    await begun();
    await write(3);
    first.kill();
    await raw.del(keys().lease('audit'));
    const seen = recorder();
    void (await openNode('n2')).consume(seen.consumer, new AbortController().signal);
    await lastTaken(seen, 3);
    expect(seen.taken).toEqual([1, 2, 3]);
  });

  it('gives an entry again after 1 s, then 2 s, when it was not taken, and the next one not before', async () => {
    const tries: number[] = [];
    const seen = recorder((seq) => {
      if (seq !== 2) return;
      tries.push(Date.now());
      if (tries.length < 3) throw new Error('no');
    });
    const node = await openNode('n1');
    void node.consume(seen.consumer, new AbortController().signal);
    await begun();
    await write(3);
    await eventually(() => seen.taken.length === 1);
    expect(await cursor()).toMatch(/ 1$/);
    await lastTaken(seen, 3);
    expect(seen.taken).toEqual([1, 2, 3]);
    const [first = 0, second = 0, third = 0] = tries;
    expect(second - first).toBeGreaterThanOrEqual(990);
    expect(third - second).toBeGreaterThanOrEqual(1990);
    expect(third - first).toBeLessThan(4000);
    expect(node.problems).toEqual(['audit did not take entry 2 of the change log and gets it again: no']);
  });

  it('takes an entry that throws at once as one that rejects', async () => {
    let thrown = false;
    const taken: number[] = [];
    void (await openNode('n1')).consume(
      {
        name: 'audit',
        take: (event) => {
          if (!thrown) {
            thrown = true;
            throw new Error('no');
          }
          taken.push(event.seq);
          return Promise.resolve();
        },
        missed: () => undefined,
      },
      new AbortController().signal,
    );
    await begun();
    await write(1);
    await eventually(() => taken.length === 1);
  });

  it('leaves out an entry that cannot be read, and says so', async () => {
    const node = await openNode('n1');
    const seen = recorder();
    void node.consume(seen.consumer, new AbortController().signal);
    await begun();
    await write(1);
    await raw.xadd(keys().events, '*', 'seq', String(await raw.incr(keys().seq)), 'kind', 'odd');
    await raw.incr(keys().seq);
    await raw.xadd(keys().events, '*', 'junk', '1');
    await write(1);
    await lastTaken(seen, 4);
    expect(seen).toMatchObject({ taken: [1, 4], missed: [] });
    expect(node.problems).toHaveLength(2);
    for (const problem of node.problems) expect(problem).toContain('cannot be read');
  });

  it('is told what was forgotten before it came to it', async () => {
    const seen = recorder();
    const first = await openNode('n1');
    void first.consume(seen.consumer, new AbortController().signal);
    await begun();
    await write(2);
    await lastTaken(seen, 2);
    await first.stop();
    await write(5);
    await raw.xtrim(keys().events, 'MAXLEN', 2);
    void (await openNode('n2')).consume(seen.consumer, new AbortController().signal);
    await lastTaken(seen, 7);
    expect(seen).toMatchObject({ taken: [1, 2, 6, 7], missed: [[3, 5]] });
  });

  it('goes on at the end of a log that has lost what it had taken, and says so', async () => {
    await write(3);
    await raw.hset(keys().cursors, 'audit', `${Date.now() + 60_000}-0 9`);
    const node = await openNode('n1');
    const seen = recorder();
    void node.consume(seen.consumer, new AbortController().signal);
    await eventually(async () => (await cursor()).endsWith(' 3'));
    await write(2);
    await lastTaken(seen, 5);
    expect(seen).toMatchObject({ taken: [4, 5], missed: [] });
    expect(node.problems).toEqual([
      'The change log has lost entries that audit has taken: it was at 9 and goes on after 3',
    ]);
  });

  it('takes entries of a log that was written anew under the same numbers', async () => {
    await write(3);
    const [last] = await raw.xrevrange(keys().events, '+', '-', 'COUNT', 1);
    await raw.hset(keys().cursors, 'audit', `${last![0]} 8`);
    const node = await openNode('n1');
    const seen = recorder();
    void node.consume(seen.consumer, new AbortController().signal);
    await write(2);
    await lastTaken(seen, 5);
    expect(seen).toMatchObject({ taken: [4, 5], missed: [] });
    expect(node.problems).toEqual(['The change log was written anew: audit was at 8 and now takes 4']);
  });

  it.each(['', 'Audit', 'a b', 'x'.repeat(81)])('refuses the name %j', async (name) => {
    const node = await openNode('n1');
    const { consumer } = recorder();
    await expect(node.consume({ ...consumer, name }, new AbortController().signal)).rejects.toThrow(
      TypeError,
    );
  });
});

describe('one node at a time', () => {
  it('only one of three nodes takes, and each entry once', async () => {
    let active = 0;
    let most = 0;
    const seen = recorder(async () => {
      active += 1;
      most = Math.max(most, active);
      await delay(2);
      active -= 1;
    });
    for (const name of ['n1', 'n2', 'n3'])
      void (await openNode(name)).consume(seen.consumer, new AbortController().signal);
    await begun();
    for (let i = 0; i < 4; i++) {
      await write(15);
      await delay(500);
    }
    await lastTaken(seen, 60);
    expect(most).toBe(1);
    expect(seen.taken).toEqual(range(1, 60));
  });

  it('another node goes on within 7 s of a death, with the entry that was being taken', async () => {
    const first = await openNode('n1');
    const before = recorder((seq) => (seq === 3 ? new Promise(() => undefined) : undefined));
    void first.consume(before.consumer, new AbortController().signal);
    await begun();
    const after = recorder();
    void (await openNode('n2')).consume(after.consumer, new AbortController().signal);
    await write(5);
    await lastTaken(before, 2);
    await eventually(async () => (await cursor()).endsWith(' 2'));
    await delay(2000);
    expect(after.taken).toEqual([]);
    first.kill();
    const died = Date.now();
    await lastTaken(after, 5);
    expect(Date.now() - died).toBeLessThan(7000);
    expect(after.taken).toEqual([3, 4, 5]);
  });

  it('one that takes longer than the lease lasts keeps it', async () => {
    let abortedAt = 0;
    const seen = recorder(async (seq, signal) => {
      if (seq !== 1) return;
      signal.addEventListener('abort', () => {
        abortedAt = Date.now();
      });
      await delay(7000);
    });
    for (const name of ['n1', 'n2'])
      void (await openNode(name)).consume(seen.consumer, new AbortController().signal);
    await begun();
    await write(2);
    await delay(6900);
    expect(abortedAt).toBe(0);
    await lastTaken(seen, 2);
    expect(seen.taken).toEqual([1, 2]);
  });

  it('a lease that was lost aborts what is being taken, and no place is saved without it', async () => {
    const outcomes: unknown[] = [];
    const node = await openNode('n1');
    const seen = recorder(async (seq, signal) => {
      if (seq !== 2 || outcomes.length > 0) return;
      const lost = new Promise((resolve) => signal.addEventListener('abort', resolve));
      await Promise.race([lost, delay(4000)]);
      outcomes.push(signal.aborted);
    });
    void node.consume(seen.consumer, new AbortController().signal);
    await begun();
    await write(3);
    await eventually(async () => (await cursor()).endsWith(' 1'));
    await raw.set(keys().lease('audit'), 'another', 'PX', 3000);
    await eventually(() => outcomes.length === 1);
    expect(outcomes).toEqual([true]);
    expect(await cursor()).toMatch(/ 1$/);
    await lastTaken(seen, 3);
    expect(seen.taken).toEqual([1, 2, 2, 3]);
  });

  it('aborts what is being taken when Redis is away for as long as the lease lasts', async () => {
    let aborted = 0;
    const seen = recorder((seq, signal) => {
      if (seq !== 1 || aborted > 0) return;
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = Date.now();
          reject(new Error('aborted'));
        });
      });
    });
    const node = await openNode('n1');
    void node.consume(seen.consumer, new AbortController().signal);
    await begun();
    await write(1);
    await delay(200);
    redis.freeze();
    const frozen = Date.now();
    await eventually(() => aborted > 0);
    expect(aborted - frozen).toBeLessThan(5000);
    expect(aborted - frozen).toBeGreaterThan(3000);
    redis.thaw();
    const thawed = Date.now();
    await lastTaken(seen, 1);
    expect(Date.now() - thawed, 'its own lease is no obstacle').toBeLessThan(3000);
    expect(node.problems.join()).not.toContain('did not take');
  });

  it('a lease that lasts for hours because the clock was set back is no obstacle', async () => {
    await raw.set(keys().lease('audit'), 'dead', 'PX', 3_600_000);
    const seen = recorder();
    const began = Date.now();
    void (await openNode('n1')).consume(seen.consumer, new AbortController().signal);
    await begun();
    expect(Date.now() - began).toBeLessThan(7000);
    await write(1);
    await lastTaken(seen, 1);
  });
});

describe('faults', () => {
  it('no entry is left out over deaths of nodes and of Redis', async () => {
    const seen = recorder(() => delay(1));
    let current = await openNode('n0');
    void current.consume(seen.consumer, new AbortController().signal);
    await begun();
    let written = 0;
    let writing = true;
    const steadily = (async () => {
      while (writing) {
        const { error } = await timed(write(1));
        if (error === undefined) written += 1;
        await delay(10);
      }
    })();
    for (let i = 1; i <= 3; i++) {
      await delay(700);
      const next = await openNode(`n${i}`);
      void next.consume(seen.consumer, new AbortController().signal);
      current.kill();
      if (i % 2 === 1) {
        await redis.kill9();
        await delay(300);
        await redis.restart();
      }
      const reached = seen.taken.length;
      await eventually(() => seen.taken.length > reached + 5);
      current = next;
    }
    writing = false;
    await steadily;
    const last = Number(await raw.get(keys().seq));
    expect(last).toBeGreaterThanOrEqual(written);
    await lastTaken(seen, last);
    expectAllInOrder(seen.taken, range(1, last));
    expect(seen.missed).toEqual([]);
  });

  it('reads over a new connection when the link has one: both must lead to the same Redis', async () => {
    const node = await openNode('n9');
    const seen = recorder();
    void node.consume(seen.consumer, new AbortController().signal);
    const idOf = async (name: string) =>
      new RegExp(`^id=(\\d+) .* name=${name} `, 'm').exec(String(await raw.client('LIST')))?.[1];
    await eventually(async () => (await idOf('hotdesk-n9-consume')) !== undefined);
    const before = await idOf('hotdesk-n9-consume');
    await raw.call('CLIENT', 'KILL', 'ID', (await idOf('hotdesk-n9')) ?? '');
    await eventually(async () => ![undefined, before].includes(await idOf('hotdesk-n9-consume')));
    await write(2);
    await lastTaken(seen, 2);
    expect(seen.taken).toEqual([1, 2]);
  });

  it('goes on by itself after a freeze and after a restart of Redis', async () => {
    const node = await openNode('n1');
    const seen = recorder();
    void node.consume(seen.consumer, new AbortController().signal);
    await begun();
    await write(1);
    redis.freeze();
    await delay(1000);
    redis.thaw();
    await eventually(() => writer.available);
    await write(1);
    await lastTaken(seen, 2);
    await redis.kill9();
    await redis.restart();
    await eventually(async () => (await timed(write(1))).error === undefined);
    const last = Number(await raw.get(keys().seq));
    await lastTaken(seen, last);
    expectAllInOrder(seen.taken, range(1, last));
    expect(seen.missed).toEqual([]);
    expect(node.problems.length).toBeLessThan(6);
  });

  it('ends at once when told to, also while Redis is frozen or dead', async () => {
    const node = await openNode('n1');
    const end = new AbortController();
    const consuming = node.consume(recorder().consumer, end.signal);
    await begun();
    redis.freeze();
    await delay(100);
    end.abort();
    expect((await timed(consuming)).ms).toBeLessThan(600);
    redis.thaw();
    await redis.kill9();
    const late = new AbortController();
    const waiting = node.consume(recorder().consumer, late.signal);
    const first = await Promise.race([waiting.then(() => 'resolved'), delay(500, 'waiting')]);
    expect(first).toBe('waiting');
    late.abort();
    expect((await timed(waiting)).ms).toBeLessThan(100);
    await redis.restart();
  });

  it('lets an entry be taken to its end for a moment when told to end, and saves that', async () => {
    const node = await openNode('n1');
    const end = new AbortController();
    let offered = 0;
    const seen = recorder((seq) => {
      offered = seq;
      return seq === 2 ? delay(400) : undefined;
    });
    const consuming = node.consume(seen.consumer, end.signal);
    await begun();
    await write(3);
    await eventually(() => offered === 2);
    end.abort();
    await consuming;
    expect(seen.taken).toEqual([1, 2]);
    expect(await cursor()).toMatch(/ 2$/);
    expect(await raw.exists(keys().lease('audit'))).toBe(0);
  });

  it('leaves one that does not end, and then keeps others out until the lease lapses', async () => {
    const node = await openNode('n1');
    const end = new AbortController();
    let begunAt = 0;
    const { consumer } = recorder(() => {
      begunAt = Date.now();
      return new Promise(() => undefined);
    });
    const consuming = node.consume(consumer, end.signal);
    await begun();
    await write(1);
    await eventually(() => begunAt > 0);
    end.abort();
    const { ms } = await timed(consuming);
    expect(ms).toBeGreaterThan(900);
    expect(ms).toBeLessThan(1500);
    expect(await raw.exists(keys().lease('audit'))).toBe(1);
  });
});

describe('a fail-over', () => {
  it.each(['dies', 'hangs'])('leaves no entry out when the master %s', async (how) => {
    const sentinels = await startSentinels();
    const { name, addresses } = sentinels;
    const store = await openStore('', {
      ...{
        connection: { sentinel: { name, addresses } },
        company,
        waitForReplicas: 1,
        commandTimeoutMs: 250,
      },
    });
    const seen = recorder();
    const end = new AbortController();
    const consuming = store.consume(seen.consumer, end.signal);
    const change = () => store.writeDirectory({ put: new Map([['site:a', 1]]), remove: [], actor: 'x' });
    const master = await sentinels.master();
    await eventually(async () => Number(await master.ask('HLEN', keys().cursors)) === 1);
    for (let i = 0; i < 20; i++) await change();
    await lastTaken(seen, 20);
    // The replicas have it all.
    await master.ask('WAIT', 2, 1000);
    if (how === 'dies') await master.kill9();
    else master.freeze();
    let written = 20;
    await eventually(async () => {
      const { error } = await timed(change().then(({ version }) => (written = version)));
      return error === undefined;
    });
    for (let i = 0; i < 5; i++) written = (await change()).version;
    await lastTaken(seen, written);
    expectAllInOrder(seen.taken, range(1, written));
    expect(seen.missed).toEqual([]);
    end.abort();
    await consuming;
    master.thaw();
    await store.stop();
    await sentinels.stop();
  });
});
