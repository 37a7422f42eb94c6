import { describe, expect, test } from 'vitest';
import type { ChangeEvent } from '../../../src/domain/association.ts';
import { allEntries, toStored } from '../../../src/services/directory-document.ts';
import { binding, directory, host, NOW, user } from '../domain/example.ts';
import { Harness, noBindings, settle } from './harness.ts';

const HASH = `k:$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const users = ['1001', '1002', '1003'].map((extension) => user(extension, { passcodeHash: HASH }));
const acme = toStored(allEntries(directory({ users })));

function put(harness: Harness, entries = acme, remove: readonly string[] = []): Promise<unknown> {
  return harness.store.writeDirectory({ put: entries, remove, actor: 'test' });
}

async function started(): Promise<Harness & { readonly events: ChangeEvent[] }> {
  const harness = new Harness();
  harness.now = NOW;
  await put(harness);
  await harness.follow();
  const events: ChangeEvent[] = [];
  harness.view.onChange((event) => events.push(event));
  return Object.assign(harness, { events });
}

describe('knowledge', () => {
  test('unknown until loaded, fresh while in touch, stale after 1.5 s, unknown after 12 h', async () => {
    const harness = new Harness();
    expect(harness.view.knowledge).toBe('unknown');
    await harness.follow();
    expect(harness.view.knowledge).toBe('fresh');
    harness.now += 1_499;
    expect(harness.view.knowledge).toBe('fresh');
    harness.now += 1;
    expect(harness.view.knowledge).toBe('stale');
    harness.store.contact();
    expect(harness.view.knowledge).toBe('fresh');
    harness.now += 12 * 3_600_000 - 1;
    expect(harness.view.knowledge).toBe('stale');
    harness.now += 1;
    expect(harness.view.knowledge).toBe('unknown');
  });

  test('a contact alone, with nothing loaded, is no knowledge', () => {
    const harness = new Harness();
    harness.view.onContact(0);
    expect(harness.view.knowledge).toBe('unknown');
  });
});

describe('associations', () => {
  test('follow the store', async () => {
    const { store, view, seat, events } = await bound();
    await seat('d1', '1001');
    expect(view.associationAt('d1')?.guest).toBe('1001');
    await seat('d2', '1001');
    expect(view.associationAt('d1')).toBeUndefined();
    expect(view.associationOf('1001')?.host).toBe('d2');
    await store.end({ host: 'd2', reason: 'released', actor: 'x', opId: 'z' });
    expect(view.associationOf('1001')).toBeUndefined();
    expect(events.map(({ kind }) => kind)).toEqual(['start', 'end', 'start', 'end']);
  });

  test('a deadline counts by the store’s clock, also when nobody says so', async () => {
    const harness = await started();
    harness.storeOffset = 400;
    harness.store.contact(400);
    await harness.seat('d1', '1001', 1_000);
    harness.disconnect();
    harness.now += 999;
    expect(harness.view.associationAt('d1')?.guest).toBe('1001');
    harness.now += 1;
    expect(harness.view.associationAt('d1')).toBeUndefined();
    expect(harness.view.associationOf('1001')).toBeUndefined();
  });

  test('what changed while the connection was broken is told after it', async () => {
    const harness = await started();
    await harness.seat('d1', '1001');
    harness.disconnect();
    harness.store.down = false;
    await harness.seat('d2', '1001');
    await harness.seat('d3', '1003');
    harness.events.length = 0;
    await harness.reconnect();
    expect(
      harness.events.map((event) => `${event.kind} ${'association' in event && event.association.host}`),
    ).toEqual(['end d1', 'start d2', 'start d3']);
    harness.events.length = 0;
    await harness.reconnect();
    expect(harness.events).toEqual([]);
  });

  test('a missing change is an error: the store has to start again', async () => {
    const { view } = await started();
    const event = { kind: 'directory', seq: 99, at: NOW, actor: 'x', entries: 'all' } as const;
    expect(() => view.onEvent(event)).toThrow('99');
  });

  test('what is passed over is not missing', async () => {
    const { view, store } = await started();
    const { seq } = await store.snapshot();
    view.onSkipped(seq + 1);
    view.onSkipped(seq + 3);
    const event = { kind: 'directory', at: NOW, actor: 'x', entries: 'all' } as const;
    expect(() => view.onEvent({ ...event, seq: seq + 3 })).toThrow('does not follow');
    view.onEvent({ ...event, seq: seq + 2 });
  });

  test('a listener that fails disturbs nobody', async () => {
    const harness = await started();
    const heard: string[] = [];
    harness.view.onChange(() => {
      throw new Error('no');
    });
    const unsubscribe = harness.view.onChange((event) => heard.push(event.kind));
    await harness.seat('d1', '1001');
    unsubscribe();
    await harness.seat('d2', '1002');
    expect(heard).toEqual(['start']);
    expect(harness.log.level('error')).toHaveLength(2);
  });

  async function bound() {
    const harness = await started();
    return { ...harness, store: harness.store, view: harness.view, seat: harness.seat.bind(harness) };
  }
});

describe('the directory', () => {
  test('is read at the start and after each change, which is told when it is in use', async () => {
    const harness = await started();
    const names: (string | undefined)[] = [];
    harness.view.onChange((event) => {
      if (event.kind === 'directory') names.push(harness.view.directory?.users.get('1001')?.name);
    });
    await put(harness, new Map([['user:1001', { ...users[0], name: 'Ada' }]]));
    await settle();
    expect(names).toEqual(['Ada']);
    const before = harness.view.directory;
    harness.store.contact();
    await settle();
    expect(harness.view.directory).toBe(before);
  });

  test('bad entries leave the last good directory in use, and are reported by path', async () => {
    const harness = await started();
    await put(harness, new Map([['user:1001', { ...users[0], site: 'nowhere', passcodeHash: '583914' }]]));
    await settle();
    expect(harness.view.directory?.users.get('1001')?.site).toBe('london');
    expect(harness.log.level('error')).toHaveLength(1);
    expect(JSON.stringify(harness.log.lines)).toContain('user:1001.passcodeHash');
    expect(JSON.stringify(harness.log.lines)).not.toContain('583914');
  });

  test('entries that are removed are gone', async () => {
    const harness = await started();
    await put(harness, new Map(), ['user:1001', 'company']);
    expect(harness.view.directory?.users.has('1001')).toBe(false);
    expect(harness.view.directory?.company.id, 'a company stays').toBe('acme');
  });

  test('a large one is in use when its last page is there, and not before', async () => {
    const harness = await started();
    const loading = harness.view.onDirectory();
    loading.page(new Map([...acme].slice(0, 3)));
    expect(harness.view.directory?.users.size).toBe(3);
    loading.page(new Map([['company', acme.get('company')]]));
    loading.done(harness.view.directoryVersion + 5);
    expect(harness.view.directory?.users.size).toBe(0);
    expect(harness.events).toMatchObject([{ kind: 'directory', entries: 'all' }]);
  });

  test('who waits for a version gets it when it is there, or false after a second, or as long as they say', async () => {
    const harness = await started();
    const version = harness.view.directoryVersion;
    expect(await harness.view.whenDirectory(version)).toBe(true);
    const next = harness.view.whenDirectory(version + 1);
    await put(harness, new Map([['user:1001', { ...users[0], name: 'Ada' }]]));
    expect(await next).toBe(true);
    const never = harness.view.whenDirectory(version + 9);
    const late = harness.view.whenDirectory(version + 2, 30_000);
    harness.pass(1_000);
    expect(await never).toBe(false);
    harness.pass(28_000);
    await put(harness, new Map([['user:1001', { ...users[0], name: 'Bea' }]]));
    expect(await late).toBe(true);
  });

  test('an empty store has none', async () => {
    const harness = new Harness();
    await harness.follow();
    expect(harness.view.directory).toBeUndefined();
    expect(harness.log.level('error')).toEqual([]);
    await put(harness);
    await settle();
    expect(harness.view.directory?.company.id).toBe('acme');
  });

  test('associations that change while the directory is being read are kept', async () => {
    const harness = await started();
    const change = put(harness, new Map([['user:1001', { ...users[0], name: 'Ada' }]]));
    const login = harness.seat('d1', '1001');
    await Promise.all([change, login]);
    await settle();
    expect(harness.view.associationAt('d1')?.guest).toBe('1001');
    expect(harness.view.directory?.users.get('1001')?.name).toBe('Ada');
    expect(harness.events.filter(({ kind }) => kind === 'start')).toHaveLength(1);
  });
});

describe('bindings', () => {
  const first = binding('sip:a@x', { q: 0.1 });
  const second = binding('sip:b@x', { q: 0.9, expiresAt: NOW + 1_000 });

  test('best q first, expired ones left out', async () => {
    const harness = await started();
    harness.view.onBindings('d1', { version: 1, bindings: [first, second] });
    expect(harness.view.bindingsOf('d1').map(({ contact }) => contact)).toEqual(['sip:b@x', 'sip:a@x']);
    harness.now += 1_000;
    expect(harness.view.bindingsOf('d1').map(({ contact }) => contact)).toEqual(['sip:a@x']);
    expect(harness.view.bindingsOf('other')).toEqual([]);
  });

  test('what this node wrote is not undone by older news', async () => {
    const { view } = await started();
    view.bindingsSaved('d1', { version: 3, bindings: [first] });
    view.onBindings('d1', noBindings(2));
    expect(view.bindingsOf('d1')).toHaveLength(1);
    view.onBindings('d1', { version: 3, bindings: [first] });
    // The key lapsed in the store and another node began anew: lower versions are news again.
    view.onBindings('d1', noBindings(1));
    expect(view.bindingsOf('d1')).toEqual([]);
    expect(view.bindingSetOf('d1').version).toBe(1);
  });

  test('the stream may tell what this node wrote before its own reply comes', async () => {
    const { view } = await started();
    view.onBindings('d1', { version: 3, bindings: [first] });
    view.onBindings('d1', { version: 4, bindings: [second] });
    view.bindingsSaved('d1', { version: 3, bindings: [first] });
    expect(view.bindingsOf('d1')).toEqual([second]);
    // Nothing is waited for any more: another node that began anew is believed.
    view.bindingsSaved('d1', { version: 4, bindings: [second] });
    view.onBindings('d1', { version: 1, bindings: [first] });
    expect(view.bindingsOf('d1')).toEqual([first]);
  });

  test('when a phone was last seen: by what the store says, and by what comes after', async () => {
    const harness = await started();
    expect(harness.view.lastSeenAt('d1')).toBeUndefined();
    harness.view.onBindings('d1', { version: 1, bindings: [second] });
    harness.now += 5_000;
    expect([harness.view.bindingsOf('d1'), harness.view.lastSeenAt('d1')]).toEqual([[], NOW]);
    harness.view.bindingsSaved('d1', noBindings(2));
    harness.view.bindingsUnsaved('d2', [first]);
    expect(['d1', 'd2'].map((id) => harness.view.lastSeenAt(id))).toEqual([NOW + 5_000, NOW + 5_000]);
  });

  test('a phone made anew under a name that there was has not been seen', async () => {
    const { view } = await started();
    const entry = host('d1');
    const now = (value: unknown) => view.onEntries(new Map([['host:d1', value]]));
    view.onBindings('d1', noBindings(1));
    now(toStored([{ kind: 'host', value: { ...entry, nickname: 'Other' } }]).get('host:d1'));
    expect(view.lastSeenAt('d1')).toBe(NOW);
    now(undefined);
    now(toStored([{ kind: 'host', value: entry }]).get('host:d1'));
    expect(view.lastSeenAt('d1')).toBeUndefined();
  });

  test('what the store could not take counts here, through a new snapshot as well', async () => {
    const harness = await started();
    harness.view.onBindings('d1', { version: 3, bindings: [first] });
    harness.view.bindingsUnsaved('d1', [second]);
    expect(harness.view.bindingSetOf('d1')).toEqual({ version: 3, bindings: [second] });
    harness.disconnect();
    await harness.reconnect();
    expect(harness.view.bindingsOf('d1')).toEqual([second]);
    expect(harness.view.unsavedAors()).toEqual(['d1']);
    harness.view.bindingsSaved('d1', { version: 1, bindings: [second] });
    expect(harness.view.unsavedAors()).toEqual([]);
  });
});

test('a clock that differs from the store’s by more than a second is reported, once', async () => {
  const harness = await started();
  for (const offset of [1_000, 1_001, -5_000, 0, 2_000]) harness.view.onContact(offset);
  expect(harness.log.level('warn')).toHaveLength(2);
  expect(harness.view.now()).toBe(harness.now + 2_000);
});

test('looking somebody up takes microseconds with two thousand desks', async () => {
  const harness = await started();
  await Promise.all(
    Array.from({ length: 2_000 }, (_, index) => harness.seat(`d${index}`, String(10_000 + index))),
  );
  const begun = performance.now();
  for (let turn = 0; turn < 10_000; turn++) harness.view.associationOf(String(10_000 + (turn % 2_000)));
  expect((performance.now() - begun) / 10_000).toBeLessThan(0.05);
});
