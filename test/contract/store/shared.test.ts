import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKeys } from '../../../src/store/redis/keys.ts';
import { LARGEST_RECORDING, MOST_SHARED, type Store } from '../../../src/store/store.ts';
import { FakeStore } from '../../support/fake-store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { binding, eventually, newCompany, openStore, record, sharedIn } from './setup.ts';

const MINUTE = 60_000;

let redis: TestRedis;
let raw: Redis;
let company: string;
let end: AbortController;
beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(redis.path);
});
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});
beforeEach(() => {
  company = newCompany();
  end = new AbortController();
});
afterEach(() => end.abort());

const keys = () => createKeys(company);

const kinds: readonly (readonly [string, () => Promise<Store>])[] = [
  ['Redis', () => openStore(redis.path, { company })],
  ['the fake', async () => new FakeStore(Date.now)],
];

describe.each(kinds)('shared entries in %s', (_, open) => {
  let store: Store;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.stop());

  const shared = () => sharedIn(store);

  it('are there with their expiry, the last writer’s value only', async () => {
    const before = Date.now();
    await store.putShared('line:1001', { state: 'early' }, MINUTE);
    await store.putShared('line:1001', { state: 'confirmed', at: [1, null, 'é "x"'] }, 2 * MINUTE);
    await store.putShared('mwi:1002', false, MINUTE);
    const all = await shared();
    expect([...all.keys()].sort()).toEqual(['line:1001', 'mwi:1002']);
    expect(all.get('mwi:1002')?.value).toBe(false);
    const { value, expiresAt } = all.get('line:1001')!;
    expect(value).toEqual({ state: 'confirmed', at: [1, null, 'é "x"'] });
    expect(expiresAt).toBeGreaterThanOrEqual(before + 2 * MINUTE - 5);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 2 * MINUTE + 5);
  });

  it('are told to followers in order, removals included, with positions that grow', async () => {
    const seen = record();
    await store.putShared('old', 1, MINUTE);
    await store.follow(seen, end.signal);
    expect([...seen.sharedEntries.keys()]).toEqual(['old']);
    const positions = [
      await store.putShared('a', 1, MINUTE),
      await store.putShared('b', 2, MINUTE),
      await store.putShared('a', 3, MINUTE),
      await store.putShared('a', undefined, 0),
    ];
    await eventually(() => seen.shared.length === 4);
    expect(seen.shared.map(({ name, entry }) => [name, entry?.value])).toEqual([
      ['a', 1],
      ['b', 2],
      ['a', 3],
      ['a', undefined],
    ]);
    expect(seen.shared.map(({ position }) => position)).toEqual(positions);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(seen.sharedPosition).toBeLessThan(positions[0]!);
    expect([...(await shared()).keys()].sort()).toEqual(['b', 'old']);
    const late = record();
    await store.follow(late, end.signal);
    expect(late.sharedPosition).toBe(positions.at(-1));
  });

  it('are gone when they have lapsed', async () => {
    await store.putShared('short', 1, 30);
    await store.putShared('long', 1, MINUTE);
    await delay(60);
    expect([...(await shared()).keys()]).toEqual(['long']);
  });

  it('of which none is there are removed without a word', async () => {
    const seen = record();
    await store.follow(seen, end.signal);
    const position = await store.putShared('none', undefined, 0);
    expect(position).toBe(0);
    await store.putShared('x', 1, MINUTE);
    await eventually(() => seen.shared.length > 0);
    expect(seen.shared).toMatchObject([{ name: 'x' }]);
  });

  it('refuse what is no name, no time and no value of 4 KiB', async () => {
    for (const name of ['', 'a b', 'a}x', 'a\r\n', 'é', 'x'.repeat(201)]) {
      await expect(store.putShared(name, 1, MINUTE)).rejects.toThrow(TypeError);
      await expect(store.putShared(name, undefined, 0)).rejects.toThrow(TypeError);
    }
    for (const ttl of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      await expect(store.putShared('a', 1, ttl)).rejects.toThrow(TypeError);
    await expect(store.putShared('a', () => 1, MINUTE)).rejects.toThrow(TypeError);
    await expect(store.putShared('a', 'x'.repeat(4_095), MINUTE)).rejects.toThrow(TypeError);
    await expect(store.putShared('a', 'é'.repeat(2_048), MINUTE)).rejects.toThrow(TypeError);
    expect((await shared()).size).toBe(0);
    await store.putShared('A.b_c:d@e-f', 'x'.repeat(4_094), MINUTE);
    await store.putShared('x'.repeat(200), null, MINUTE);
    expect((await shared()).size).toBe(2);
  });
});

describe('shared entries', () => {
  let store: Awaited<ReturnType<typeof openStore>>;
  beforeEach(async () => {
    store = await openStore(redis.path, { company });
  });
  afterEach(() => store.stop());

  it('and bindings come in one order', async () => {
    const order: string[] = [];
    const seen = record();
    const tell = (what: string) => order.push(what);
    await store.follow(
      { ...seen, onShared: (name) => tell(name), onBindings: (aor) => tell(aor) },
      end.signal,
    );
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        i % 2
          ? store.writeBindings(`cp${i}`, 0, { version: 1, bindings: [binding()] })
          : store.putShared(`s${i}`, i, MINUTE),
      ),
    );
    await eventually(() => order.length === 20);
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 ? `cp${i}` : `s${i}`)));
    expect(seen.snapshots).toHaveLength(1);
  });

  it('lapse with their keys when nobody writes any more', async () => {
    await store.putShared('long', 1, 1_000);
    await store.putShared('short', 1, 50);
    expect(await raw.pttl(keys().shared)).toBeGreaterThan(300);
    expect(await raw.pttl(keys().sharedIndex)).toBeGreaterThan(300);
    await delay(1_050);
    expect(await raw.exists(keys().shared, keys().sharedIndex)).toBe(0);
  });

  it('that have lapsed are cleared by who writes, twenty at a time', async () => {
    for (let i = 0; i < 30; i++) {
      await raw.hset(keys().shared, `old${i}`, `1 ${1000 + i} 1`);
      await raw.zadd(keys().sharedIndex, 1000 + i, `old${i}`);
    }
    await store.putShared('x', 1, MINUTE);
    expect(await raw.hlen(keys().shared)).toBe(11);
    await store.putShared('y', 1, MINUTE);
    expect((await raw.hkeys(keys().shared)).sort()).toEqual(['x', 'y']);
    expect(await raw.zrange(keys().sharedIndex, '0', '-1')).toEqual(['x', 'y']);
  });

  it('are a hundred thousand at most', async () => {
    const later = Date.now() + MINUTE;
    const fill = `for i = 1, tonumber(ARGV[1]) do
      redis.call('HSET', KEYS[1], 'n' .. i, '1 ' .. ARGV[2] .. ' 1')
      redis.call('ZADD', KEYS[2], ARGV[2], 'n' .. i)
    end`;
    await raw.eval(fill, 2, keys().shared, keys().sharedIndex, MOST_SHARED - 1, later);
    await store.putShared('last', 1, MINUTE);
    await expect(store.putShared('one-more', 1, MINUTE)).rejects.toThrow(RangeError);
    await store.putShared('n1', 'changed', MINUTE);
    const shared = await sharedIn(store);
    expect(shared.size).toBe(MOST_SHARED);
    expect(shared.get('n1')?.value).toBe('changed');
    await raw.zadd(keys().sharedIndex, 1_000, 'last');
    await store.putShared('one-more', 1, MINUTE);
  });

  it('never go back, also when they are read while they are written', async () => {
    await Promise.all(
      Array.from({ length: 2_000 }, (_, i) => store.putShared(`fill:${i}`, 'x'.repeat(100), MINUTE)),
    );
    let stopped = false;
    const write = async (name: string) => {
      for (let n = 1; !stopped; n++) {
        // Now and then there is none, so that its absence must not go back either.
        await store.putShared(name, n % 3 ? n : undefined, MINUTE);
      }
    };
    const writing = Promise.all(['a', 'b', 'c', 'd'].map(write));
    for (let round = 0; round < 10; round++) {
      const seen = record();
      const following = new AbortController();
      await store.follow(seen, following.signal);
      await eventually(() => seen.shared.length > 20);
      following.abort();
      for (const name of ['a', 'b', 'c', 'd']) {
        const values = seen.shared.filter((told) => told.name === name).map(({ entry }) => entry?.value);
        const first = seen.sharedEntries.get(name)?.value;
        const known = [
          ...(first === undefined ? [] : [first]),
          ...values.filter((value) => value !== undefined),
        ];
        expect(known, name).toEqual(known.toSorted((a, b) => Number(a) - Number(b)));
      }
    }
    stopped = true;
    await writing;
  });

  it('that are removed are remembered for a minute, for those who read in pages', async () => {
    await store.putShared('a', 1, 10);
    const position = await store.putShared('a', undefined, 0);
    expect(await raw.hget(keys().shared, 'a')).toMatch(new RegExp(`^${position} \\d+ $`));
    const left = await raw.pttl(keys().shared);
    expect(left).toBeGreaterThan(MINUTE - 5_000);
    expect(left).toBeLessThanOrEqual(MINUTE);
    expect((await sharedIn(store)).size).toBe(0);
  });

  it('that cannot be read are reported and left out, and followed no further', async () => {
    await store.putShared('good', 1, MINUTE);
    await raw.hset(keys().shared, 'bad', '1 2');
    await raw.hset(keys().shared, 'worse', `2 ${Date.now() + MINUTE} {secret`);
    const seen = record();
    await store.follow(seen, end.signal);
    expect([...seen.sharedEntries.keys()]).toEqual(['good']);
    expect(store.problems).toHaveLength(2);
    await raw.hdel(keys().shared, 'bad', 'worse');
    await raw.incr(keys().contactSeq);
    await raw.xadd(keys().contactStream, '*', 'n', '2', 'name', 'x', 'at', 'soon', 'value', '{secret');
    await eventually(() => seen.snapshots.length === 2);
    await store.putShared('x', 2, MINUTE);
    await eventually(() => seen.shared.length === 1);
    expect(store.problems.join()).not.toContain('secret');
  });

  it('are loaded anew after a gap', async () => {
    const seen = record();
    await store.follow(seen, end.signal);
    await raw.incr(keys().contactSeq);
    await store.putShared('x', 1, MINUTE);
    await eventually(() => seen.sharedEntries.size === 1);
    expect(seen.sharedEntries.get('x')?.value).toBe(1);
    expect(seen.shared).toEqual([]);
  });
});

describe.each(kinds)('recordings in %s', (_, open) => {
  let store: Store;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.stop());

  it('come back byte by byte until they are replaced or removed', async () => {
    expect(await store.recording('name:1001')).toBeUndefined();
    const all = Uint8Array.from({ length: 512 }, (_, i) => i % 256);
    // A part of a larger buffer, as audio often is.
    await store.keepRecording('name:1001', all.subarray(100, 400));
    expect(await store.recording('name:1001')).toEqual(all.slice(100, 400));
    expect(await store.recording('name:1002')).toBeUndefined();
    await store.keepRecording('name:1001', new Uint8Array([0, 255]));
    expect(await store.recording('name:1001')).toEqual(new Uint8Array([0, 255]));
    await store.keepRecording('name:1001', undefined);
    await store.keepRecording('name:1001', undefined);
    expect(await store.recording('name:1001')).toBeUndefined();
  });

  it('have 128 KiB at most, and names that are names', async () => {
    const longest = new Uint8Array(LARGEST_RECORDING).fill(0xd5);
    await store.keepRecording('name:1', longest);
    expect((await store.recording('name:1'))?.byteLength).toBe(131_072);
    await expect(store.keepRecording('name:1', new Uint8Array(LARGEST_RECORDING + 1))).rejects.toThrow(
      TypeError,
    );
    for (const name of ['', 'a b', 'a}x', 'x'.repeat(201)]) {
      await expect(store.keepRecording(name, longest)).rejects.toThrow(TypeError);
      await expect(store.keepRecording(name, undefined)).rejects.toThrow(TypeError);
      await expect(store.recording(name)).rejects.toThrow(TypeError);
    }
  });
});
