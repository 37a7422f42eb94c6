import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../../src/store/store.ts';
import { failOver } from '../../support/failover.ts';
import { type RedisCluster, startCluster } from '../../support/redis-cluster.ts';
import { DURABLE } from '../../support/redis-node.ts';
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
  sharedIn,
  timed,
} from './setup.ts';

let cluster: RedisCluster;
let company: string;
beforeAll(async () => {
  cluster = await startCluster();
}, 60_000);
afterAll(() => cluster.stop());
beforeEach(() => {
  company = newCompany();
});

type Options = Parameters<typeof openStore>[1];

/** Without replicas, so the operator has to accept it. */
function open(more: Options = {}): ReturnType<typeof openStore> {
  const connection = { cluster: { addresses: cluster.addresses } };
  return openStore('', { connection, company, acceptWeakDurability: true, ...more });
}

describe('every method of the store', () => {
  it('associates, moves, ends, extends and expires, and the log tells all of it', async () => {
    const store = await open();
    const seen = record();
    const end = new AbortController();
    await store.follow(seen, end.signal);
    const first = login('h1', '1001');
    expect(await store.associate(first)).toMatchObject({ outcome: 'associated', replay: false });
    expect(await store.associate(first)).toMatchObject({ outcome: 'associated', replay: true });
    expect(await store.associate(login('h1', '1002'))).toMatchObject({ outcome: 'occupied' });
    expect(await store.associate(login('h2', '1001'))).toMatchObject({ movedFrom: 'h1' });
    const { associations } = await store.snapshot();
    const stay = { reason: 'stay', limitMs: 'never', actor: 'guest' } as const;
    const { generation } = associations[0]!;
    expect(await store.extend({ host: 'h2', generation, ...stay })).toMatchObject({ outcome: 'extended' });
    expect(await store.end(logout({ guest: '1001' }))).toMatchObject({ outcome: 'ended' });
    await store.associate(login('h3', '1003', { limitMs: 1 }));
    await eventually(async () => (await store.claimDue(10)).ended === 1);
    await eventually(() => seen.events.at(-1)?.seq === 7);
    expect(replay(seen.events).at(-1)).toEqual(new Map());
    end.abort();
    await store.stop();
  });

  it('keeps directory, bindings, guess counters, shared entries and recordings', async () => {
    const store = await open();
    const put = new Map([['company', { name: 'x' }]]);
    expect(await store.writeDirectory({ put, remove: [], actor: 'a' })).toMatchObject({ outcome: 'written' });
    expect(await store.writeBindings('cp1', 0, { version: 1, bindings: [binding()] })).toBe(true);
    expect((await store.snapshot()).bindings.get('cp1')?.version).toBe(1);
    const seen = record();
    const end = new AbortController();
    await store.follow(seen, end.signal);
    expect(seen.directory).toEqual(put);
    const guess = { extension: '1001', host: 'h1', source: 's' };
    const replies = await Promise.all(Array.from({ length: 8 }, () => store.reserveGuess(guess)));
    expect(replies.filter(({ outcome }) => outcome === 'reserved')).toHaveLength(5);
    await store.clearGuesses('1001', 'admin:ann');
    await store.putShared('line:1001', 'busy', 60_000);
    await eventually(() => seen.shared.length === 1);
    expect((await sharedIn(store)).get('line:1001')?.value).toBe('busy');
    await store.keepRecording('name:1001', new Uint8Array([0, 255]));
    expect(await store.recording('name:1001')).toEqual(new Uint8Array([0, 255]));
    await store.keepRecording('name:1001', undefined);
    end.abort();
    await store.stop();
  });

  it('works for every company, whichever master has it', async () => {
    const owners = new Set<number>();
    for (let i = 0; i < 8; i++) {
      company = newCompany();
      const store = await open();
      expect(await store.associate(login('h1', '1001'))).toMatchObject({ outcome: 'associated' });
      owners.add((await cluster.ownerOf(`hd:{${company}}:b`)).port);
      await store.stop();
    }
    expect(owners.size).toBeGreaterThan(1);
  });
});

/** Whose phones somebody sits at: the last state, and what came after it. */
function hostsIn({ snapshots, events }: Recorder): Set<string> {
  const { seq, associations } = snapshots.at(-1)!;
  const hosts = new Set(associations.map(({ host }) => host));
  for (const event of events.filter((each) => each.seq > seq)) {
    if (event.kind === 'start') hosts.add(event.association.host);
    if (event.kind === 'end') hosts.delete(event.association.host);
  }
  return hosts;
}

describe('a slot that moves to another master', () => {
  it('is followed there: nothing is lost, done twice or mixed', async () => {
    const store = await open();
    const seen = record();
    const end = new AbortController();
    await store.follow(seen, end.signal);
    const first = login('h1', '1001');
    await store.associate(first);
    await cluster.moveSlotOf(`hd:{${company}}:b`);
    await eventually(async () => (await timed(store.associate(login('h2', '1002')))).error === undefined);
    expect(await store.associate(first)).toMatchObject({ outcome: 'associated', replay: true });
    await eventually(() => seen.snapshots.length > 1 && hostsIn(seen).size === 2);
    expect((await store.snapshot()).seq).toBe(2);
    await store.end(logout({ host: 'h1' }));
    await eventually(() => !hostsIn(seen).has('h1'));
    end.abort();
    await store.stop();
  });
});

describe('what could lose logins', () => {
  it('is refused at start: no replica that confirms, or any master that does not write each login to disk', async () => {
    await expect(open({ acceptWeakDurability: false })).rejects.toThrow(/fail-over would lose/);
    const owner = await cluster.ownerOf(`hd:{${company}}:b`);
    const other = cluster.nodes.find((node) => node !== owner)!;
    await other.ask('CONFIG', 'SET', 'appendfsync', 'everysec');
    const refused = open({ acceptWeakDurability: false, waitForReplicas: 1 });
    const sentence = `^Redis at ${other.address} would lose acknowledged logins: it needs appendfsync always$`;
    await expect(refused).rejects.toThrow(new RegExp(sentence));
    await other.ask('CONFIG', 'SET', 'appendfsync', 'always');
  });

  it('a cluster without passwords in any text, and without a node that answers, is no reason not to start', async () => {
    const connection = { cluster: { addresses: ['127.0.0.1:1'], username: 'u', password: 'hunter2' } };
    const store = await open({ connection, acceptWeakDurability: false, waitForReplicas: 1 });
    expect(store.problems).toEqual([expect.stringContaining('no node of the cluster says')]);
    const { error } = await timed(store.associate(login('h1', '1001')));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(JSON.stringify([String(error), store.problems])).not.toContain('hunter2');
    await store.stop();
  });
});

it('a master with two replicas that is killed loses no acknowledged login', async () => {
  const replicated = await startCluster({ replicas: 2, config: DURABLE });
  try {
    const place = { cluster: { addresses: replicated.addresses } };
    const master = () => replicated.ownerOf(`hd:{${company}}:b`);
    const outcome = await failOver({ place, company, master, settled: replicated.settled }, 'crash');
    expect(outcome).toMatchObject({ lost: [], ghosts: [], forgotten: [], viewIsRight: true });
    expect(outcome.acknowledged.size).toBeGreaterThan(100);
  } finally {
    await replicated.stop();
  }
});
