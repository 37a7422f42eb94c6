import { describe, expect, test } from 'vitest';
import { Replays } from '../../../src/services/replays.ts';
import { LARGEST_SHARED, StoreUnavailable } from '../../../src/store/store.ts';
import { ACTOR } from './guest-office.ts';

describe('the same request again', () => {
  const sealing = { seal: (text: string) => `k:${text}`, open: (text: string) => text.slice(2) };
  const request = { actor: ACTOR, route: 'POST /x', key: 'k1', body: { a: 1 } };
  const time = { now: 0 };
  const make = () => {
    const kept = new Map<string, unknown>();
    const claims = new Set<string>();
    let isAway = false;
    const replays = new Replays({
      store: {
        claimOnce: async (name) => !claims.has(name) && !!claims.add(name),
        dropClaim: async (name) => {
          if (isAway) throw new StoreUnavailable('away');
          claims.delete(name);
        },
      },
      shared: { get: (name) => kept.get(name), put: (name, value) => void kept.set(name, value) },
      sealing,
      clock: { now: () => time.now },
    });
    let done = 0;
    const work =
      (status = 201) =>
      async () => ({ status, body: { n: ++done }, headers: {} });
    const goAway = (): void => {
      isAway = true;
    };
    return { replays, work, claims, kept, goAway };
  };

  test('is done once and answered as before; another with its key is refused', async () => {
    const { replays, work } = make();
    const first = await replays.run(request, work());
    expect(await replays.run(request, work())).toEqual(first);
    expect(await replays.run({ ...request, body: { a: 2 } }, work())).toEqual({ refused: 'keyUsed' });
    expect(await replays.run({ ...request, actor: 'admin:lee' }, work())).toMatchObject({ body: { n: 2 } });
  });

  test('two at once: one is told to wait', async () => {
    const { replays, work } = make();
    const both = await Promise.all([replays.run(request, work()), replays.run(request, work())]);
    expect(both).toEqual([expect.objectContaining({ status: 201 }), { refused: 'requestInHand' }]);
  });

  test('a refusal is not kept: mended it is done, with the same key, on any node', async () => {
    const { replays, work, claims } = make();
    expect(await replays.run(request, work(422))).toMatchObject({ status: 422 });
    expect([...claims]).toEqual([]);
    const mended = { ...request, body: { a: 2 } };
    expect(await replays.run(mended, work(409))).toMatchObject({ status: 409, body: { n: 2 } });
    const done = await replays.run(mended, work());
    expect(done).toMatchObject({ status: 201, body: { n: 3 } });
    expect(await replays.run(mended, work())).toEqual(done);
    expect(await replays.run(request, work())).toEqual({ refused: 'keyUsed' });
  });

  test('a long answer is kept in pieces that other nodes can be told of; until all are there, they wait', async () => {
    const { replays, kept } = make();
    const long = (of: string) => async () => ({ status: 201, body: of.repeat(40_000), headers: {} });
    const answer = await replays.run(request, long('p'));
    expect(kept.size).toBeGreaterThan(10);
    for (const value of kept.values())
      expect(Buffer.byteLength(JSON.stringify(value))).toBeLessThan(LARGEST_SHARED);
    expect(await replays.run(request, long('q'))).toEqual(answer);
    const [piece = '', text] = [...kept][3] ?? [];
    kept.delete(piece);
    expect(await replays.run(request, long('q'))).toEqual({ refused: 'requestInHand' });
    kept.set(piece, text);
    expect(await replays.run(request, long('q'))).toEqual(answer);
  });

  test('how much is kept is bounded: the oldest goes, whole', async () => {
    const { replays, kept, work } = make();
    const long = async () => ({ status: 201, body: 'p'.repeat(1_800 * 1_000), headers: {} });
    await replays.run(request, work());
    for (const key of ['k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9', 'k10', 'k11', 'k12'])
      await replays.run({ ...request, key }, long);
    const left = [...kept].filter(([, value]) => value !== undefined);
    expect(left.length).toBeGreaterThan(4_000);
    expect(left.length).toBeLessThanOrEqual(5_000);
    const names = new Set(left.map(([name]) => name.slice(0, 45)));
    expect(names.size).toBe(10);
    for (const name of names) expect(kept.get(name)).toBeDefined();
  });

  test('a key that is used again each time its answer has lapsed takes no room of others', async () => {
    const { replays, kept, claims, work } = make();
    const first = await replays.run(request, work());
    const [own = ''] = kept.keys();
    const long = async () => ({ status: 201, body: 'p'.repeat(40_000), headers: {} });
    for (let day = 0; day < 600; day++) {
      await replays.run({ ...request, key: 'daily' }, long);
      for (const name of [...kept.keys()]) if (name !== own) kept.delete(name);
      claims.clear();
    }
    expect(await replays.run(request, work())).toEqual(first);
  });

  test('a claim that may be another node’s by now is not given back', async () => {
    const { replays, work, claims } = make();
    const slow = async () => {
      time.now += 12_000;
      return work(409)();
    };
    await replays.run(request, slow);
    expect(claims.size).toBe(1);
  });

  test('with the store away by then the refusal is told all the same', async () => {
    const { replays, work, goAway } = make();
    goAway();
    expect(await replays.run(request, work(409))).toMatchObject({ status: 409 });
    expect(await replays.run(request, work())).toMatchObject({ status: 201 });
  });

  test('what failed on our side is not kept', async () => {
    const { replays, work } = make();
    await replays.run(request, work(503));
    expect(await replays.run(request, work())).toMatchObject({ status: 201, body: { n: 2 } });
    expect(await replays.run(request, work())).toMatchObject({ status: 201, body: { n: 2 } });
  });
});
