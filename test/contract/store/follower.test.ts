import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { replay } from './replay.ts';
import {
  binding,
  eventually,
  login,
  logout,
  newCompany,
  openStore,
  type Recorder,
  record,
  timed,
} from './setup.ts';

let redis: TestRedis;
let company: string;
let store: Awaited<ReturnType<typeof openStore>>;
let raw: Redis;
let end: AbortController;
let seen: Recorder;

beforeEach(async () => {
  redis = await startRedis();
  raw = new Redis(redis.path);
  raw.on('error', () => undefined);
  company = newCompany();
  store = await openStore(redis.path, { company });
  end = new AbortController();
  seen = record();
});
afterEach(async () => {
  end.abort();
  await store.stop();
  raw.disconnect();
  await redis.stop();
});

const name = (key: string) => `hd:{${company}}:${key}`;
const follow = () => store.follow(seen, end.signal);

/** The last snapshot with all that came after it: what a node would believe. */
function believed(): Map<string, string> {
  const { associations, seq } = seen.snapshots.at(-1)!;
  const hosts = new Map(associations.map((a) => [a.host, a.guest]));
  for (const event of seen.events) {
    if (!('association' in event) || event.seq <= seq) continue;
    if (event.kind !== 'end') hosts.set(event.association.host, event.association.guest);
    else hosts.delete(event.association.host);
  }
  return hosts;
}

it('gives the state first and then every change, in order and without loading again', async () => {
  await store.associate(login('h0', 'g0'));
  await follow();
  expect(seen.snapshots).toMatchObject([{ seq: 1, associations: [{ host: 'h0' }] }]);
  for (let i = 1; i <= 300; i++) {
    await store.associate(login(`h${i % 7}`, `g${i % 11}`, { occupied: 'takeover' }));
    if (i % 5 === 0) await store.end(logout({ host: `h${i % 7}` }));
  }
  await store.writeDirectory({ put: new Map([['company', {}]]), remove: [], actor: 'x' });
  await store.writeBindings('cp1', 0, { version: 1, bindings: [binding({ callId: 'one' })] });
  await eventually(() => seen.bindings.length === 1 && seen.events.at(-1)?.kind === 'directory');
  const { seq, associations } = await store.snapshot();
  expect(seen.events.map((event) => event.seq)).toEqual(Array.from({ length: seq - 1 }, (_, i) => i + 2));
  expect(believed()).toEqual(new Map(associations.map((a) => [a.host, a.guest])));
  expect(seen.bindings).toMatchObject([{ aor: 'cp1', set: { version: 1, bindings: [{ callId: 'one' }] } }]);
  expect(seen.snapshots).toHaveLength(1);
  expect(store.problems).toEqual([]);
});

it('passes on all that an event says', async () => {
  await follow();
  await store.associate(login('h1', '1001', { actor: 'guest' }));
  await store.associate(login('h2', '1001', { limitMs: 'never' }));
  await store.end(logout({ host: 'h2', reason: 'released', actor: 'admin:ann' }));
  await eventually(() => seen.events.length === 4);
  const { at } = seen.events[2]!;
  const moved = {
    host: 'h2',
    guest: '1001',
    site: 'london',
    generation: 3,
    startedAt: at,
    expiresAt: 'never',
    idleLimitMs: 'never',
  };
  expect(seen.events[1]).toMatchObject({ kind: 'end', reason: 'moved', association: { host: 'h1' } });
  expect(seen.events[2]).toEqual({
    ...{ kind: 'start', seq: 3, at, actor: 'guest', reason: 'move', previousHost: 'h1' },
    association: moved,
  });
  expect(seen.events[3]).toMatchObject({
    kind: 'end',
    reason: 'released',
    actor: 'admin:ann',
    association: moved,
  });
  replay(seen.events);
});

it('tells of contact at least every half second, with the offset of the clocks', async () => {
  const shifted = await openStore(redis.path, { clock: { now: () => Date.now() + 5000 } });
  await shifted.follow(seen, end.signal);
  await delay(1600);
  await shifted.stop();
  const gaps = seen.contacts.slice(1).map(({ at }, i) => at - seen.contacts[i]!.at);
  expect(seen.contacts.length).toBeGreaterThanOrEqual(4);
  expect(Math.max(...gaps)).toBeLessThan(600);
  for (const { offsetMs } of seen.contacts) expect(Math.abs(offsetMs + 5000)).toBeLessThan(100);
});

it('loads the state again after a gap in the log', async () => {
  await follow();
  await store.associate(login('h1', '1001'));
  await eventually(() => seen.events.length === 1);
  await raw.incrby(name('seq'), 3);
  await store.associate(login('h2', '1002'));
  await eventually(() => seen.snapshots.length === 2);
  expect(seen.snapshots[1]).toMatchObject({ seq: 5, associations: { length: 2 } });
  expect(seen.events).toHaveLength(1);
  await store.associate(login('h3', '1003'));
  await eventually(() => seen.events.at(-1)?.seq === 6);
});

it('loads the state again when the contact stream was trimmed under it', async () => {
  await follow();
  await raw.incr(name('csq'));
  await store.writeBindings('cp1', 0, { version: 1, bindings: [binding()] });
  await eventually(() => seen.snapshots.length === 2);
  expect(seen.snapshots[1]!.bindings.has('cp1')).toBe(true);
  expect(seen.bindings).toEqual([]);
});

it('reports an entry that cannot be read, loads the state again, and goes on', async () => {
  await follow();
  await raw.xadd(name('ev'), '*', 'seq', '1', 'kind', 'start', 'host', '');
  await eventually(() => seen.snapshots.length === 2);
  await raw.xadd(name('cs'), '*', 'n', '1', 'aor', 'x', 'set', '{');
  await eventually(() => seen.snapshots.length === 3);
  await store.writeDirectory({ put: new Map([['company', {}]]), remove: [], actor: 'x' });
  await eventually(() => seen.events.length === 1);
  expect(store.problems).toHaveLength(2);
  for (const problem of store.problems) expect(problem).toContain('cannot be read');
});

it('passes over an entry of a later version’s kind, unless that says to load the state again', async () => {
  await follow();
  const later = async (...more: string[]) => {
    const seq = String(await raw.incr(name('seq')));
    await raw.xadd(name('ev'), '*', 'seq', seq, 'kind', 'parking', 'at', '1', ...more);
  };
  await later();
  await store.writeDirectory({ put: new Map([['company', {}]]), remove: [], actor: 'x' });
  await eventually(() => seen.events.length === 1);
  expect(seen.skipped).toEqual([1]);
  expect(seen.snapshots).toHaveLength(1);
  expect(store.problems).toEqual([]);
  await later('reload', '1');
  await eventually(() => seen.snapshots.length === 2);
  expect(seen.skipped).toEqual([1]);
});

it('survives a restart of Redis and misses nothing', async () => {
  await follow();
  await store.associate(login('h1', '1001'));
  await redis.kill9();
  await redis.restart();
  await eventually(() => store.available);
  await eventually(async () => (await timed(store.associate(login('h2', '1002')))).error === undefined);
  await eventually(() => believed().size === 2);
  expect(believed()).toEqual(
    new Map([
      ['h1', '1001'],
      ['h2', '1002'],
    ]),
  );
});

it('notices that Redis came back empty', async () => {
  await store.associate(login('h1', '1001'));
  await follow();
  await redis.kill9();
  await rm(join(redis.folder, 'appendonlydir'), { recursive: true });
  await redis.restart();
  await eventually(() => seen.snapshots.length === 2);
  expect(seen.snapshots[1]).toMatchObject({ seq: 0, associations: [] });
});

it('is silent while Redis is frozen, and goes on when it thaws', async () => {
  await follow();
  const other = await openStore(redis.path, { company, node: 'n2' });
  redis.freeze();
  await delay(600);
  const before = seen.contacts.length;
  await delay(2500);
  expect(seen.contacts.length).toBe(before);
  redis.thaw();
  await eventually(() => other.available);
  await eventually(async () => (await timed(other.associate(login('h1', '1001')))).error === undefined);
  await eventually(() => believed().get('h1') === '1001');
  expect(seen.contacts.length).toBeGreaterThan(before);
  await other.stop();
});

it('ends at once when told to, also while Redis is frozen', async () => {
  await follow();
  redis.freeze();
  await delay(100);
  const stopped = await timed(store.stop());
  expect(stopped).toMatchObject({ error: undefined });
  expect(stopped.ms).toBeLessThan(100);
  redis.thaw();
  const count = seen.contacts.length;
  await delay(600);
  expect(seen.contacts.length).toBe(count);
});

it('waits for a Redis that is not there yet, and resolves on abort', async () => {
  await redis.kill9();
  const following = follow();
  const first = await Promise.race([following.then(() => 'resolved'), delay(300, 'waiting')]);
  expect(first).toBe('waiting');
  await redis.restart();
  await following;
  expect(seen.snapshots).toHaveLength(1);
  await redis.kill9();
  const late = new AbortController();
  const second = store.follow(record(), late.signal);
  late.abort();
  await second;
});

it('a receiver that throws is reported and gets the state again', async () => {
  let thrown = 0;
  const follower = {
    ...seen,
    onEvent: () => {
      thrown += 1;
      if (thrown === 1) throw new Error('boom');
    },
  };
  await store.follow(follower, end.signal);
  await store.associate(login('h1', '1001'));
  await eventually(() => seen.snapshots.length === 2);
  expect(store.problems.join()).toContain('the receiver of changes failed');
  expect(seen.snapshots[1]).toMatchObject({ associations: [{ host: 'h1' }] });
});
