import { afterEach, describe, expect, it } from 'vitest';
import { createLink, NotSent } from '../../../src/store/redis/connection.ts';
import {
  createClusterLocator,
  createSentinelLocator,
  type Locator,
  parseAddress,
} from '../../../src/store/redis/topology.ts';
import { type FakeRedis, startFakeRedis } from '../../support/fake-redis.ts';
import { eventually, timed } from './setup.ts';

const open: { stop?(): Promise<void>; close?(): void }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) {
    each.close?.();
    await each.stop?.();
  }
});

async function fake(...answer: Parameters<typeof startFakeRedis>): Promise<FakeRedis> {
  const redis = await startFakeRedis(...answer);
  open.push(redis);
  return redis;
}

function kept<T extends { close(): void }>(one: T): T {
  open.push(one);
  return one;
}

/** A server with this role. */
const server = (role = 'master') => fake(([name]) => (name === 'ROLE' ? [role] : 'OK'));

const sentinelOf = ({ port }: FakeRedis, epoch: number) =>
  fake(([name, sub]) => {
    if (name !== 'SENTINEL') return 'OK';
    return sub === 'MASTER' ? ['name', 'x', 'config-epoch', String(epoch)] : ['127.0.0.1', String(port)];
  });

/** A node that believes the slot 5 to belong to `owner`. */
const nodeOf = (owner: { port: number; endpoint?: string | null }, epoch: number) =>
  fake(([name, sub]) => {
    if (name === 'ROLE') return ['master'];
    if (name !== 'CLUSTER') return 'OK';
    if (sub === 'KEYSLOT') return 5;
    const { port, endpoint = '127.0.0.1' } = owner;
    if (sub === 'SLOTS') return [[0, 16383, [endpoint, port, `id${port}`, []]]];
    return `id${port} 127.0.0.1:${port}@1 master - 0 0 ${epoch} connected 0-16383\n`;
  });

const sentinels = (...all: readonly FakeRedis[]) =>
  kept(createSentinelLocator({ name: 'x', addresses: all.map(({ address }) => address) }));
const cluster = (...all: readonly FakeRedis[]) =>
  kept(createClusterLocator({ addresses: all.map(({ address }) => address) }, 'hd:{c}:b'));

describe('the master is found', () => {
  it('by the sentinel with the newest configuration, not by the first', async () => {
    const [before, now] = [await server(), await server()];
    const locator = sentinels(
      await sentinelOf(before, 1),
      await sentinelOf(now, 2),
      await sentinelOf(before, 1),
    );
    expect(await locator.find()).toEqual({ host: '127.0.0.1', port: now.port });
  });

  it('by the node with the highest epoch of the slot, wherever it is asked', async () => {
    const [before, now] = [await nodeOf({ port: 1 }, 3), await server()];
    const locator = cluster(before, await nodeOf(now, 4));
    expect(await locator.find()).toMatchObject({ host: '127.0.0.1', port: now.port });
  });

  it.each([null, '', '?'])(
    'at the host that was asked when the node names no endpoint (%j)',
    async (endpoint) => {
      const owner = await server();
      const locator = cluster(await nodeOf({ port: owner.port, endpoint }, 1));
      expect(await locator.find()).toMatchObject({ host: '127.0.0.1', port: owner.port });
    },
  );

  it('although one does not answer and another is not there, within a moment', async () => {
    const owner = await server();
    const silent = await fake(() => undefined);
    const absent = { ...silent, address: '127.0.0.1:1' };
    const { error, ms } = await timed(sentinels(silent, absent, await sentinelOf(owner, 1)).find());
    expect(error).toBeUndefined();
    expect(ms).toBeLessThan(280);
  });

  it('only when it says itself that it is one', async () => {
    const replica = await server('slave');
    await expect(sentinels(await sentinelOf(replica, 1)).find()).rejects.toThrow('is not the master yet');
    const dumb = await fake(() => undefined);
    await expect(sentinels(await sentinelOf(dumb, 1)).find()).rejects.toThrow('does not answer');
  });

  it('also when it may not be asked for its role', async () => {
    const owner = await fake(([name]) => (name === 'ROLE' ? new Error('NOPERM no') : 'OK'));
    expect(await sentinels(await sentinelOf(owner, 1)).find()).toMatchObject({ port: owner.port });
  });
});

it('passwords go where they belong', async () => {
  const owner = await server();
  const sentinel = await sentinelOf(owner, 1);
  const locator = createSentinelLocator({
    ...{ name: 'x', addresses: [sentinel.address], sentinelPassword: 'one' },
    ...{ username: 'hotdesk', password: 'two' },
  });
  await kept(locator).find();
  const logins = ({ heard }: FakeRedis) => heard.filter(([name]) => name === 'AUTH');
  expect(logins(sentinel)).toEqual([['AUTH', 'one']]);
  expect(logins(owner)).toEqual([['AUTH', 'hotdesk', 'two']]);
});

describe('a link over a locator', () => {
  const linkTo = (locator: Locator) => {
    const clock = { now: Date.now };
    const problems: string[] = [];
    const onProblem = (text: string, error?: Error) => problems.push(`${text}: ${error?.message}`);
    const connection = { locator };
    const link = kept(createLink({ connection, node: 'n', clock, commandTimeoutMs: 250, onProblem }));
    return Object.assign(link, { problems });
  };
  const at = (find: () => FakeRedis): Locator => ({
    find: async () => ({ host: '127.0.0.1', port: find().port }),
    askMasters: async () => [],
    close: () => undefined,
  });

  it('leaves a node that answers when another has taken its place', async () => {
    const [before, now] = [await server(), await server()];
    let master = before;
    const link = linkTo(at(() => master));
    await link.open();
    await link.send('SET', 'a', 1);
    master = now;
    await eventually(() => link.epoch === 2);
    await link.send('SET', 'b', 2);
    const sets = ({ heard }: FakeRedis) => heard.filter(([name]) => name === 'SET');
    expect([sets(before), sets(now)]).toEqual([[['SET', 'a', '1']], [['SET', 'b', '2']]]);
  });

  it.each([
    'MOVED 5 127.0.0.1:1',
    'READONLY You cannot',
    'CLUSTERDOWN The cluster is down',
    'MASTERDOWN Link',
  ])('asks anew who is the master after %s, and says that nothing was done', async (refusal) => {
    let refuses = true;
    const node = await fake(([name]) => (name === 'SET' && refuses ? new Error(refusal) : 'OK'));
    const link = linkTo(at(() => node));
    await link.open();
    await expect(link.send('SET', 'a', 1)).rejects.toThrow(NotSent);
    refuses = false;
    await eventually(() => link.epoch === 2 && link.available);
    expect(await link.send('SET', 'a', 1)).toBe('OK');
  });

  it.each(['ASK 5 127.0.0.1:1', 'TRYAGAIN Multiple keys'])(
    'stays after %s: a slot is on its way',
    async (refusal) => {
      const node = await fake(([name]) => (name === 'SET' ? new Error(refusal) : 'OK'));
      const link = linkTo(at(() => node));
      await link.open();
      await expect(link.send('SET', 'a', 1)).rejects.toThrow(NotSent);
      expect([link.epoch, link.available]).toEqual([1, true]);
    },
  );

  it('tries until a master is named, and tells once', async () => {
    const node = await server();
    let known = false;
    const locator = sentinels(
      await fake(([name, sub]) => {
        if (name !== 'SENTINEL') return 'OK';
        if (!known) return null;
        return sub === 'MASTER' ? ['config-epoch', '1'] : ['127.0.0.1', String(node.port)];
      }),
    );
    const link = linkTo(locator);
    await link.open();
    expect(link.available).toBe(false);
    await expect(link.send('SET', 'a', 1)).rejects.toThrow(NotSent);
    known = true;
    await eventually(() => link.available);
    expect(link.problems).toEqual(['Redis does not answer: no sentinel knows a master of the name x']);
  });

  it('ends at once when told to, also while it looks for a master', async () => {
    const silent = await fake(() => undefined);
    const link = linkTo(sentinels(silent));
    const opening = link.open();
    link.close();
    expect((await timed(opening)).ms).toBeLessThan(2000);
    expect(link.available).toBe(false);
  });
});

it.each([
  ['10.0.0.1:6379', { host: '10.0.0.1', port: 6379 }],
  ['redis-1.example:1', { host: 'redis-1.example', port: 1 }],
  ['[2001:db8::1]:6379', { host: '2001:db8::1', port: 6379 }],
  ['2001:db8::1:6379', undefined],
  ['redis', undefined],
  ['redis:0', undefined],
  ['redis:65536', undefined],
  [':6379', undefined],
  ['user:secret@redis:6379', undefined],
])('the address %s', (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});
