import { execFile } from 'node:child_process';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { StoreUnavailable } from '../../../src/store/store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { binding, eventually, login, logout, newCompany, openStore, timed } from './setup.ts';

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of started.splice(0).toReversed()) await each.stop();
});

async function redisWith(config: readonly string[] = []): Promise<TestRedis> {
  const redis = await startRedis(config);
  started.push(redis);
  return redis;
}

/** A store with the time-out of production. */
async function storeOn(
  path: string,
  options: Parameters<typeof openStore>[1] = {},
): ReturnType<typeof openStore> {
  const store = await openStore(path, { commandTimeoutMs: 250, ...options });
  started.push(store);
  return store;
}

const guess = { extension: '1001', host: 'h1', source: 's' };

/** Every method that talks to Redis. */
const calls: Record<string, (store: Store) => Promise<unknown>> = {
  associate: (store) => store.associate(login('h1', '1001')),
  end: (store) => store.end(logout({ host: 'h1' })),
  claimDue: (store) => store.claimDue(10),
  snapshot: (store) => store.snapshot(),
  reserveGuess: (store) => store.reserveGuess(guess),
  confirmGuess: (store) => store.confirmGuess(guess),
  clearGuesses: (store) => store.clearGuesses('1001', 'admin:ann'),
  writeDirectory: (store) =>
    store.writeDirectory({ put: new Map([['company', {}]]), remove: [], actor: 'secret-583914' }),
  writeBindings: (store) => store.writeBindings('cp1', 0, { version: 1, bindings: [binding()] }),
};

/** Keeps the event loop from everything else, ms. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('a Redis that does not answer', () => {
  it.each(Object.keys(calls))(
    '%s is refused within 300 ms when Redis is frozen, and works again after',
    async (name) => {
      const redis = await redisWith();
      const store = await storeOn(redis.path);
      redis.freeze();
      const { error, ms } = await timed(calls[name]!(store));
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(ms).toBeLessThan(300);
      redis.thaw();
      await eventually(async () => (await timed(calls[name]!(store))).error === undefined);
    },
  );

  it('is refused at once when Redis is dead, without a word of the command', async () => {
    const redis = await redisWith();
    const store = await storeOn(redis.path);
    await redis.kill9();
    await eventually(() => !store.available);
    for (const call of Object.values(calls)) {
      const { error, ms } = await timed(call(store));
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(ms).toBeLessThan(20);
      expect(JSON.stringify([error, (error as Error).message, (error as Error).cause])).not.toContain(
        '583914',
      );
    }
    await redis.restart();
    await eventually(() => store.available);
  });

  it('costs its 250 ms three times and then nothing, until one call in a while finds it well', async () => {
    const redis = await redisWith();
    const store = await storeOn(redis.path);
    redis.freeze();
    const times: number[] = [];
    for (let i = 0; i < 10; i++) times.push((await timed(store.claimDue(1))).ms);
    expect(times.filter((ms) => ms > 200)).toHaveLength(3);
    expect(times.slice(3).every((ms) => ms < 20)).toBe(true);
    expect(store.available).toBe(false);
    redis.thaw();
    await eventually(() => store.available);
    expect((await timed(store.claimDue(1))).error).toBeUndefined();
  });

  it('is not blamed for the time this process was busy with other work', async () => {
    const redis = await redisWith();
    const store = await storeOn(redis.path);
    await store.claimDue(1);
    const reply = timed(store.claimDue(1));
    stall(400);
    expect((await reply).error).toBeUndefined();
  });

  it('does not carry out after a freeze what was refused during it', async () => {
    const redis = await redisWith();
    const store = await storeOn(redis.path);
    await store.claimDue(1);
    redis.freeze();
    const { error } = await timed(store.associate(login('h1', '1001')));
    expect(error).toBeInstanceOf(StoreUnavailable);
    await delay(100);
    redis.thaw();
    await eventually(async () => (await timed(store.claimDue(1))).error === undefined);
    await delay(50);
    expect((await store.snapshot()).seq).toBe(0);
  });

  it('is no reason not to start: the store connects when it can', async () => {
    const redis = await redisWith();
    await redis.kill9();
    const store = await storeOn(redis.path);
    expect(store.available).toBe(false);
    expect(store.problems.length).toBe(1);
    await redis.restart();
    await eventually(() => store.available);
    await eventually(async () => (await timed(store.associate(login('h1', '1001')))).error === undefined);
  });
});

interface Wire {
  readonly path: string;
  hold(what: 'nothing' | 'replies' | 'all'): void;
}

/** Redis behind a wire that can hold back what is said. */
async function heldWire(redis: TestRedis): Promise<Wire> {
  const pairs = new Set<{ client: Socket; behind: Socket }>();
  const path = join(redis.folder, 'wire.sock');
  const server = createServer((client) => {
    const behind = createConnection(redis.path);
    pairs.add({ client, behind });
    client.pipe(behind).pipe(client);
    for (const end of [client, behind]) {
      end.on('error', () => undefined);
      end.on('close', () => [client, behind].map((each) => each.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  started.push({ stop: async () => void server.close() });
  return {
    path,
    hold(what) {
      for (const { client, behind } of pairs) {
        what === 'nothing' ? behind.resume() : behind.pause();
        what === 'all' ? client.pause() : client.resume();
      }
    },
  };
}

describe('a login that Redis carried out but could not confirm', () => {
  it('is undone as soon as Redis answers', async () => {
    const redis = await redisWith();
    const wire = await heldWire(redis);
    const company = newCompany();
    const watcher = await storeOn(redis.path, { company });
    const store = await storeOn(wire.path, { company });
    wire.hold('replies');
    await expect(store.associate(login('h1', '1001'))).rejects.toThrow(StoreUnavailable);
    expect((await watcher.snapshot()).seq).toBeGreaterThan(0);
    wire.hold('nothing');
    await eventually(async () => (await watcher.snapshot()).associations.length === 0);
    expect((await watcher.snapshot()).seq).toBe(2);
  });

  it('is not undone when the person has been told since that they are here', async () => {
    const redis = await redisWith();
    const wire = await heldWire(redis);
    const company = newCompany();
    const watcher = await storeOn(redis.path, { company });
    const store = await storeOn(wire.path, { company });
    wire.hold('replies');
    const refused = timed(store.associate(login('h1', '1001')));
    await eventually(async () => (await watcher.snapshot()).seq === 1);
    wire.hold('all');
    expect((await refused).error).toBeInstanceOf(StoreUnavailable);
    expect(await watcher.associate(login('h1', '1001'))).toMatchObject({ outcome: 'alreadyHere' });
    wire.hold('nothing');
    await eventually(async () => (await timed(store.snapshot())).error === undefined);
    await delay(1500);
    expect((await watcher.snapshot()).associations).toMatchObject([
      { host: 'h1', guest: '1001', generation: 1 },
    ]);
    expect(await watcher.end(logout({ host: 'h1' }))).toMatchObject({ outcome: 'ended' });
  });

  it('is not undone when somebody repeats it', async () => {
    const redis = await redisWith();
    const wire = await heldWire(redis);
    const company = newCompany();
    const watcher = await storeOn(redis.path, { company });
    const store = await storeOn(wire.path, { company });
    const command = login('h1', '1001');
    wire.hold('replies');
    const refused = timed(store.associate(command));
    await eventually(async () => (await watcher.snapshot()).seq === 1);
    wire.hold('all');
    expect((await refused).error).toBeInstanceOf(StoreUnavailable);
    // The first attempt to undo it has timed out, and another one is due.
    await delay(300);
    wire.hold('nothing');
    await eventually(async () => (await timed(store.associate(command))).error === undefined);
    await delay(1500);
    expect((await watcher.snapshot()).associations).toHaveLength(1);
  });
});

describe('undoing a login that could not be confirmed', () => {
  /** The store behind a wire has sent the command, and Redis has carried it out; nothing gets through any more. */
  async function unconfirmed(company: string, before: (store: Store) => Promise<unknown>) {
    const redis = await redisWith();
    const wire = await heldWire(redis);
    const watcher = await storeOn(redis.path, { company });
    const store = await storeOn(wire.path, { company });
    await before(store);
    const { seq } = await watcher.snapshot();
    wire.hold('replies');
    const refused = timed(store.associate(login('h1', '1001')));
    return { wire, watcher, refused, seq };
  }

  it('leaves alone who has sat down there since', async () => {
    const { wire, watcher, refused } = await unconfirmed(newCompany(), async () => undefined);
    await eventually(async () => (await watcher.snapshot()).seq === 1);
    wire.hold('all');
    expect((await refused).error).toBeInstanceOf(StoreUnavailable);
    await watcher.end(logout({ host: 'h1' }));
    await watcher.associate(login('h1', '1002'));
    wire.hold('nothing');
    await delay(1000);
    expect((await watcher.snapshot()).associations).toMatchObject([{ guest: '1002' }]);
  });

  it('leaves alone what another login had done before', async () => {
    const { wire, watcher, refused } = await unconfirmed(newCompany(), (store) =>
      store.associate(login('h1', '1001')),
    );
    expect((await refused).error).toBeInstanceOf(StoreUnavailable);
    wire.hold('nothing');
    await delay(1000);
    expect((await watcher.snapshot()).associations).toMatchObject([{ guest: '1001', generation: 1 }]);
  });
});

describe('a Redis that could lose logins', () => {
  const weak = ['appendfsync everysec', 'maxmemory-policy allkeys-lru'];

  it('is refused at start, with what it needs', async () => {
    const redis = await redisWith(weak);
    await expect(openStore(redis.path)).rejects.toThrow(/appendfsync always, maxmemory-policy noeviction/);
  });

  it('is used when the operator accepts it, and said so', async () => {
    const redis = await redisWith(weak);
    const store = await storeOn(redis.path, { acceptWeakDurability: true });
    expect(store.problems).toHaveLength(1);
    expect(await store.associate(login('h1', '1001'))).toMatchObject({ outcome: 'associated' });
  });

  it('that came instead of the good one gets no login, and still ends them', async () => {
    const redis = await redisWith();
    const store = await storeOn(redis.path);
    await store.associate(login('h1', '1001'));
    const raw = new Redis(redis.path);
    await raw.config('SET', 'appendfsync', 'everysec');
    await raw.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    raw.disconnect();
    await eventually(() => !store.available);
    await eventually(() => store.available);
    await expect(store.associate(login('h2', '1002'))).rejects.toThrow(StoreUnavailable);
    expect(await store.end(logout({ host: 'h1' }))).toMatchObject({ outcome: 'ended' });
  });

  it('that is weakened while it runs is noticed within seconds, and forgiven when it is mended', async () => {
    const redis = await redisWith();
    let now = 1_000_000;
    const store = await storeOn(redis.path, { clock: { now: () => now } });
    await store.associate(login('h1', '1001'));
    const raw = new Redis(redis.path);
    await raw.config('SET', 'appendfsync', 'everysec');
    now += 5_000;
    await expect(store.associate(login('h2', '1002'))).rejects.toThrow('it needs appendfsync always');
    expect(store.weakness).toContain('appendfsync always');
    expect(store.problems.join()).toContain('appendfsync always');
    await raw.config('SET', 'appendfsync', 'always');
    raw.disconnect();
    now += 5_000;
    expect(await store.associate(login('h2', '1002'))).toMatchObject({ outcome: 'associated' });
    expect(store.weakness).toBeUndefined();
  });

  it('that hides its configuration is used, loudly', async () => {
    const redis = await redisWith(['rename-command CONFIG ""']);
    const store = await storeOn(redis.path);
    expect(store.problems.join()).toContain('does not let us see its configuration');
    expect(await store.associate(login('h1', '1001'))).toMatchObject({ outcome: 'associated' });
  });
});

async function withReplica(): Promise<{ master: TestRedis; replica: TestRedis }> {
  const port = 20_000 + (process.pid % 20_000);
  const master = await redisWith([`port ${port}`, 'bind 127.0.0.1', 'repl-diskless-sync-delay 0']);
  const replica = await redisWith([`replicaof 127.0.0.1 ${port}`]);
  const raw = new Redis(master.path);
  // Online is not enough: it must have read what it got.
  await eventually(async () => (await raw.set('x', '1')) === 'OK' && (await raw.wait(1, 1000)) === 1);
  raw.disconnect();
  return { master, replica };
}

describe('replicas', () => {
  it('two who could not be told of the same login leave nobody there', async () => {
    const { master, replica } = await withReplica();
    const company = newCompany();
    const [a, b] = await Promise.all([
      storeOn(master.path, { company, waitForReplicas: 1 }),
      storeOn(master.path, { company, waitForReplicas: 1, node: 'n2' }),
    ]);
    replica.freeze();
    const first = timed(a.associate(login('h1', '1001')));
    await eventually(async () => (await a.snapshot()).associations.length === 1);
    const second = timed(b.associate(login('h1', '1001')));
    expect((await first).error).toBeInstanceOf(StoreUnavailable);
    expect((await second).error).toBeInstanceOf(StoreUnavailable);
    await eventually(async () => (await a.snapshot()).associations.length === 0);
    replica.thaw();
  });

  it('a login that is refused for want of replicas ends nobody else’s', async () => {
    const { master, replica } = await withReplica();
    const company = newCompany();
    const store = await storeOn(master.path, { company, waitForReplicas: 1 });
    await store.associate(login('h2', 'g2'));
    await store.associate(login('h3', 'g3'));
    await replica.kill9();
    const raw = new Redis(master.path);
    await eventually(async () => !(await raw.info('replication')).includes('state=online'));
    raw.disconnect();
    const { seq } = await store.snapshot();
    await expect(store.associate(login('h2', 'g9', { occupied: 'takeover' }))).rejects.toThrow(
      'Too few replicas',
    );
    await expect(store.associate(login('h4', 'g3'))).rejects.toThrow('Too few replicas');
    expect((await store.snapshot()).seq, 'nothing was done').toBe(seq);
  });

  it('a login that one confirmed is acknowledged; without it, it is refused and taken back', async () => {
    const { master, replica } = await withReplica();
    const company = newCompany();
    const store = await storeOn(master.path, { company, waitForReplicas: 1 });
    expect(await store.associate(login('h1', '1001'))).toMatchObject({ outcome: 'associated' });
    replica.freeze();
    const command = login('h2', '1002');
    const { error, ms } = await timed(store.associate(command));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(ms).toBeLessThan(300);
    const others = await storeOn(master.path, { company });
    await eventually(async () => (await others.snapshot()).associations.length === 1);
    replica.thaw();
    // The repeat of what was taken back is done anew, not answered from memory.
    await eventually(async () => (await timed(store.associate(command))).error === undefined);
    expect((await others.snapshot()).associations.map(({ host }) => host).toSorted()).toEqual(['h1', 'h2']);
  });
});

it('too few replicas are no reason not to start, and are told of', async () => {
  const redis = await redisWith();
  const store = await storeOn(redis.path, { waitForReplicas: 1 });
  expect(store.problems).toEqual([expect.stringContaining('Redis has 0 of the 1 replicas')]);
});

describe('what a replica has not got yet', () => {
  /** Somebody else's careless login is on the master only; the careful store has written nothing yet. */
  async function half() {
    const { master, replica } = await withReplica();
    const company = newCompany();
    const careless = await storeOn(master.path, { company });
    const careful = await storeOn(master.path, { company, waitForReplicas: 1 });
    const command = login('h1', '1001');
    replica.freeze();
    expect(await careless.associate(command)).toMatchObject({ outcome: 'associated' });
    return { careful, command };
  }

  it('is not acknowledged to who repeats it over a connection that never wrote it', async () => {
    const { careful, command } = await half();
    await expect(careful.associate(command)).rejects.toThrow(StoreUnavailable);
  });

  it('is not acknowledged to a guest who stays', async () => {
    const { careful } = await half();
    const stay = { host: 'h1', generation: 1, reason: 'stay', limitMs: 'never', actor: 'guest' } as const;
    await expect(careful.extend(stay)).rejects.toThrow(StoreUnavailable);
  });
});

it('the path of the socket may be a URL of a TCP Redis', async () => {
  const port = 20_001 + (process.pid % 20_000);
  await redisWith([`port ${port}`, 'bind 127.0.0.1']);
  const store = await storeOn('', { connection: { url: `redis://127.0.0.1:${port}/3` } });
  expect(await store.associate(login('h1', '1001'))).toMatchObject({ outcome: 'associated' });
  const run = promisify(execFile);
  const { stdout } = await run('redis-cli', ['-p', String(port), '-n', '3', 'DBSIZE']);
  expect(Number(stdout)).toBeGreaterThan(0);
});
