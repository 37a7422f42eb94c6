import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { login, logout, newCompany, openStore, record } from './setup.ts';

let redis: TestRedis;
let raw: Redis;
beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(redis.path);
});
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});

async function withStore(test: (store: Store, company: string) => Promise<void>): Promise<void> {
  const company = newCompany();
  const store = await openStore(redis.path, { company });
  try {
    await test(store, company);
  } finally {
    await store.stop();
  }
}

/** The change log from its first entry, as a follower of an empty company gets it. */
async function eventsOf(company: string) {
  const entries = await raw.xrange(`hd:{${company}}:ev`, '-', '+');
  return entries.map(([, fields]) =>
    Object.fromEntries(fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1]]] : []))),
  );
}

describe('associate', () => {
  it('starts an association by the store clock, with its log position as generation', () =>
    withStore(async (store, company) => {
      const reply = await store.associate(login('h1', '1001', { limitMs: 5000 }));
      expect(reply).toMatchObject({ outcome: 'associated', movedFrom: undefined, replay: false });
      if (reply.outcome !== 'associated') return;
      const { startedAt, expiresAt, generation } = reply.association;
      expect(Math.abs(startedAt - Date.now())).toBeLessThan(1000);
      expect(expiresAt).toBe(startedAt + 5000);
      expect(generation).toBe(1);
      expect((await store.snapshot()).associations).toEqual([reply.association]);
      expect(await eventsOf(company)).toMatchObject([
        { seq: '1', kind: 'start', reason: 'logIn', actor: 'guest' },
      ]);
    }));

  it('never ends one without a limit', () =>
    withStore(async (store) => {
      const reply = await store.associate(login('h1', '1001', { limitMs: 'never' }));
      expect(reply).toMatchObject({ association: { expiresAt: 'never' } });
      expect(await store.claimDue(10)).toMatchObject({ ended: 0, nextDeadline: undefined });
    }));

  it('B5b: refuses a host that somebody else holds and changes nothing', () =>
    withStore(async (store, company) => {
      await store.associate(login('h1', '1001'));
      const reply = await store.associate(login('h1', '1002'));
      expect(reply).toMatchObject({ outcome: 'occupied', by: { host: 'h1', guest: '1001' } });
      expect(await eventsOf(company)).toHaveLength(1);
    }));

  it('B5b: takes a host over when told to', () =>
    withStore(async (store, company) => {
      await store.associate(login('h1', '1001'));
      const reply = await store.associate(login('h1', '1002', { occupied: 'takeover' }));
      expect(reply).toMatchObject({ outcome: 'associated', association: { guest: '1002', generation: 3 } });
      expect(await eventsOf(company)).toMatchObject([
        { kind: 'start', guest: '1001' },
        { kind: 'end', guest: '1001', reason: 'takenOver' },
        { kind: 'start', guest: '1002', reason: 'logIn' },
      ]);
    }));

  it('B5c: moves a guest from the first host, as one adjacent pair in the log', () =>
    withStore(async (store, company) => {
      await store.associate(login('h1', '1001'));
      await store.associate(login('h2', '1002'));
      const reply = await store.associate(login('h2', '1001', { occupied: 'takeover' }));
      expect(reply).toMatchObject({ outcome: 'associated', movedFrom: 'h1', association: { host: 'h2' } });
      expect((await eventsOf(company)).slice(2)).toMatchObject([
        { kind: 'end', host: 'h2', guest: '1002', reason: 'takenOver' },
        { kind: 'end', host: 'h1', guest: '1001', reason: 'moved' },
        { kind: 'start', host: 'h2', guest: '1001', reason: 'move', prev: 'h1' },
      ]);
      expect((await store.snapshot()).associations).toHaveLength(1);
    }));

  it('B5c: keeps a guest at the first host by policy, and throws nobody out of the second', () =>
    withStore(async (store) => {
      await store.associate(login('h1', '1001'));
      await store.associate(login('h2', '1002'));
      const reply = await store.associate(login('h2', '1001', { occupied: 'takeover', secondDesk: 'deny' }));
      expect(reply).toMatchObject({ outcome: 'elsewhere', at: { host: 'h1' } });
      expect((await store.snapshot()).associations).toHaveLength(2);
    }));

  it('says so when the guest is here already, and renews nothing', () =>
    withStore(async (store, company) => {
      const first = await store.associate(login('h1', '1001'));
      const again = await store.associate(login('h1', '1001', { limitMs: 'never', occupied: 'takeover' }));
      expect(again.outcome).toBe('alreadyHere');
      expect(again).toMatchObject({ association: (first as { association: object }).association });
      expect(await eventsOf(company)).toHaveLength(1);
    }));

  it('gives the stored reply to a repeat of the operation', () =>
    withStore(async (store, company) => {
      const command = login('h1', '1001');
      const first = await store.associate(command);
      await store.end(logout({ host: 'h1' }));
      expect(await store.associate(command)).toEqual({ ...first, replay: true });
      const refused = login('h2', '1003');
      await store.associate(login('h2', '1002'));
      expect(await store.associate(refused)).toMatchObject({ outcome: 'occupied' });
      await store.end(logout({ host: 'h2' }));
      expect(await store.associate(refused)).toMatchObject({ outcome: 'occupied' });
      expect(await raw.pttl(`hd:{${company}}:op:${command.opId}`)).toBeGreaterThan(590_000);
    }));

  it('takes hostile ids as they are and touches no other key', () =>
    withStore(async (store, company) => {
      const hostile = [
        'a}b',
        '{x}',
        "');redis.call('FLUSHALL')--",
        '\r\n*1\r\n$4\r\nPING',
        '\0',
        '"',
        '💺',
        '__proto__',
      ];
      for (const [i, host] of hostile.entries()) {
        const guest = `g${i}${host}`;
        const reply = await store.associate(login(host, guest, { site: host, actor: host }));
        expect(reply).toMatchObject({ outcome: 'associated', association: { host, guest, site: host } });
      }
      expect(new Set((await store.snapshot()).associations.map((a) => a.host))).toEqual(new Set(hostile));
      const keys = (await raw.keys(`*${company}*`)).filter((key) => !key.includes(':op:'));
      expect(keys.toSorted()).toEqual(
        ['b', 'dl', 'ev', 'g', 'hx', 'seq', 'site'].map((name) => `hd:{${company}}:${name}`),
      );
    }));

  it('has no use for empty ids or an operation id that is none', () =>
    withStore(async (store) => {
      await expect(store.associate(login('', '1001'))).rejects.toThrow(TypeError);
      await expect(store.associate(login('h1', ''))).rejects.toThrow(TypeError);
      await expect(store.associate(login('h1', '1', { opId: 'x}:b' }))).rejects.toThrow(TypeError);
      await expect(store.end(logout({}))).rejects.toThrow(TypeError);
      await expect(store.end(logout({ host: '' }))).rejects.toThrow(TypeError);
      expect((await store.snapshot()).seq).toBe(0);
    }));

  it('treats a record that cannot be read as a free host, and writes it anew', () =>
    withStore(async (store, company) => {
      const record = (differs: object) =>
        JSON.stringify({ g: '1', gen: '1', at: '1', dl: '0', site: 's', ...differs });
      const broken = [
        '{broken',
        '{"g":1}',
        '[]',
        record({ gen: 1 }),
        record({ g: '' }),
        record({ dl: '1e15' }),
      ];
      const odd = [...broken, record({ gen: '0x10' }), record({ at: '-1' })];
      for (const [i, text] of odd.entries()) await raw.hset(`hd:{${company}}:b`, `h${i + 1}`, text);
      for (const host of odd.map((_, i) => `h${i + 1}`)) {
        expect(await store.associate(login(host, `of-${host}`))).toMatchObject({ outcome: 'associated' });
      }
      expect((await store.snapshot()).associations).toHaveLength(8);
    }));

  it('does not carry out what comes after the caller has given up', async () => {
    let ahead = 0;
    const store = await openStore(redis.path, { clock: { now: () => Date.now() + ahead } });
    // Our clock jumps back by a minute after the offset was measured: the command looks old, and is tried once more.
    ahead = -60_000;
    expect(await store.associate(login('h1', '1001'))).toMatchObject({ outcome: 'associated' });
    ahead = -120_000;
    expect(await store.end(logout({ host: 'h1' }))).toMatchObject({ outcome: 'ended' });
    await store.stop();
  });
});

describe('end', () => {
  it('ends by host, by guest, and by both', () =>
    withStore(async (store) => {
      for (const who of [{ host: 'h1' }, { guest: '1001' }, { host: 'h1', guest: '1001' }]) {
        const started = await store.associate(login('h1', '1001'));
        const reply = await store.end(logout(who));
        expect(reply).toMatchObject({ outcome: 'ended', replay: false });
        expect(reply).toMatchObject({ association: (started as { association: object }).association });
      }
      expect((await store.snapshot()).associations).toEqual([]);
    }));

  it('B6: somebody else is not logged out', () =>
    withStore(async (store) => {
      await store.associate(login('h1', '1001'));
      expect(await store.end(logout({ host: 'h1', guest: '1002' }))).toEqual({ outcome: 'notYours' });
      expect(await store.end(logout({ host: 'h2' }))).toEqual({ outcome: 'none' });
      expect(await store.end(logout({ guest: '1002' }))).toEqual({ outcome: 'none' });
      expect((await store.snapshot()).associations).toHaveLength(1);
    }));

  it('a late end does not hit a newer association', () =>
    withStore(async (store) => {
      await store.associate(login('h1', '1001'));
      await store.end(logout({ host: 'h1' }));
      await store.associate(login('h1', '1001'));
      expect(await store.end(logout({ host: 'h1', generation: 1 }))).toEqual({ outcome: 'stale' });
      expect(await store.end(logout({ host: 'h1', generation: 3 }))).toMatchObject({ outcome: 'ended' });
    }));

  it('gives the stored reply to a repeat', () =>
    withStore(async (store) => {
      await store.associate(login('h1', '1001'));
      const command = logout({ host: 'h1', reason: 'released', actor: 'admin:ann' });
      const first = await store.end(command);
      await store.associate(login('h1', '1002'));
      expect(await store.end(command)).toEqual({ ...first, replay: true });
      expect((await store.snapshot()).associations).toMatchObject([{ guest: '1002' }]);
    }));
});

describe('expiry', () => {
  it('is exact: occupied until the deadline, free from it on, logged once as expired', () =>
    withStore(async (store, company) => {
      const reply = await store.associate(login('h1', '1001', { limitMs: 150 }));
      const deadline = (reply as { association: { expiresAt: number } }).association.expiresAt;
      for (;;) {
        const before = Date.now();
        const next = await store.associate(login('h1', '1002', { limitMs: 'never' }));
        if (next.outcome === 'occupied') expect(before).toBeLessThan(deadline + 1);
        if (next.outcome === 'associated') {
          expect(next.association.startedAt).toBeGreaterThanOrEqual(deadline);
          expect(before).toBeLessThan(deadline + 50);
          break;
        }
        await delay(1);
      }
      expect(await eventsOf(company)).toMatchObject([
        { kind: 'start', guest: '1001' },
        { kind: 'end', guest: '1001', reason: 'expired', actor: 'ttl' },
        { kind: 'start', guest: '1002' },
      ]);
    }));

  it('is claimed once, however many nodes sweep, and names the next deadline', () =>
    withStore(async (store, company) => {
      for (let i = 0; i < 20; i++) await store.associate(login(`h${i}`, `g${i}`, { limitMs: 5 }));
      const last = await store.associate(login('later', 'x', { limitMs: 60_000 }));
      await delay(10);
      const sweeps = await Promise.all(Array.from({ length: 8 }, () => store.claimDue(7)));
      expect(sweeps.reduce((sum, { ended }) => sum + ended, 0)).toBe(20);
      const { nextDeadline, now } = await store.claimDue(7);
      expect(nextDeadline).toBe((last as { association: { expiresAt: number } }).association.expiresAt);
      expect(Math.abs(now - Date.now())).toBeLessThan(1000);
      const ends = (await eventsOf(company)).filter(({ kind }) => kind === 'end');
      expect(ends).toHaveLength(20);
      expect(ends).toSatisfy((list: object[]) =>
        list.every((e) => Reflect.get(e, 'reason') === 'expired' && Reflect.get(e, 'actor') === 'node:n1'),
      );
    }));

  it('repairs deadlines that disagree with the record', () =>
    withStore(async (store, company) => {
      const reply = await store.associate(login('h1', '1001'));
      await raw.zadd(`hd:{${company}}:dl`, 1, 'h1', 2, 'nobody');
      const claim = await store.claimDue(10);
      const deadline = (reply as { association: { expiresAt: number } }).association.expiresAt;
      expect(claim).toMatchObject({ ended: 0, nextDeadline: deadline });
      expect(await raw.zrange(`hd:{${company}}:dl`, '0', '-1')).toEqual(['h1']);
    }));

  it('an overdue guest cannot log out, and is free to sit elsewhere', () =>
    withStore(async (store) => {
      await store.associate(login('h1', '1001', { limitMs: 5 }));
      await store.associate(login('h2', '1002', { limitMs: 5 }));
      await delay(10);
      expect(await store.end(logout({ host: 'h1' }))).toEqual({ outcome: 'none' });
      const reply = await store.associate(login('h3', '1002', { secondDesk: 'deny' }));
      expect(reply).toMatchObject({ outcome: 'associated', movedFrom: undefined });
    }));
});

describe('extend', () => {
  const started = async (store: Store, more: Parameters<typeof login>[2] = {}) => {
    const reply = await store.associate(login('h1', '1001', more));
    if (reply.outcome !== 'associated') throw new Error(reply.outcome);
    return reply.association;
  };
  const at = { host: 'h1', actor: 'node:n1' };

  it('the shorter of limit and idle limit is the deadline', () =>
    withStore(async (store) => {
      const idle = await started(store, { limitMs: 60_000, idleLimitMs: 5000 });
      expect(idle).toMatchObject({ expiresAt: idle.startedAt + 5000, idleLimitMs: 5000 });
      await store.end(logout({ host: 'h1' }));
      const long = await started(store, { limitMs: 60_000, idleLimitMs: 90_000 });
      expect(long.expiresAt).toBe(long.startedAt + 60_000);
      await store.end(logout({ host: 'h1' }));
      const never = await started(store, { limitMs: 'never', idleLimitMs: 5000 });
      expect(never.expiresAt).toBe(never.startedAt + 5000);
    }));

  it('a call begins the idle limit anew, never past the other limit', () =>
    withStore(async (store, company) => {
      const first = await started(store, { limitMs: 400, idleLimitMs: 300 });
      await delay(50);
      const call = { ...at, generation: first.generation, reason: 'call' } as const;
      const reply = await store.extend(call);
      expect(reply).toMatchObject({ outcome: 'extended', association: { generation: 1, idleLimitMs: 300 } });
      if (reply.outcome !== 'extended') return;
      expect(reply.association.expiresAt).toBeGreaterThanOrEqual(Number(first.expiresAt) + 45);
      await delay(100);
      await store.extend(call);
      expect((await store.snapshot()).associations[0]?.expiresAt).toBe(first.startedAt + 400);
      expect(await store.extend(call)).toEqual({ outcome: 'unchanged' });
      expect((await eventsOf(company)).map(({ kind, reason }) => [kind, reason])).toEqual([
        ['start', 'logIn'],
        ['extend', 'call'],
        ['extend', 'call'],
      ]);
      expect(await raw.zscore(`hd:{${company}}:dl`, 'h1')).toBe(String(first.startedAt + 400));
    }));

  it('staying is a new limit from now on, and never shortens', () =>
    withStore(async (store, company) => {
      const { generation } = await started(store, { limitMs: 60_000 });
      const stay = { ...at, generation, reason: 'stay' } as const;
      expect(await store.extend({ ...stay, limitMs: 1000 })).toEqual({ outcome: 'unchanged' });
      expect(await store.extend({ ...stay, limitMs: 90_000 })).toMatchObject({ outcome: 'extended' });
      expect(await store.extend({ ...stay, limitMs: 'never' })).toMatchObject({
        association: { expiresAt: 'never', generation },
      });
      expect(await raw.zcard(`hd:{${company}}:dl`)).toBe(0);
      expect(await store.extend({ ...stay, limitMs: 1000 })).toEqual({ outcome: 'unchanged' });
    }));

  it('a limit that was shortened meanwhile takes nothing from who stays', () =>
    withStore(async (store, company) => {
      const { generation, startedAt } = await started(store, { limitMs: 86_400_000, idleLimitMs: 60_000 });
      await store.extend({ ...at, generation, reason: 'stay', limitMs: 3_600_000 });
      const record = JSON.parse((await raw.hget(`hd:{${company}}:b`, 'h1'))!);
      expect(Number(record.cap)).toBe(startedAt + 86_400_000);
    }));

  it('moves no association that is over, overdue or another', () =>
    withStore(async (store) => {
      const stay = { ...at, reason: 'stay', limitMs: 60_000 } as const;
      expect(await store.extend({ ...stay, generation: 1 })).toEqual({ outcome: 'gone' });
      const { generation } = await started(store, { limitMs: 5 });
      await delay(10);
      expect(await store.extend({ ...stay, generation })).toEqual({ outcome: 'gone' });
      await started(store);
      expect(await store.extend({ ...stay, generation })).toEqual({ outcome: 'gone' });
    }));

  it('an association an earlier version wrote has no idle limit', () =>
    withStore(async (store, company) => {
      await started(store);
      const at0 = Date.now();
      const old = JSON.stringify({
        g: '1001',
        gen: '1',
        at: String(at0),
        dl: String(at0 + 60_000),
        site: 's',
      });
      await raw.hset(`hd:{${company}}:b`, 'h1', old);
      expect(await store.extend({ ...at, generation: 1, reason: 'call' })).toEqual({ outcome: 'unchanged' });
      expect(await store.end(logout({ host: 'h1' }))).toMatchObject({
        association: { idleLimitMs: 'never', expiresAt: at0 + 60_000 },
      });
    }));
});

describe('the index of the log', () => {
  it('has each entry by host and by guest, and nothing else', () =>
    withStore(async (store, company) => {
      await store.associate(login('h1', '1001'));
      await store.associate(login('h2', '1001'));
      await store.end(logout({ host: 'h2' }));
      await store.writeDirectory({ put: new Map([['company', {}]]), remove: [], actor: 'x' });
      await store.clearGuesses('1001', 'admin:ann');
      const ids = (await raw.xrange(`hd:{${company}}:ev`, '-', '+')).map(([id]) => id);
      const log = await eventsOf(company);
      const wanted = log.flatMap(({ host, guest }, i) => [
        ...(host ? [`h\0${host}\0${ids[i]}`] : []),
        ...(guest ? [`g\0${guest}\0${ids[i]}`] : []),
      ]);
      expect(log).toHaveLength(6);
      const index = await raw.zrange(`hd:{${company}}:hx`, '0', '-1');
      expect(index.toSorted()).toEqual(wanted.toSorted());
    }));
});

describe('what Redis sees', () => {
  it('one short command per call, and nothing between calls', () =>
    withStore(async (store, company) => {
      await store.associate(login('h0', '1000'));
      await store.end(logout({ host: 'h0' }));
      const seen: string[][] = [];
      const monitor = await raw.monitor();
      monitor.on('monitor', (_time: string, args: string[], source: string) => {
        if (source !== 'lua') seen.push(args);
      });
      await store.associate(login('h1', '1001', { opId: randomUUID() }));
      await store.end(logout({ host: 'h1' }));
      await delay(50);
      monitor.disconnect();
      expect(seen.map(([command]) => command?.toLowerCase())).toEqual(['evalsha', 'evalsha']);
      expect(seen.flat().every((argument) => argument.length < 100)).toBe(true);
      expect(company).toMatch(/^c/);
    }));

  it('a follower costs one read per 400 ms', () =>
    withStore(async (store) => {
      const end = new AbortController();
      await store.follow(record(), end.signal);
      const commands: string[] = [];
      const monitor = await raw.monitor();
      monitor.on('monitor', (_time: string, args: string[]) => commands.push(args[0]!.toLowerCase()));
      await delay(1300);
      monitor.disconnect();
      end.abort();
      expect(new Set(commands)).toEqual(new Set(['xread']));
      expect(commands.length).toBeLessThanOrEqual(4);
    }));
});
