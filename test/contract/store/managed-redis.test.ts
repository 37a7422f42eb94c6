import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { appendFile, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ping } from '../../../src/store/managed/ping.ts';
import { createManagedRedis, type ManagedRedis, RedisUnusable } from '../../../src/store/managed-redis.ts';
import { eventually, login, newCompany, openStore, timed } from './setup.ts';

let folder: string;
let problems: string[];
let managed: ManagedRedis;
const strays: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hd-managed-'));
  problems = [];
  managed = create();
});
afterEach(async () => {
  for (const child of strays.splice(0)) child.kill('SIGKILL');
  await managed.stop();
  await rm(folder, { recursive: true, force: true });
});

function create(more: Partial<Parameters<typeof createManagedRedis>[0]> = {}): ManagedRedis {
  return createManagedRedis({
    folder,
    onProblem: (text) => problems.push(text),
    ...more,
  });
}

/** Not counting a zombie, which only waits for its parent to ask how it ended. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function ask(path: string, ...command: [string, ...string[]]): Promise<unknown> {
  const redis = new Redis(path, { retryStrategy: null });
  try {
    return await redis.call(...command);
  } finally {
    redis.disconnect();
  }
}

/** What a power cut may leave at the end of the append-only file. */
async function damage(where: string): Promise<void> {
  await appendFile(join(where, 'appendonlydir', 'appendonly.aof.1.incr.aof'), Buffer.alloc(4096));
}

/** Another process that owns the folder; resolves when its Redis runs. */
async function startElsewhere(): Promise<{ child: ChildProcess; redisPid: number }> {
  const module = new URL('../../../src/store/managed-redis.ts', import.meta.url).href;
  const code = `const { createManagedRedis } = await import(${JSON.stringify(module)});
    const managed = createManagedRedis({ folder: ${JSON.stringify(folder)} });
    await managed.start();
    process.stdout.write(String(managed.pid));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  strays.push(child);
  const [pid] = await once(child.stdout!, 'data');
  return { child, redisPid: Number(pid) };
}

describe('start', () => {
  it('is ready in a folder nobody else may enter, durable, with the dangerous commands gone', async () => {
    const { path } = await managed.start();
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(path)).mode & 0o077).toBe(0);
    const wanted = ['port', 'appendonly', 'appendfsync', 'maxmemory-policy', 'save'];
    const config = (await ask(path, 'CONFIG', 'GET', ...wanted)) as string[];
    expect(Object.fromEntries(wanted.map((name) => [name, config[config.indexOf(name) + 1]]))).toEqual({
      port: '0',
      appendonly: 'yes',
      appendfsync: 'always',
      'maxmemory-policy': 'noeviction',
      save: '',
    });
    for (const name of ['FLUSHALL', 'FLUSHDB', 'DEBUG']) {
      await expect(ask(path, name, 'x')).rejects.toThrow(/unknown command/);
    }
    expect(alive(managed.pid!)).toBe(true);
  });

  it('keeps a folder with blanks and quotes in its name', async () => {
    const odd = create({ folder: join(folder, `a "b" 'c' é`) });
    const { path } = await odd.start();
    expect(await ask(path, 'PING')).toBe('PONG');
    await odd.stop();
  });

  it('names the command that installs a missing Redis', async () => {
    const none = create({ binary: 'redis-server-that-is-not-here' });
    const error = await none.start().catch((reason) => reason);
    expect(error).toBeInstanceOf(RedisUnusable);
    expect(error.message).toContain('apt-get install redis-server');
    // Nothing stays behind: the folder is free.
    await managed.start();
  });

  it('refuses a path that is too long for a socket, in words', async () => {
    const error = await create({ folder: join(folder, 'x'.repeat(100)) })
      .start()
      .catch((reason) => reason);
    expect(error.message).toContain('choose a shorter one');
    expect(error).not.toBeInstanceOf(RedisUnusable);
  });

  it('passes on why Redis does not start', async () => {
    const error = await create({ binary: 'false' })
      .start()
      .catch((reason) => reason);
    expect(error).toBeInstanceOf(RedisUnusable);
    expect(error.message).toBe(`redis-server does not start in ${folder}: exit code 1`);
  });

  it('names the command that mends a damaged file, and starts with the rest when it was run', async () => {
    const odd = create({ folder: join(folder, "a b'c") });
    const { path } = await odd.start();
    await ask(path, 'SET', 'k', 'v');
    await odd.stop();
    await damage(join(folder, "a b'c"));
    const error = await odd.start().catch((reason) => reason);
    expect(error).toBeInstanceOf(RedisUnusable);
    expect(error.message).toContain(`does not start in ${join(folder, "a b'c")}: Bad file format`);
    const [command = 'false'] = /redis-check-aof --fix .*/.exec(error.message) ?? [];
    expect(command).toContain(folder);
    await promisify(execFile)('sh', ['-c', `echo y | ${command}`], { cwd: '/' });
    await odd.start();
    expect(await ask(path, 'GET', 'k')).toBe('v');
    await odd.stop();
  });

  it('passes on what is wrong with a snapshot, not how it was looked at', async () => {
    await managed.start();
    await managed.stop();
    const snapshot = await open(join(folder, 'appendonlydir', 'appendonly.aof.1.base.rdb'), 'r+');
    await snapshot.write('XXXX', 20);
    await snapshot.close();
    await expect(managed.start()).rejects.toThrow(/: Short read.*\. Internal error in RDB reading/);
  });

  it('tells a folder that cannot be used from one that is in use', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const error = await create({ folder: join(file, 'redis') })
      .start()
      .catch((reason) => reason);
    expect(error).toBeInstanceOf(RedisUnusable);
    expect(error.message).toContain(join(file, 'redis'));
    await managed.start();
    expect(
      await create()
        .start()
        .catch((reason) => reason),
    ).not.toBeInstanceOf(RedisUnusable);
  });

  it('refuses a folder that another Hotdesk uses, and leaves it alone', async () => {
    const { path } = await managed.start();
    await expect(create().start()).rejects.toThrow('Another Hotdesk already uses this data folder');
    await expect(managed.start()).rejects.toThrow('started already');
    expect(await ask(path, 'PING')).toBe('PONG');
    await managed.stop();
    const { child, redisPid } = await startElsewhere();
    await expect(managed.start()).rejects.toThrow('Another Hotdesk already uses this data folder');
    expect(alive(redisPid)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await managed.start();
  });

  it('lets one of several that start at the same moment win', async () => {
    const all = Array.from({ length: 4 }, () => create());
    const starts = await Promise.allSettled(all.map((each) => each.start()));
    expect(starts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await Promise.all(all.map((each) => each.stop()));
  });
});

describe('stop', () => {
  it('ends Redis, frees the folder, and keeps the data for the next start', async () => {
    const { path } = await managed.start();
    await ask(path, 'SET', 'k', 'v');
    const pid = managed.pid!;
    await managed.stop();
    expect(alive(pid)).toBe(false);
    expect(managed.pid).toBeUndefined();
    await managed.stop();
    await managed.start();
    expect(await ask(path, 'GET', 'k')).toBe('v');
  });

  it('kills one that does not end within 3 s', async () => {
    await managed.start();
    const pid = managed.pid!;
    process.kill(pid, 'SIGSTOP');
    const { ms } = await timed(managed.stop());
    expect(ms).toBeGreaterThan(2500);
    expect(ms).toBeLessThan(4500);
    expect(alive(pid)).toBe(false);
  });

  it('while Redis is being started again leaves none behind', async () => {
    await managed.start();
    for (const wait of [0, 105, 130]) {
      const pid = managed.pid;
      if (pid === undefined) break;
      process.kill(pid, 'SIGKILL');
      await delay(wait);
      await managed.stop();
      expect(managed.pid).toBeUndefined();
      await managed.start();
    }
  });
});

describe('restarts', () => {
  it('do not take longer and longer', async () => {
    const { path } = await managed.start();
    for (let kills = 0; kills < 11; kills++) await killed(path);
    expect(await killed(path)).toBeLessThan(1000);
  });

  it('go on, not too fast, with the reason told once, until Redis can run again', async () => {
    const [binary, full, runs] = [join(folder, 'redis'), join(folder, 'full'), join(folder, 'runs')];
    const say = (text: string) => `echo "7:M 01 Jan 2026 10:00:00.000 # ${text}"`;
    await writeFile(
      binary,
      `#!/bin/sh
      echo run >> '${runs}'
      [ -e '${full}' ] || exec redis-server "$@"
      ${say('Error writing to the AOF file: No space left on device')}
      ${say("Can't recover from AOF write error. Exiting...")}
      exit 1`,
      { mode: 0o700 },
    );
    managed = create({ binary });
    const { path } = await managed.start();
    await writeFile(full, '');
    process.kill(managed.pid!, 'SIGKILL');
    await delay(2000);
    const tries = (await readFile(runs, 'utf8')).split('\n').length - 2;
    expect(tries).toBeGreaterThan(2);
    expect(tries).toBeLessThan(8);
    const reason = "No space left on device. Can't recover from AOF write error. Exiting";
    expect(problems.slice(1)).toEqual([
      expect.stringMatching(new RegExp(`again and again: .*${folder}: .*${reason}$`)),
    ]);
    await rm(full);
    await eventually(async () => (await ping(path)) === 'up');
  });

  it('are told with the last words of the Redis that ended', async () => {
    const binary = join(folder, 'redis');
    await writeFile(
      binary,
      `#!/bin/sh
      exec 3<&0
      redis-server "$@" <&3 &
      trap 'kill $!; exit 0' TERM
      while [ ! -e '${folder}/full' ]; do sleep 0.05; done
      kill $!; wait
      echo "7:M 01 Jan 2026 10:00:00.000 # Error writing to the AOF file: No space left on device"
      rm '${folder}/full'
      exit 1`,
      { mode: 0o700 },
    );
    managed = create({ binary });
    await managed.start();
    await writeFile(join(folder, 'full'), '');
    await eventually(() => problems.length > 0);
    expect(problems[0]).toMatch(/ended \(exit code 1: .*No space left on device\) and is started again/);
  });
});

/** Kills Redis and resolves with how long it was away, ms. */
async function killed(path: string): Promise<number> {
  const pid = managed.pid!;
  process.kill(pid, 'SIGKILL');
  const { ms } = await timed(
    eventually(async () => {
      if (managed.pid === undefined || managed.pid === pid) return false;
      return (await ping(path)) === 'up';
    }),
  );
  return ms;
}

describe('kill -9', () => {
  it('three times during logins loses none that was acknowledged', async () => {
    const { path } = await managed.start();
    const company = newCompany();
    const store = await openStore(path, { company, commandTimeoutMs: 250 });
    const acknowledged: string[] = [];
    let going = true;
    const writers = Array.from({ length: 4 }, async (_, w) => {
      for (let i = 0; going; i++) {
        const host = `h${w}-${i}`;
        const reply = await store
          .associate(login(host, `g${w}-${i}`, { limitMs: 'never' }))
          .catch(() => undefined);
        if (reply?.outcome === 'associated') acknowledged.push(host);
        else await delay(5);
      }
    });
    for (let kills = 0; kills < 3; kills++) {
      const before = acknowledged.length;
      await eventually(() => acknowledged.length > before + 100);
      process.kill(managed.pid!, 'SIGKILL');
      await eventually(() => !store.available);
    }
    await eventually(() => store.available);
    going = false;
    await Promise.all(writers);
    const { associations } = await store.snapshot();
    const kept = new Set(associations.map(({ host }) => host));
    expect(acknowledged.length).toBeGreaterThan(300);
    expect(acknowledged.filter((host) => !kept.has(host))).toEqual([]);
    expect(problems).toHaveLength(3);
    await store.stop();
  });

  it('of Hotdesk leaves a Redis that the next start ends, with nothing lost', async () => {
    const { child, redisPid } = await startElsewhere();
    await ask(join(folder, 'redis.sock'), 'SET', 'k', 'v');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(alive(redisPid)).toBe(true);
    const { path } = await managed.start();
    expect(alive(redisPid)).toBe(false);
    expect(managed.pid).not.toBe(redisPid);
    expect(await ask(path, 'GET', 'k')).toBe('v');
    expect(problems).toEqual(['A redis-server left over by an earlier run was ended']);
  });

  it('of Hotdesk with a frozen Redis does not block the next start either', async () => {
    const { child, redisPid } = await startElsewhere();
    process.kill(redisPid, 'SIGSTOP');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await managed.start();
    expect(alive(redisPid)).toBe(false);
  });

  it('of both leaves files that do not block the next start', async () => {
    const { child, redisPid } = await startElsewhere();
    child.kill('SIGKILL');
    process.kill(redisPid, 'SIGKILL');
    await once(child, 'exit');
    const { ms, error } = await timed(managed.start());
    expect(error).toBeUndefined();
    expect(ms).toBeLessThan(2000);
  });
});
