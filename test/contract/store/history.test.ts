import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Association, ChangeEvent } from '../../../src/domain/association.ts';
import { createKeys } from '../../../src/store/redis/keys.ts';
import { type HistoryQuery, type Store, StoreUnavailable } from '../../../src/store/store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startCluster } from '../../support/redis-cluster.ts';
import { eventually, login, logout, newCompany, openStore, timed } from './setup.ts';

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

const keys = () => createKeys(company);
const seqs = (events: readonly ChangeEvent[]) => events.map(({ seq }) => seq);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** All pages of a query. */
async function readAll(query: HistoryQuery): Promise<ChangeEvent[]> {
  const events: ChangeEvent[] = [];
  let after: string | undefined;
  do {
    const page = await store.history({ ...query, after });
    expect(page.events.length).toBeLessThanOrEqual(query.limit);
    events.push(...page.events);
    after = page.next;
  } while (after !== undefined);
  return events;
}

interface Written {
  readonly id: string;
  readonly seq: number;
  readonly host: string;
  readonly guest: string;
  readonly kind: 'start' | 'end';
}

/** Writes entries as the scripts do, but with ids of the test's choice. */
async function put(entries: readonly Written[]): Promise<void> {
  const pipeline = raw.pipeline();
  for (const { id, seq, host, guest, kind } of entries) {
    const at = id.split('-')[0]!;
    pipeline.xadd(
      keys().events,
      id,
      ...['seq', String(seq), 'kind', kind, 'at', at, 'actor', 'x', 'host', host, 'guest', guest],
      ...['reason', kind === 'start' ? 'logIn' : 'loggedOut', 'site', 's', 'gen', '1', 'since', at],
      ...['dl', '0', 'idle', '0', 'prev', ''],
    );
    pipeline.zadd(keys().history, 0, `h\0${host}\0${id}`, 0, `g\0${guest}\0${id}`);
  }
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}

/** Entries of the past, ten seconds apart. */
function oldEntries(count: number, ageMs: number): Written[] {
  const begin = Date.now() - ageMs;
  return range(1, count).map((seq) => ({
    ...{ id: `${begin + seq * 10}-0`, seq, host: `h${seq % 3}`, guest: `g${seq % 5}`, kind: 'start' },
  }));
}

describe('history', () => {
  it('says who sat where, newest first: by host, by guest, by both, or all', async () => {
    await store.associate(login('h1', '1001'));
    await store.associate(login('h2', '1001'));
    await store.writeDirectory({ put: new Map([['company', {}]]), remove: [], actor: 'x' });
    await store.associate(login('h1', '1002'));
    await store.end(logout({ host: 'h1' }));
    await store.clearGuesses('1002', 'admin');
    const list = async (query: Partial<HistoryQuery>) =>
      seqs((await store.history({ limit: 10, ...query })).events);
    expect(await list({})).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(await list({ host: 'h1' })).toEqual([6, 5, 2, 1]);
    expect(await list({ guest: '1001' })).toEqual([3, 2, 1]);
    expect(await list({ guest: '1002' })).toEqual([7, 6, 5]);
    expect(await list({ host: 'h1', guest: '1002' })).toEqual([6, 5]);
    expect(await list({ kinds: ['start'] })).toEqual([5, 3, 1]);
    expect(await list({ kinds: ['end', 'directory'], guest: '1001' })).toEqual([2]);
    expect(await list({ kinds: ['notice', 'directory'] })).toEqual([7, 4]);
    expect(await list({ kinds: [] })).toEqual([]);
    expect(await list({ host: 'h' })).toEqual([]);
    expect(await list({ host: 'h3' })).toEqual([]);
    const { events, next } = await store.history({ limit: 1, guest: '1002', kinds: ['end'] });
    expect(events).toMatchObject([{ kind: 'end', association: { host: 'h1', guest: '1002' } }]);
    expect(next).toBeUndefined();
    expect(store.problems).toEqual([]);
  });

  it('tells what guest and host were called when the association began, whoever extends, expires or ends it', async () => {
    const names = { guest: 'Ann "Old" Élan', host: 'Window desk' };
    const begun = await store.associate(login('h1', '1001', { names, idleLimitMs: 50_000 }));
    if (begun.outcome !== 'associated') throw new Error(begun.outcome);
    const { generation } = begun.association;
    await store.extend({ host: 'h1', generation, reason: 'stay', limitMs: 120_000, actor: 'x' });
    expect((await store.snapshot()).associations).toMatchObject([{ host: 'h1', names }]);
    await store.end(logout({ host: 'h1' }));
    await store.associate(login('h1', '1001'));
    const { events } = await store.history({ limit: 10 });
    const told = events.map((event) => [event.kind, 'association' in event && event.association.names]);
    expect(told).toEqual([
      ['start', undefined],
      ['end', names],
      ['extend', names],
      ['start', names],
    ]);
  });

  it('keeps to a period, its first and last millisecond included', async () => {
    const [a, b, c] = oldEntries(3, 60_000).map((entry) => ({ ...entry, host: 'h' }));
    await put([a!, b!, c!]);
    const ms = ({ id }: Written) => Number(id.split('-')[0]);
    for (const host of [undefined, 'h']) {
      const list = async (from?: number, to?: number) =>
        seqs((await store.history({ host, from, to, limit: 10 })).events);
      expect(await list(ms(b!), ms(b!))).toEqual([2]);
      expect(await list(ms(b!))).toEqual([3, 2]);
      expect(await list(undefined, ms(b!))).toEqual([2, 1]);
      expect(await list(ms(b!) + 0.5, ms(c!) - 0.5)).toEqual([]);
      expect(await list(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toEqual([3, 2, 1]);
      const from = { after: c!.id, from: ms(a!), to: ms(a!), host, limit: 10 };
      expect(seqs((await store.history(from)).events)).toEqual([1]);
      const before = { ...from, after: `${ms(a!)}-9`, from: ms(b!), to: ms(c!) };
      expect((await store.history(before)).events).toEqual([]);
    }
  });

  it('pages have no gap and no repeat, whatever is written meanwhile, also many in one millisecond', async () => {
    const step = fc.record({
      /** ms since the entry before; many share one. */
      after: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 1, 40),
      host: fc.constantFrom('a', 'a', 'b'),
      guest: fc.constantFrom('1', '2'),
      kind: fc.constantFrom('start', 'end'),
    });
    const query = fc.record({
      host: fc.constantFrom(undefined, 'a', 'b'),
      guest: fc.constantFrom(undefined, '1'),
      kinds: fc.constantFrom(undefined, ['start'] as const),
      limit: fc.integer({ min: 1, max: 9 }),
    });
    const steps = fc.array(step, { minLength: 25, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, fc.array(query, { minLength: 4, maxLength: 4 }), async (list, queries) => {
        company = newCompany();
        await store.stop();
        store = await openStore(redis.path, { company });
        let ms = Date.now() - 600_000;
        let n = 0;
        const all = list.map(({ after, ...rest }, i): Written => {
          ms += after;
          n = after === 0 ? n + 1 : 0;
          return { ...rest, id: `${ms}-${n}`, seq: i + 1 };
        });
        const early = all.slice(0, -12);
        await put(early);
        for (const { limit, ...filter } of queries) {
          const wanted = early.filter(
            ({ host, guest, kind }) =>
              (filter.host ?? host) === host &&
              (filter.guest ?? guest) === guest &&
              (filter.kinds === undefined || kind === 'start'),
          );
          expect(seqs(await readAll({ ...filter, limit }))).toEqual(
            wanted.map(({ seq }) => seq).toReversed(),
          );
        }
        const { limit, ...filter } = queries[0]!;
        const first = await store.history({ ...filter, limit });
        const [rest] = await Promise.all([
          first.next === undefined ? [] : pagesAfter({ ...filter, limit, after: first.next }),
          put(all.slice(-12)),
        ]);
        expect(seqs([...first.events, ...rest])).toEqual(expected(early, filter));
      }),
      { numRuns: 25 },
    );
  });

  /** The rule in plain words: newest first, all that is asked for. */
  function expected(entries: readonly Written[], query: Partial<HistoryQuery>): number[] {
    const { host, guest, kinds } = query;
    const wanted = entries.filter(
      (entry) =>
        (host ?? entry.host) === entry.host &&
        (guest ?? entry.guest) === entry.guest &&
        (kinds?.includes(entry.kind) ?? true),
    );
    return wanted.map(({ seq }) => seq).toReversed();
  }

  async function pagesAfter(query: HistoryQuery): Promise<ChangeEvent[]> {
    const { events, next } = await store.history(query);
    return next === undefined ? [...events] : [...events, ...(await pagesAfter({ ...query, after: next }))];
  }

  it('a filter that hardly anything passes costs a bounded number of steps, and the search goes on', async () => {
    const many = oldEntries(11_500, 3_600_000);
    await put([{ ...many[0]!, kind: 'end' }, ...many.slice(1)]);
    const first = await timed(
      store.history({ kinds: ['end'], limit: 5 }).then(({ events, next }) => {
        expect(events).toEqual([]);
        expect(next).toBe(many[1500]!.id);
      }),
    );
    expect(first).toMatchObject({ error: undefined });
    expect(first.ms).toBeLessThan(1500);
    expect(seqs(await readAll({ kinds: ['end'], limit: 5 }))).toEqual([1]);
    expect(seqs(await readAll({ guest: 'g1', host: 'h0', limit: 1000 }))).toEqual(
      many
        .map(({ seq }) => seq)
        .filter((seq) => seq % 3 === 0 && seq % 5 === 1)
        .toReversed(),
    );
  });

  it('refuses a cursor or a limit that cannot be', async () => {
    await store.associate(login('h1', '1001'));
    for (const after of ['', '0-0', '1', 'x', '1700000000000-', '+', `${Date.now()}-0 `, '9'.repeat(30)])
      await expect(store.history({ limit: 1, after })).rejects.toThrow(RangeError);
    for (const limit of [0, -1, 1.5, 1001, Number.NaN])
      await expect(store.history({ limit })).rejects.toThrow(RangeError);
    await expect(store.history({ limit: 1, from: Number.NaN })).rejects.toThrow(RangeError);
  });

  it('leaves out what cannot be read, and says so', async () => {
    await store.associate(login('h1', '1001'));
    const id = await raw.xadd(keys().events, '*', 'seq', '2', 'kind', 'odd', 'host', 'h1');
    await raw.zadd(keys().history, 0, `h\0h1\0${id}`, 0, `h\0h1\0${Date.now() + 5}-0`);
    await store.end(logout({ host: 'h1' }));
    expect(seqs((await store.history({ limit: 3 })).events)).toEqual([2, 1]);
    expect(seqs((await store.history({ limit: 2, host: 'h1' })).events)).toEqual([2, 1]);
    expect(store.problems[0]).toContain('cannot be read');
  });
});

describe('trimming', () => {
  const HOUR_MS = 3_600_000;
  const cursorAt = ({ id, seq }: Written) => `${id} ${seq}`;

  /** Two members per entry that is still there. */
  async function expectIndexExact(): Promise<void> {
    const entries = await raw.xrange(keys().events, '-', '+');
    const wanted = entries.flatMap(([id, fields]) =>
      fields.flatMap((name, i) =>
        i % 2 === 0 && (name === 'host' || name === 'guest') ? [`${name[0]}\0${fields[i + 1]}\0${id}`] : [],
      ),
    );
    expect((await raw.zrange(keys().history, '0', '-1')).toSorted()).toEqual(wanted.toSorted());
  }

  it('removes what is older than asked for, in steps, with all that finds it', async () => {
    const old = oldEntries(1234, 2 * HOUR_MS);
    const young = oldEntries(20, HOUR_MS / 2).map((entry) => ({ ...entry, seq: entry.seq + 1234 }));
    await put([...old, ...young]);
    expect(await store.trimLog(HOUR_MS, [])).toBe(1234);
    expect(seqs(await readAll({ limit: 100 }))).toEqual(range(1235, 1254).toReversed());
    expect(await raw.zcard(keys().history)).toBe(40);
    await expectIndexExact();
    expect(await store.trimLog(HOUR_MS, [])).toBe(0);
    expect(await store.trimLog(Number.POSITIVE_INFINITY, [])).toBe(0);
  });

  it('removes nothing that a consumer has yet to take, and leaves those out that do not count or never ran', async () => {
    const old = oldEntries(50, 2 * HOUR_MS);
    await put(old);
    await raw.hset(keys().cursors, 'slow', cursorAt(old[9]!), 'quick', cursorAt(old[39]!), 'odd', 'x');
    expect(await store.trimLog(0, ['quick', 'slow', 'never', 'odd'])).toBe(10);
    await expectIndexExact();
    expect(seqs(await readAll({ limit: 1000 }))).toEqual(range(11, 50).toReversed());
    expect(await store.trimLog(0, ['quick'])).toBe(30);
    await expectIndexExact();
    expect(seqs(await readAll({ limit: 1000 }))).toEqual(range(41, 50).toReversed());
  });

  it('tells entries of one millisecond apart', async () => {
    const [first] = oldEntries(1, HOUR_MS);
    const ms = first!.id.split('-')[0];
    const all = range(1, 20).map((seq) => ({ ...first!, id: `${ms}-${seq}`, seq }));
    await put(all);
    await raw.hset(keys().cursors, 'audit', cursorAt(all[9]!));
    expect(await store.trimLog(0, ['audit'])).toBe(10);
    await expectIndexExact();
    expect(seqs(await readAll({ limit: 100 }))).toEqual(range(11, 20).toReversed());
  });

  it('the newest entry stays: it shows where the log ends', async () => {
    await put(oldEntries(3, 2 * HOUR_MS));
    expect(await store.trimLog(0, [])).toBe(2);
    expect(await store.trimLog(0, [])).toBe(0);
    expect(await raw.xlen(keys().events)).toBe(1);
    expect(
      await openStore(redis.path).then((empty) => empty.trimLog(0, []).finally(() => empty.stop())),
    ).toBe(0);
  });

  it('beyond the longest log the oldest go although not taken, and the consumer is told', async () => {
    const capped = await openStore(redis.path, { company, maxEntries: 15 });
    const old = oldEntries(40, HOUR_MS / 2);
    await put(old);
    await raw.set(keys().seq, 40);
    await raw.hset(keys().cursors, 'audit', cursorAt(old[4]!));
    expect(await capped.trimLog(HOUR_MS, ['audit'])).toBe(25);
    await expectIndexExact();
    const taken: number[] = [];
    const missed: number[][] = [];
    void capped.consume(
      {
        name: 'audit',
        take: async ({ seq }) => void taken.push(seq),
        missed: (from, to) => missed.push([from, to]),
      },
      new AbortController().signal,
    );
    await eventually(() => taken.length === 15);
    expect(missed).toEqual([[6, 25]]);
    expect(taken).toEqual(range(26, 40));
    await capped.stop();
  });

  it('works while people log in and out, and what is left agrees', async () => {
    let going = true;
    const writing = (async () => {
      for (let i = 0; going; i++) {
        await store.associate(login(`h${i % 4}`, `g${i % 6}`, { occupied: 'takeover' }));
        if (i % 3 === 0) await store.end(logout({ host: `h${i % 4}` }));
      }
    })();
    let removed = 0;
    for (let i = 0; i < 8; i++) {
      await delay(60);
      removed += await store.trimLog(20, []);
    }
    going = false;
    await writing;
    const left = await raw.xlen(keys().events);
    expect(removed).toBeGreaterThan(0);
    expect(removed + left).toBe(Number(await raw.get(keys().seq)));
    await expectIndexExact();
  });

  it('refuses a time that is none', async () => {
    await expect(store.trimLog(Number.NaN, [])).rejects.toThrow(TypeError);
  });
});

describe('dead letters', () => {
  const association: Association = {
    ...{ host: 'h1', guest: '1001', site: 's', generation: 3, startedAt: 1, expiresAt: 'never' },
    idleLimitMs: 60_000,
  };
  const base = { seq: 7, at: 5, actor: 'guest' };
  const events: ChangeEvent[] = [
    { ...base, kind: 'start', reason: 'logIn', association, previousHost: undefined },
    { ...base, kind: 'start', reason: 'move', association, previousHost: 'h2' },
    { ...base, kind: 'end', reason: 'expired', association },
    { ...base, kind: 'extend', reason: 'stay', association: { ...association, expiresAt: 9 } },
    { ...base, kind: 'directory', entries: 'all' },
    { ...base, kind: 'directory', entries: ['user:1001'] },
    { ...base, kind: 'notice', notice: 'lockedOut', extension: '1001', host: undefined },
  ];
  const letter = (event: ChangeEvent, at = 1) => ({ consumer: 'webhook:a', event, problem: 'HTTP 500', at });

  it('come back as they were, newest first', async () => {
    for (const event of events) await store.addDeadLetter(letter(event));
    const kept = await store.deadLetters(100);
    const id = expect.stringMatching(/^\d+-\d+$/);
    expect(kept).toStrictEqual(events.map((event) => ({ ...letter(event), id })).toReversed());
    expect(await store.deadLetters(2)).toHaveLength(2);
    expect(store.problems).toEqual([]);
  });

  it('the newest thousand are kept, each of a bounded size', async () => {
    for (let at = 1; at <= 1010; at += 10)
      await Promise.all(
        range(at, at + 9).map((n) =>
          store.addDeadLetter({ ...letter(events[2]!, n), problem: 'x'.repeat(9000) }),
        ),
      );
    const kept = await store.deadLetters(5000);
    expect(kept.map(({ at }) => at)).toEqual(range(11, 1010).toReversed());
    expect(kept[0]?.problem).toHaveLength(500);
    expect(await raw.xlen(keys().deadLetters)).toBe(1000);
  });

  it('one is dropped, once', async () => {
    for (const event of events.slice(0, 3)) await store.addDeadLetter(letter(event));
    const [newest, middle] = await store.deadLetters(10);
    expect(await store.dropDeadLetter(middle?.id ?? '')).toBe(true);
    expect(await store.dropDeadLetter(middle?.id ?? '')).toBe(false);
    expect(await store.dropDeadLetter('no id')).toBe(false);
    expect((await store.deadLetters(10)).map(({ id }) => id)).toHaveLength(2);
    expect((await store.deadLetters(10))[0]?.id).toBe(newest?.id);
  });

  it('one that cannot be read is left out and told of', async () => {
    await store.addDeadLetter(letter(events[2]!));
    await raw.xadd(keys().deadLetters, '*', 'json', '{"consumer":1}');
    await raw.xadd(keys().deadLetters, '*', 'other', '1', 'more', '2');
    expect(await store.deadLetters(10)).toHaveLength(1);
    expect(store.problems).toHaveLength(2);
  });
});

describe('once', () => {
  it('one of many gets it, and another one when it has lapsed', async () => {
    const other = await openStore(redis.path, { company, node: 'n2' });
    const claims = await Promise.all(
      range(1, 20).map((i) => (i % 2 === 0 ? store : other).claimOnce('daily:london', 300)),
    );
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await store.claimOnce('daily:paris', 300)).toBe(true);
    await delay(350);
    expect(await other.claimOnce('daily:london', 300)).toBe(true);
    await other.stop();
  });

  it('what is given back is free at once', async () => {
    expect(await store.claimOnce('daily:rome', 60_000)).toBe(true);
    await store.dropClaim('daily:oslo');
    expect(await store.claimOnce('daily:rome', 60_000)).toBe(false);
    await store.dropClaim('daily:rome');
    expect(await store.claimOnce('daily:rome', 60_000)).toBe(true);
  });

  it.each(['', 'a b', 'x'.repeat(101), 'a}b'])('refuses the name %j', async (name) => {
    await expect(store.claimOnce(name, 1000)).rejects.toThrow(TypeError);
    await expect(store.dropClaim(name)).rejects.toThrow(TypeError);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses to last %d ms', async (ms) => {
    await expect(store.claimOnce('a', ms)).rejects.toThrow(TypeError);
  });
});

describe('a Redis that does not answer', () => {
  const calls: Record<string, (from: Store) => Promise<unknown>> = {
    claimOnce: (from) => from.claimOnce('a', 1000),
    history: (from) => from.history({ limit: 1, host: 'h1' }),
    trimLog: (from) => from.trimLog(0, ['audit']),
    addDeadLetter: (from) =>
      from.addDeadLetter({
        ...{ consumer: 'a', problem: 'x', at: 1 },
        event: { kind: 'directory', seq: 1, at: 1, actor: 'x', entries: 'all' },
      }),
    deadLetters: (from) => from.deadLetters(1),
  };

  it.each(Object.keys(calls))('%s is refused within 300 ms', async (name) => {
    const quick = await openStore(redis.path, { company, commandTimeoutMs: 250 });
    redis.freeze();
    const { error, ms } = await timed(calls[name]!(quick));
    redis.thaw();
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(ms).toBeLessThan(300);
    await quick.stop();
  });
});

describe('a Redis Cluster', () => {
  it('does all of it, too', async () => {
    const cluster = await startCluster();
    const clustered = await openStore('', {
      connection: { cluster: { addresses: cluster.addresses } },
      acceptWeakDurability: true,
    });
    const taken: number[] = [];
    void clustered.consume(
      { name: 'audit', take: async ({ seq }) => void taken.push(seq), missed: () => undefined },
      new AbortController().signal,
    );
    await delay(500);
    for (const guest of ['1', '2', '3'])
      await clustered.associate(login('h1', guest, { occupied: 'takeover' }));
    await eventually(() => taken.length === 5);
    expect(taken).toEqual([1, 2, 3, 4, 5]);
    expect(seqs((await clustered.history({ host: 'h1', guest: '2', limit: 10 })).events)).toEqual([4, 3]);
    await delay(50);
    expect(await clustered.trimLog(0, ['audit'])).toBe(4);
    await clustered.addDeadLetter({
      ...{ consumer: 'a', problem: 'x', at: 1 },
      event: { kind: 'directory', seq: 1, at: 1, actor: 'x', entries: 'all' },
    });
    expect(await clustered.deadLetters(5)).toHaveLength(1);
    expect(await clustered.claimOnce('a', 1000)).toBe(true);
    expect(clustered.problems).toHaveLength(1);
    await clustered.stop();
    await cluster.stop();
  });
});
