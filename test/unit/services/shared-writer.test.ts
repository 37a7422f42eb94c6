import { describe, expect, test } from 'vitest';
import { SharedWriter } from '../../../src/services/shared-writer.ts';
import { MOST_SHARED, StoreUnavailable } from '../../../src/store/store.ts';
import { Harness, settle } from './harness.ts';

const MINUTE = 60_000;

/** Writes that a test lets succeed or fail when it likes. */
class HeldStore {
  readonly asked: { readonly name: string; readonly value: unknown; readonly ttlMs: number }[] = [];
  readonly #held: { resolve(position: number): void; reject(error: Error): void }[] = [];

  putShared(name: string, value: unknown, ttlMs: number): Promise<number> {
    this.asked.push({ name, value, ttlMs });
    return new Promise((resolve, reject) => this.#held.push({ resolve, reject }));
  }

  async take(position: number): Promise<void> {
    this.#held.shift()?.resolve(position);
    await settle();
  }

  async refuse(error: Error): Promise<void> {
    this.#held.shift()?.reject(error);
    await settle();
  }

  get values(): unknown[] {
    return this.asked.map(({ value }) => value);
  }
}

const AWAY = new StoreUnavailable('away');

function world() {
  const harness = new Harness();
  const changes: string[] = [];
  const { view, log, clock } = harness;
  const held = new HeldStore();
  const writer = new SharedWriter({ store: harness.store, view, timers: clock, log });
  const slow = new SharedWriter({ store: held, view, timers: clock, log });
  writer.onChange((name) => changes.push(name));
  const told = (name: string, value: unknown, position: number) =>
    view.onShared(
      name,
      value === undefined ? undefined : { value, expiresAt: harness.now + MINUTE },
      position,
    );
  return Object.assign(harness, { changes, held, writer, slow, told });
}

describe('what is put', () => {
  test('counts here at once and comes to the store and to other nodes', async () => {
    const { writer, view, store, changes, follow } = bound();
    writer.start();
    await follow();
    writer.put('line:1', { state: 'busy' }, MINUTE);
    expect(writer.get('line:1')).toEqual({ state: 'busy' });
    expect(changes).toEqual(['line:1']);
    await settle();
    expect(store.shared.get('line:1')?.value).toEqual({ state: 'busy' });
    expect(writer.get('line:1')).toEqual({ state: 'busy' });
    expect(changes, 'its coming back is no news').toEqual(['line:1']);
    await store.putShared('line:1', { state: 'idle' }, MINUTE);
    expect(view.shared.get('line:1')).toEqual({ state: 'idle' });
    writer.put('line:1', undefined, 0);
    expect(writer.get('line:1')).toBeUndefined();
    await settle();
    expect(store.shared.size).toBe(0);
    expect(changes).toHaveLength(3);
  });

  test('is as JSON says, and no longer the caller’s', () => {
    const { writer } = world();
    const value = { a: 1, b: undefined, c: [new Date(0)] };
    writer.put('x', value, MINUTE);
    value.a = 2;
    expect(writer.get('x')).toEqual({ a: 1, c: ['1970-01-01T00:00:00.000Z'] });
  });

  test('lapses, and is no change when it only lasts longer', () => {
    const { writer, changes, pass } = bound();
    writer.put('x', 1, 100);
    pass(50);
    writer.put('x', 1, 100);
    expect(changes).toEqual(['x']);
    pass(99);
    expect(writer.get('x')).toBe(1);
    pass(1);
    expect(writer.get('x')).toBeUndefined();
    expect([...writer.entries('')]).toEqual([]);
    expect(changes).toEqual(['x']);
  });

  test('lapses by the store’s clock', async () => {
    const harness = world();
    harness.storeOffset = 5_000;
    harness.view.onContact(5_000);
    harness.slow.start();
    harness.slow.put('x', 1, 100);
    harness.told('y', 1, 1);
    expect(harness.held.asked[0]?.ttlMs).toBe(100);
    harness.pass(MINUTE - 5_000);
    expect(harness.slow.get('y')).toBeUndefined();
  });

  test('is found by how its name begins', () => {
    const { writer, told } = world();
    for (const name of ['sub:a:1', 'sub:a:2:x:y', 'sub:b:1', 'subs', 'mwi:1']) writer.put(name, name, MINUTE);
    told('sub:a:3', 'theirs', 1);
    const names = (prefix: string) => [...writer.entries(prefix)].map(([name]) => name).sort();
    expect(names('sub:a:')).toEqual(['sub:a:1', 'sub:a:2:x:y', 'sub:a:3']);
    expect(names('sub:')).toEqual(['sub:a:1', 'sub:a:2:x:y', 'sub:a:3', 'sub:b:1']);
    expect(names('sub')).toEqual(['sub:a:1', 'sub:a:2:x:y', 'sub:a:3', 'sub:b:1', 'subs']);
    expect(names('sub:a:2:x:y')).toEqual(['sub:a:2:x:y']);
    expect(names('')).toHaveLength(6);
    expect(names('none:')).toEqual([]);
    told('sub:a:3', undefined, 2);
    expect(names('sub:a:')).toEqual(['sub:a:1', 'sub:a:2:x:y']);
  });

  test('is refused when it is no name, no time or no value', () => {
    const { writer, changes } = world();
    for (const name of ['', 'a b', 'a}x', 'x'.repeat(201)])
      expect(() => writer.put(name, 1, MINUTE)).toThrow(TypeError);
    for (const ttl of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => writer.put('x', 1, ttl)).toThrow(TypeError);
    expect(() => writer.put('x', () => 1, MINUTE)).toThrow(TypeError);
    expect(changes).toEqual([]);
  });

  test('counts on this node only when it is too large for the store', async () => {
    const { slow, held, log, told } = world();
    slow.start();
    slow.put('x', 'a'.repeat(4_095), MINUTE);
    slow.put('y', 'a'.repeat(4_094), MINUTE);
    expect(held.asked.map(({ name }) => name)).toEqual(['y']);
    expect(slow.get('x')).toHaveLength(4_095);
    expect(log.level('error')).toHaveLength(1);
    told('x', 'theirs', 1);
    expect(slow.get('x')).toBe('theirs');
  });

  test('does not stop a listener that fails, nor the others', () => {
    const { writer, changes, log } = world();
    writer.onChange(() => {
      throw new Error('broken');
    });
    const off = writer.onChange(() => changes.push('second'));
    writer.put('x', 1, MINUTE);
    off();
    writer.put('x', 2, MINUTE);
    expect(changes).toEqual(['x', 'second', 'x']);
    expect(log.level('error')).toHaveLength(2);
  });
});

describe('the store', () => {
  test('is told the newest value of a name only, one at a time', async () => {
    const { slow, held } = world();
    slow.start();
    for (let n = 1; n <= 5; n++) slow.put('x', n, MINUTE);
    slow.put('y', 'other', MINUTE);
    expect(held.values).toEqual([1, 'other']);
    await held.take(1);
    expect(held.values).toEqual([1, 'other', 5]);
    await held.take(2);
    await held.take(3);
    expect(held.values).toHaveLength(3);
    expect(slow.get('x')).toBe(5);
  });

  test('gets sixteen at a time', async () => {
    const { slow, held } = world();
    slow.start();
    for (let i = 0; i < 40; i++) slow.put(`n${i}`, i, MINUTE);
    expect(held.asked).toHaveLength(16);
    await held.take(1);
    expect(held.asked).toHaveLength(17);
  });

  test('is told nothing before the start, and then everything', async () => {
    const { slow, held } = world();
    slow.put('x', 1, MINUTE);
    expect(held.asked).toEqual([]);
    slow.start();
    expect(held.values).toEqual([1]);
  });

  test('is told again while it is away, later and later, with the newest value and what is left of its time', async () => {
    const { slow, held, pass } = bound();
    slow.start();
    slow.put('x', 1, MINUTE);
    await held.refuse(AWAY);
    slow.put('x', 2, MINUTE);
    expect(held.values).toEqual([1]);
    pass(50);
    expect(held.values).toEqual([1, 2]);
    expect(slow.get('x')).toBe(2);
    let waited = 50;
    for (const ms of [100, 200, 400, 800, 1_000, 1_000]) {
      await held.refuse(AWAY);
      const before = held.asked.length;
      pass(ms - 1);
      expect(held.asked).toHaveLength(before);
      pass(1);
      expect(held.asked).toHaveLength(before + 1);
      waited += ms;
    }
    expect(held.asked.at(-1)).toEqual({ name: 'x', value: 2, ttlMs: MINUTE - waited });
    await held.take(1);
    slow.put('x', 3, MINUTE);
    await held.refuse(AWAY);
    pass(50);
    expect(held.asked.at(-1)?.value).toBe(3);
  });

  test('has the say again when what it was never told of has lapsed', async () => {
    const { slow, held, pass, told } = bound();
    slow.start();
    told('x', 'theirs', 1);
    slow.put('x', 'ours', 40);
    await held.refuse(AWAY);
    expect(slow.get('x')).toBe('ours');
    pass(40);
    expect(slow.get('x')).toBe('theirs');
  });

  test('is not told again of what was put over meanwhile', async () => {
    const { slow, held, pass } = bound();
    slow.start();
    slow.put('x', 1, MINUTE);
    slow.put('x', 2, MINUTE);
    await held.refuse(AWAY);
    pass(50);
    await held.take(1);
    expect(held.values).toEqual([1, 2]);
  });

  test('is not told of what has lapsed meanwhile', async () => {
    const { slow, held, pass, told } = bound();
    slow.start();
    slow.put('x', 1, 40);
    slow.put('y', 1, MINUTE);
    await held.refuse(AWAY);
    await held.refuse(AWAY);
    pass(50);
    expect(held.asked.slice(2).map(({ name }) => name)).toEqual(['y']);
    told('x', 'theirs', 1);
    expect(slow.get('x')).toBe('theirs');
  });

  test('that has no room is logged once, and what it has none for counts here', async () => {
    const { slow, held, log, told, pass } = bound();
    slow.start();
    slow.put('x', 1, MINUTE);
    slow.put('y', 1, MINUTE);
    await held.refuse(new RangeError('full'));
    await held.refuse(new RangeError('full'));
    pass(10_000);
    expect(held.asked).toHaveLength(2);
    expect(log.level('error')).toHaveLength(1);
    expect(slow.get('x')).toBe(1);
    told('x', 2, 5);
    expect(slow.get('x')).toBe(2);
    slow.put('z', 1, MINUTE);
    await held.take(6);
    slow.put('z', 2, MINUTE);
    await held.refuse(new RangeError('full'));
    expect(log.level('error')).toHaveLength(2);
  });

  test('misses the oldest when too many wait', async () => {
    const { slow, held, log } = world();
    for (let i = 0; i < MOST_SHARED + 2; i++) slow.put(`n${i}`, i, MINUTE);
    expect(log.level('error')).toHaveLength(1);
    expect(slow.get('n0')).toBe(0);
    slow.start();
    expect(held.asked[0]?.name).toBe('n2');
  });

  test('gets what is left at the stop', async () => {
    const { slow, held } = world();
    slow.start();
    for (let i = 0; i < 17; i++) slow.put(`n${i}`, i, MINUTE);
    let stopped = false;
    const stopping = slow.stop().then(() => {
      stopped = true;
    });
    for (let i = 0; i < 16; i++) await held.take(i + 1);
    expect(held.asked).toHaveLength(17);
    expect(stopped).toBe(false);
    await held.take(17);
    await stopping;
    slow.put('late', 1, MINUTE);
    expect(held.asked).toHaveLength(17);
  });

  test.each([
    ['is away', (held: HeldStore) => held.refuse(AWAY)],
    ['is silent', async (_: HeldStore, pass: (ms: number) => void) => pass(1_000)],
  ])('that %s does not hold up a stop', async (_, happens) => {
    const { slow, held, pass, log } = bound();
    slow.start();
    for (let i = 0; i < 20; i++) slow.put(`n${i}`, i, MINUTE);
    const stopping = slow.stop();
    await happens(held, pass);
    await stopping;
    expect(held.asked).toHaveLength(16);
    expect(log.level('warn')).toHaveLength(1);
    await slow.stop();
  });

  test('with nothing to be told is no reason to wait', async () => {
    const { slow } = world();
    await slow.stop();
    slow.start();
    await slow.stop();
  });
});

describe('between the nodes', () => {
  test('what another node wrote before is no news while our own is under way', async () => {
    const { slow, held, told, changes } = world();
    slow.start();
    slow.put('x', 'ours', MINUTE);
    told('x', 'earlier', 1);
    expect(slow.get('x')).toBe('ours');
    await held.take(3);
    told('x', 'still earlier than ours', 2);
    expect(slow.get('x')).toBe('ours');
    told('x', 'ours', 3);
    expect(changes).toEqual(['x']);
    told('x', 'later', 4);
    expect(slow.get('x')).toBe('later');
  });

  test('what another node wrote after ours counts, also when we hear of it before our own answer', async () => {
    const { slow, held, told } = world();
    slow.start();
    slow.put('x', 'ours', MINUTE);
    told('x', 'ours', 1);
    told('x', 'later', 2);
    expect(slow.get('x')).toBe('ours');
    await held.take(1);
    expect(slow.get('x')).toBe('later');
  });

  test('the echo of an older put does not overwrite a newer one', async () => {
    const { slow, held, told, changes } = world();
    slow.start();
    slow.put('x', 1, MINUTE);
    slow.put('x', 2, MINUTE);
    told('x', 1, 1);
    await held.take(1);
    expect(slow.get('x')).toBe(2);
    told('x', 2, 2);
    await held.take(2);
    expect(changes).toHaveLength(2);
  });

  test('a removal stays one while older values still come', async () => {
    const { slow, held, told } = world();
    slow.start();
    told('x', 1, 1);
    slow.put('x', undefined, 0);
    told('x', 2, 2);
    expect(slow.get('x')).toBeUndefined();
    expect([...slow.entries('')]).toEqual([]);
    await held.take(3);
    expect(slow.get('x')).toBeUndefined();
    told('x', undefined, 3);
    told('x', 4, 4);
    expect(slow.get('x')).toBe(4);
  });

  test('a snapshot replaces all but what the store does not have yet, and its differences are told', async () => {
    const { writer, store, view, changes, follow, disconnect, reconnect, pass } = bound();
    writer.start();
    await follow();
    for (const name of ['same', 'changed', 'gone', 'mine']) writer.put(name, 1, MINUTE);
    await settle();
    disconnect();
    writer.put('mine', 'newer', MINUTE);
    writer.put('new', 'mine', MINUTE);
    await settle();
    store.down = false;
    await store.putShared('changed', 2, MINUTE);
    await store.putShared('gone', undefined, 0);
    await store.putShared('came', 1, MINUTE);
    changes.length = 0;
    await reconnect();
    expect(Object.fromEntries(writer.entries(''))).toEqual({
      ...{ same: 1, changed: 2, came: 1, mine: 'newer', new: 'mine' },
    });
    expect(changes.toSorted()).toEqual(['came', 'changed', 'gone']);
    pass(50);
    await settle();
    const { shared } = store;
    expect([shared.get('mine')?.value, shared.get('new')?.value]).toEqual(['newer', 'mine']);
    expect(view.shared.get('mine')).toBe('newer');
  });

  test('what is written while the store’s entries are loaded stays', async () => {
    const { slow, held, view, told, changes } = world();
    slow.start();
    told('gone', 1, 1);
    told('x', 'old', 2);
    const loading = view.onSharedEntries(10);
    slow.put('x', 'mine', MINUTE);
    slow.put('y', 'mine', MINUTE);
    await held.take(11);
    await held.take(12);
    changes.length = 0;
    const old = { value: 'old', expiresAt: view.now() + MINUTE };
    loading.page(new Map([['x', old]]));
    loading.page(
      new Map([
        ['z', old],
        ['removed', undefined],
      ]),
    );
    expect(slow.get('gone'), 'until all is known').toBe(1);
    loading.done();
    expect(Object.fromEntries(slow.entries(''))).toEqual({ x: 'mine', y: 'mine', z: 'old' });
    expect(changes).toEqual(['z', 'gone']);
    told('x', 'mine', 11);
    told('x', 'theirs', 13);
    expect(slow.get('x')).toBe('theirs');
  });

  test('an answer from before the load does not go before what the load has', async () => {
    const { slow, held, view } = world();
    slow.start();
    slow.put('x', 'mine', MINUTE);
    const loading = view.onSharedEntries(10);
    loading.page(new Map([['x', { value: 'later', expiresAt: view.now() + MINUTE }]]));
    await held.take(9);
    loading.done();
    expect(slow.get('x')).toBe('later');
  });

  test('what has lapsed does not fill the memory', () => {
    const { view, told, pass } = bound();
    for (let i = 0; i < 10_000; i++) {
      told(`sub:${i}`, i, i + 1);
      pass(1_000);
    }
    expect([...view.shared.entries('')]).toHaveLength(59);
    expect(view.shared.size).toBeLessThan(2_500);
  });
});

/** With methods that may be taken out of their object. */
function bound() {
  const all = world();
  return {
    ...all,
    store: all.store,
    pass: all.pass.bind(all),
    follow: all.follow.bind(all),
    disconnect: all.disconnect.bind(all),
    reconnect: all.reconnect.bind(all),
  };
}
