import { beforeEach, describe, expect, test } from 'vitest';
import type { Association, ChangeEvent } from '../../../src/domain/association.ts';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { Audit, MAX_EXPORT_ROWS, type StayPage } from '../../../src/services/audit.ts';
import { LogTrimmer } from '../../../src/services/log-trimmer.ts';
import { type HistoryPage, type HistoryQuery, StoreUnavailable } from '../../../src/store/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { settle, TestLog } from './harness.ts';
import { orders } from './webhooks-bench.ts';

const MINUTE = 60_000;
const HOSTS = ['h1', 'h2', 'h3'];

/** A log of changes that tells of itself as the store does; each change a minute after the one before. */
class Log {
  events: ChangeEvent[] = [];
  readonly sitting = new Map<string, Association>();
  queries: HistoryQuery[] = [];
  problem: Error | undefined;
  /** Entries looked at per page: the store may answer with less than was asked for. */
  looks = Number.POSITIVE_INFINITY;

  start(host: string, guest: string, previousHost?: string): Association {
    const generation = this.events.length + 1;
    const at = generation * MINUTE;
    const association: Association = {
      ...{ host, guest, generation, site: 'london', startedAt: at, expiresAt: 'never', idleLimitMs: 'never' },
    };
    this.sitting.set(host, association);
    const reason = previousHost === undefined ? 'logIn' : 'move';
    this.#add({ kind: 'start', seq: generation, at, actor: 'guest', reason, association, previousHost });
    return association;
  }

  end(host: string, reason: 'loggedOut' | 'moved' = 'loggedOut'): void {
    const association = this.sitting.get(host);
    if (!association) throw new Error(`nobody at ${host}`);
    this.sitting.delete(host);
    const seq = this.events.length + 1;
    this.#add({ kind: 'end', seq, at: seq * MINUTE, actor: 'guest', reason, association });
  }

  other(): void {
    const seq = this.events.length + 1;
    this.#add({ kind: 'directory', seq, at: seq * MINUTE, actor: 'admin', entries: ['user:1'] });
  }

  #add(event: ChangeEvent): void {
    this.events.push(event);
  }

  readonly history = async (query: HistoryQuery): Promise<HistoryPage> => {
    this.queries.push(query);
    if (this.problem) throw this.problem;
    const { host, guest, from = 0, to = Number.POSITIVE_INFINITY, kinds, limit, after } = query;
    if (after !== undefined && !/^\d+(\.\d+)?$/.test(after)) throw new RangeError('cursor');
    const below = after === undefined ? Number.POSITIVE_INFINITY : Number(after);
    const about = this.events.filter(({ seq, at }) => seq < below && at >= from && at <= to).reverse();
    const seen = about.slice(0, this.looks);
    const wanted = seen.filter((event) => {
      const who = 'association' in event ? event.association : undefined;
      return (
        (kinds === undefined || kinds.includes(event.kind)) &&
        (host === undefined || who?.host === host) &&
        (guest === undefined || who?.guest === guest)
      );
    });
    const events = wanted.slice(0, limit);
    const last = wanted.length > limit ? events.at(-1) : seen.length < about.length ? seen.at(-1) : undefined;
    return { events, next: last && String(last.seq) };
  };
}

let log: Log;
let audit: Audit;
let directory: object | undefined;

beforeEach(() => {
  log = new Log();
  directory = { hosts: new Map(HOSTS.map((id) => [id, {}])) };
  audit = new Audit({
    store: log,
    view: {
      get directory() {
        return directory as never;
      },
      associationAt: (host) => log.sitting.get(host),
      associationOf: (guest) => [...log.sitting.values()].find((one) => one.guest === guest),
    },
  });
});

type Query = Parameters<Audit['stays']>[0];

async function stays(query: Partial<Query> = {}): Promise<StayPage> {
  const page = await audit.stays({ limit: 100, ...query });
  if (isRefusal(page)) throw new Error(page.refused);
  return page;
}

/** `guest@host from-to`, in minutes. */
async function told(query: Partial<Query> = {}): Promise<string[]> {
  const { stays: found } = await stays(query);
  return found.map(({ association: { guest, host, startedAt }, endedAt, movedFrom }) => {
    const span = `${startedAt / MINUTE}-${endedAt === undefined ? '' : endedAt / MINUTE}`;
    return `${guest}@${host} ${span}${movedFrom === undefined ? '' : ` from ${movedFrom}`}`;
  });
}

function at(minute: number): { from: number; to: number } {
  return { from: minute * MINUTE, to: minute * MINUTE };
}

/** 1: A sits at h1, 3: moves to h2, 5: B comes to h1, 7: A leaves. */
function play(): void {
  log.start('h1', 'A'); // 1
  log.other(); // 2
  log.end('h1', 'moved'); // 3
  log.start('h2', 'A', 'h1'); // 4
  log.start('h1', 'B'); // 5
  log.other(); // 6
  log.end('h2'); // 7
  log.other(); // 8
}

describe('stays', () => {
  beforeEach(play);

  test('who sat where, who still does, and where they came from', async () => {
    expect(await told()).toEqual(['B@h1 5-', 'A@h2 4-7 from h1', 'A@h1 1-3']);
    const { stays: found } = await stays();
    expect(found.map(({ reason }) => reason)).toEqual([undefined, 'loggedOut', 'moved']);
  });

  test.each([
    [0.5, []],
    [1, ['A@h1 1-3']],
    [2.5, ['A@h1 1-3']],
    [3, []],
    [4, ['A@h2 4-7 from h1']],
    [6.5, ['B@h1 5-', 'A@h2 4-7 from h1']],
    [7, ['B@h1 5-']],
    [100, ['B@h1 5-']],
  ])('at minute %d', async (minute, expected) => {
    expect(await told(at(minute))).toEqual(expected);
  });

  test('a period takes in what began before it and what goes on after it', async () => {
    expect(await told({ from: 2 * MINUTE, to: 2.5 * MINUTE })).toEqual(['A@h1 1-3']);
    expect(await told({ from: 6 * MINUTE })).toEqual(['B@h1 5-', 'A@h2 4-7 from h1']);
    expect(await told({ to: 2 * MINUTE })).toEqual(['A@h1 1-3']);
  });

  test('by host, by guest, by both', async () => {
    expect(await told({ host: 'h1' })).toEqual(['B@h1 5-', 'A@h1 1-3']);
    expect(await told({ guest: 'A' })).toEqual(['A@h2 4-7 from h1', 'A@h1 1-3']);
    expect(await told({ guest: 'B', host: 'h2' })).toEqual([]);
    expect(await told({ guest: 'A', host: 'h1' })).toEqual(['A@h1 1-3']);
  });

  test('where somebody came from is found also when the start lies before the period', async () => {
    expect(await told(at(6.5))).toContain('A@h2 4-7 from h1');
    log.events = log.events.filter(({ seq }) => seq !== 4);
    expect(await told(at(6.5))).toContain('A@h2 4-7');
  });

  test('also when the log took the start down a little later than it happened', async () => {
    const [start] = log.events.filter(({ seq }) => seq === 4);
    const late = { ...start, at: Number(start?.at) + 37 } as ChangeEvent;
    log.events = log.events.map((event) => (event.seq === 4 ? late : event));
    expect(await told(at(6.5))).toContain('A@h2 4-7 from h1');
  });

  test('among much that happened at that moment, but not without end', async () => {
    const crowd: ChangeEvent[] = Array.from({ length: 4 }, (_, i) => ({
      ...{ kind: 'directory', seq: 4 + (i + 1) / 10, at: 4 * MINUTE + 1, actor: 'x', entries: [] },
    }));
    log.events.splice(4, 0, ...crowd);
    log.looks = 1;
    const { stays: found } = await stays({ ...at(6.5), guest: 'A', limit: 1 });
    expect(found.map(({ movedFrom }) => movedFrom)).toEqual(['h1']);
    log.events.splice(8, 0, ...crowd.map((event) => ({ ...event, seq: event.seq + 0.5 })));
    log.queries.length = 0;
    expect((await stays({ ...at(6.5), guest: 'A', limit: 1 })).stays[0]?.movedFrom).toBeUndefined();
    expect(log.queries.filter(({ limit }) => limit === 100)).toHaveLength(5);
  });

  test('what has ended between the two looks comes once', async () => {
    const still = log.sitting.get('h1');
    log.end('h1');
    if (still) log.sitting.set('h1', still);
    expect(await told({ host: 'h1' })).toEqual(['B@h1 5-', 'A@h1 1-3']);
  });
});

describe('pages of stays', () => {
  beforeEach(() => {
    for (let day = 0; day < 20; day++) {
      for (const host of HOSTS) log.start(host, `g${day}${host}`);
      log.other();
      for (const host of HOSTS) log.end(host);
    }
    log.start('h1', 'last1');
    log.start('h2', 'last2');
    log.start('h3', 'last3');
  });

  test.each([
    [1, Number.POSITIVE_INFINITY],
    [2, 5],
    [7, 11],
    [100, 3],
    [1000, Number.POSITIVE_INFINITY],
  ])('of %d, with %d entries looked at each: each stay once, none forgotten', async (limit, looks) => {
    log.looks = looks;
    const seen: number[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < 100; pages++) {
      const page: StayPage = await stays({ limit, cursor });
      expect(page.stays.length).toBeLessThanOrEqual(limit);
      seen.push(...page.stays.map(({ association }) => association.generation));
      cursor = page.next;
      if (cursor === undefined) break;
    }
    const starts = log.events.filter(({ kind }) => kind === 'start').map(({ seq }) => seq);
    expect(cursor).toBeUndefined();
    expect(seen.toSorted((a, b) => a - b)).toEqual(starts);
  });

  test('changes that come meanwhile shift nothing', async () => {
    const first = await stays({ limit: 10 });
    log.end('h2');
    log.start('h2', 'new');
    log.end('h2');
    const second = await stays({ limit: 10, cursor: first.next });
    const seen = [...first.stays, ...second.stays].map(({ association }) => association.generation);
    expect(new Set(seen).size).toBe(20);
  });

  test('a long look for little ends with a cursor, not with all of the log read', async () => {
    log.looks = 1;
    const page = await stays({ ...at(1), limit: 10 });
    expect(log.queries.length).toBeLessThan(40);
    expect(page.next).toEqual(expect.any(String));
  });

  test('a cursor of somebody else’s making', async () => {
    for (const cursor of ['', 'x', 'r', 'e5', 'e5.nonsense', '__proto__', 'r-1', `r${'9'.repeat(30)}`]) {
      expect(await audit.stays({ limit: 10, cursor }), cursor).toMatchObject({ refused: 'invalidCursor' });
    }
  });
});

describe('refused', () => {
  test('while the store is away', async () => {
    log.problem = new StoreUnavailable();
    const away = { refused: 'storeUnavailable' };
    expect(await audit.page({ limit: 10 })).toMatchObject(away);
    expect(await audit.stays({ limit: 10 })).toMatchObject(away);
    expect(await audit.export({})).toMatchObject(away);
  });

  test('without a directory nobody knows who sits where', async () => {
    directory = undefined;
    expect(await audit.stays({ limit: 10 })).toEqual({ refused: 'stateUnknown' });
  });

  test('what is broken is no refusal', async () => {
    log.problem = new TypeError('broken');
    await expect(audit.page({ limit: 10 })).rejects.toThrow('broken');
  });
});

describe('changes', () => {
  test('pages pass the filter on', async () => {
    play();
    const filter = { host: 'h1', guest: 'A', from: 1, to: 2, kinds: ['end'] as const };
    await audit.page({ ...filter, limit: 5, cursor: '7' });
    expect(log.queries).toEqual([{ ...filter, limit: 5, after: '7' }]);
    expect(await audit.page({ limit: 5, cursor: 'x' })).toMatchObject({ refused: 'invalidCursor' });
  });

  test('an export goes on to the end, page by page', async () => {
    for (let n = 0; n < 2_500; n++) log.other();
    const pages = await audit.export({ to: 2_400 * MINUTE });
    if (isRefusal(pages)) throw new Error();
    const sizes: number[] = [];
    for await (const events of pages) sizes.push(events.length);
    expect(sizes).toEqual([1_000, 1_000, 400]);
  });

  test('an export ends at its limit', async () => {
    const history = async ({ limit }: HistoryQuery) => {
      const events: ChangeEvent[] = Array.from({ length: limit });
      return { events, next: '1' };
    };
    audit = new Audit({ store: { history }, view: {} as never });
    const pages = await audit.export({});
    if (isRefusal(pages)) throw new Error();
    let rows = 0;
    for await (const events of pages) rows += events.length;
    expect(rows).toBe(MAX_EXPORT_ROWS);
  });
});

describe('the trimmer', () => {
  let clock: FakeClock;
  let lines: TestLog;
  let calls: unknown[];
  let removed: number | Error;
  let trimmer: LogTrimmer;

  beforeEach(() => {
    clock = new FakeClock();
    lines = new TestLog();
    calls = [];
    removed = 5;
    directory = {
      webhooks: new Map([
        ['a1', orders],
        ['b2', { ...orders, id: 'b2', enabled: false }],
      ]),
    };
    trimmer = new LogTrimmer({
      store: {
        trimLog: async (...call) => {
          calls.push(call);
          if (removed instanceof Error) throw removed;
          return removed;
        },
      },
      view: {
        get directory() {
          return directory as never;
        },
      },
      timers: clock,
      log: lines,
      retentionDays: 30,
      consumers: ['lamp'],
    });
  });

  test('forgets what is too old, every hour, but nothing a webhook that is on still waits for', async () => {
    trimmer.start();
    clock.advance(59_999);
    expect(calls).toEqual([]);
    clock.advance(1);
    await settle();
    expect(calls).toEqual([[30 * 86_400_000, ['lamp', 'webhook:a1']]]);
    expect(lines.lines).toMatchObject([{ level: 'info', data: { entries: 5, retentionDays: 30 } }]);
    clock.advance(3_600_000);
    expect(calls).toHaveLength(2);
    trimmer.stop();
    expect(clock.pending).toBe(0);
  });

  test('goes on after a failure, and says nothing when there was nothing', async () => {
    removed = new StoreUnavailable();
    trimmer.start();
    clock.advance(60_000);
    await settle();
    expect(lines.level('warn')).toHaveLength(1);
    removed = 0;
    clock.advance(3_600_000);
    await settle();
    expect(calls).toHaveLength(2);
    expect(lines.lines).toHaveLength(1);
  });

  test('without a directory nobody knows who waits', async () => {
    directory = undefined;
    trimmer.start();
    clock.advance(60_000);
    expect(calls).toEqual([]);
    expect(clock.pending).toBe(1);
  });
});

describe('what is wanted', () => {
  test('a page of changes is filled with what is wanted, from where it left off', async () => {
    for (let n = 0; n < 30; n++) {
      log.start('h1', `1${n}`);
      log.end('h1');
    }
    const isWanted = ({ kind, seq }: ChangeEvent): boolean => kind === 'end' && seq % 4 === 0;
    const first = await audit.page({ limit: 5, isWanted });
    if (isRefusal(first)) throw new Error();
    expect(first.events.map(({ seq }) => seq)).toEqual([60, 56, 52, 48, 44]);
    const second = await audit.page({ limit: 5, isWanted, cursor: first.next });
    expect(second).toMatchObject({
      events: [{ seq: 40 }, { seq: 36 }, { seq: 32 }, { seq: 28 }, { seq: 24 }],
    });
  });

  test('one question goes on only so often', async () => {
    for (let n = 0; n < 300; n++) log.other();
    log.queries = [];
    const page = await audit.page({ limit: 2, isWanted: () => false });
    expect(page).toMatchObject({ events: [], next: expect.any(String) });
    expect(log.queries).toHaveLength(20);
  });

  test('stays, those still there and those that are over, and the same in an export', async () => {
    log.start('h1', '1001');
    log.end('h1');
    log.start('h1', '1002');
    log.start('h2', '1003');
    const isWanted = ({ guest }: Association): boolean => guest !== '1002';
    const page = await audit.stays({ limit: 10, isWanted });
    if (isRefusal(page)) throw new Error();
    const guests = (stays: StayPage['stays']) => stays.map(({ association }) => association.guest);
    expect(guests(page.stays)).toEqual(['1003', '1001']);
    const exported = await audit.exportStays({ isWanted });
    if (isRefusal(exported)) throw new Error();
    const pages: string[][] = [];
    for await (const stays of exported) pages.push(guests(stays));
    expect(pages.flat()).toEqual(['1003', '1001']);
    log.problem = new StoreUnavailable();
    expect(await audit.exportStays({})).toMatchObject({ refused: 'storeUnavailable' });
  });
});
