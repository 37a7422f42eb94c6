import { describe, expect, test } from 'vitest';
import { allEntries, toStored } from '../../../src/services/directory-document.ts';
import { LocalView } from '../../../src/services/local-view.ts';
import { Orphans } from '../../../src/services/orphans.ts';
import { directory, host, user } from '../domain/example.ts';
import { Harness, settle } from './harness.ts';

const people = ['1001', '1002', '1003'].map((id) => user(id, { passcodeHash: undefined }));
const desks = [host('d1'), host('d2'), host('d3')];

async function office({ seated = true } = {}) {
  const harness = new Harness();
  const { store, view, clock, random, log } = harness;
  await write(harness, { put: toStored(allEntries(directory({ users: people, hosts: desks }))) });
  if (seated) for (const n of [1, 2, 3]) await harness.seat(`d${n}`, `100${n}`);
  await harness.follow();
  const orphans = new Orphans({ store, view, timers: clock, random, log });
  orphans.start();
  await settle();
  return { harness, store, view, orphans };
}

function write(
  { store }: Harness,
  { put = new Map(), remove = [] }: { put?: ReadonlyMap<string, unknown>; remove?: readonly string[] },
) {
  return store.writeDirectory({ put, remove, actor: 'test' });
}

async function seated({ store }: Harness): Promise<string[]> {
  const { associations } = await store.snapshot();
  return associations.map(({ guest, host: at }) => `${guest}@${at}`);
}

function ends({ store }: Harness): number {
  return store.calls.filter((name) => name === 'end').length;
}

describe('nobody stays logged in who is gone', () => {
  test('when people and hosts leave the directory; nobody else is disturbed', async () => {
    const { harness, store, orphans } = await office();
    expect(ends(harness)).toBe(0);
    await write(harness, { remove: ['user:1002', 'host:d3'] });
    await settle();
    expect(await seated(harness)).toEqual(['1001@d1']);
    const released = store.log.filter(({ kind }) => kind === 'end');
    expect(released).toMatchObject([
      { reason: 'released', actor: 'system', association: { guest: '1002' } },
      { reason: 'released', actor: 'system', association: { host: 'd3' } },
    ]);
    expect(ends(harness)).toBe(2);
    await orphans.stop();
  });

  test('when a login crosses the change', async () => {
    const { harness, view, orphans } = await office();
    await write(harness, { remove: ['user:1002'] });
    await settle();
    await harness.seat('d2', '1002');
    await settle();
    expect(await seated(harness)).not.toContain('1002@d2');
    expect(view.associationAt('d2')).toBeUndefined();
    await orphans.stop();
  });

  test('when they were gone before this node came', async () => {
    const { harness, orphans } = await office({ seated: false });
    await orphans.stop();
    await harness.seat('d1', '1777');
    orphans.start();
    await settle();
    expect(await seated(harness)).toEqual([]);
    await orphans.stop();
  });

  test('when the store was away, once it is back', async () => {
    const { harness, store, orphans } = await office();
    const end = store.end.bind(store);
    store.end = (command) => {
      store.down = true;
      const reply = end(command);
      store.down = false;
      return reply;
    };
    await write(harness, { remove: ['user:1001', 'user:1002'] });
    await settle();
    // One try tells that the store is away.
    expect(ends(harness)).toBe(1);
    store.end = end;
    harness.pass(10_000);
    await settle();
    expect(await seated(harness)).toEqual(['1003@d3']);
    expect(harness.log.level('error')).toEqual([]);
    await orphans.stop();
  });

  test('one that cannot be released does not keep the others', async () => {
    const { harness, store, orphans } = await office();
    const end = store.end.bind(store);
    store.end = (command) => (command.host === 'd1' ? Promise.reject(new TypeError('odd')) : end(command));
    await write(harness, { remove: ['user:1001', 'user:1002'] });
    await settle();
    expect(await seated(harness)).toEqual(['1001@d1', '1003@d3']);
    expect(harness.log.level('error')).toHaveLength(1);
    await orphans.stop();
  });

  test('several nodes: one release each', async () => {
    const { harness, store, orphans } = await office();
    const { clock, random, log } = harness;
    const view = new LocalView({ clock, log });
    await store.follow(view, new AbortController().signal);
    const another = new Orphans({ store, view, timers: clock, random, log });
    another.start();
    await write(harness, { remove: ['user:1001', 'user:1002', 'user:1003'] });
    await settle();
    expect(store.log.filter(({ kind }) => kind === 'end')).toHaveLength(3);
    await Promise.all([orphans.stop(), another.stop()]);
  });
});

describe('nobody is taken for gone', () => {
  test('while there is no directory', async () => {
    const harness = new Harness();
    const { store, view, clock, random, log } = harness;
    await harness.seat('d1', '1001');
    await harness.follow();
    const orphans = new Orphans({ store, view, timers: clock, random, log });
    orphans.start();
    await harness.seat('d2', '1002');
    harness.pass(10_000);
    await settle();
    expect(ends(harness)).toBe(0);
    await orphans.stop();
  });

  test('who came while this node was cut off, and whom its directory does not have yet', async () => {
    const { harness, store, view, orphans } = await office();
    await write(harness, { put: new Map([['user:1004', store.directory.get('user:1001')]]), remove: [] });
    await harness.seat('d1', '1004');
    const snapshot = await store.snapshot();
    await write(harness, { remove: ['user:1004'] });
    store.calls.length = 0;
    await orphans.stop();
    orphans.start();
    // As if 1004 had been heard of by neither entry nor event.
    view.onSnapshot({ ...snapshot, seq: snapshot.seq + 1 });
    harness.pass(10_000);
    await settle();
    expect(ends(harness)).toBe(0);
    const loading = view.onDirectory();
    loading.page(store.directory);
    harness.pass(10_000);
    await settle();
    expect(ends(harness)).toBe(0);
    loading.done(snapshot.seq + 1);
    harness.pass(10_000);
    await settle();
    expect(ends(harness)).toBeGreaterThan(0);
    await orphans.stop();
  });

  test('whose entry this node cannot read', async () => {
    const { harness, store, orphans } = await office();
    await write(harness, { put: new Map([['user:1001', { of: 'a later version' }]]) });
    const { clock, random, log } = harness;
    const view = new LocalView({ clock, log });
    await store.follow(view, new AbortController().signal);
    expect(view.directory?.users.has('1001')).toBe(false);
    const another = new Orphans({ store, view, timers: clock, random, log });
    another.start();
    await settle();
    expect(await seated(harness)).toContain('1001@d1');
    await write(harness, { remove: ['user:1001'] });
    await settle();
    expect(await seated(harness)).not.toContain('1001@d1');
    await Promise.all([orphans.stop(), another.stop()]);
  });
});

test('stops in the midst of its work, and does nothing afterwards', async () => {
  const { harness, store, orphans } = await office();
  let open = (): void => undefined;
  const end = store.end.bind(store);
  store.end = async (command) => {
    await new Promise<void>((resolve) => {
      open = resolve;
    });
    return end(command);
  };
  await write(harness, { remove: ['user:1001', 'user:1002'] });
  await settle();
  let stopped = false;
  const stopping = orphans.stop().then(() => {
    stopped = true;
  });
  await settle();
  expect(stopped).toBe(false);
  open();
  await stopping;
  await write(harness, { remove: ['user:1003'] });
  harness.pass(60_000);
  await settle();
  expect(ends(harness)).toBe(1);
});
