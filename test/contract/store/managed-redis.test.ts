import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createManagedRedis, type ManagedRedis } from '../../../src/store/managed-redis.ts';
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
    onProblem: (text, error) => problems.push(error ? `${text}: ${error.message}` : text),
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
    await expect(none.start()).rejects.toThrow('apt-get install redis-server');
    // Nothing stays behind: the folder is free.
    await managed.start();
  });

  it('refuses a path that is too long for a socket, in words', async () => {
    await expect(create({ folder: join(folder, 'x'.repeat(100)) }).start()).rejects.toThrow(
      'choose a shorter one',
    );
  });

  it('passes on why Redis does not start', async () => {
    await expect(create({ binary: 'false' }).start()).rejects.toThrow(
      'redis-server did not start: exit code 1',
    );
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
