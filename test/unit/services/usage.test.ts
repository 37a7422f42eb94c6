import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Association, ChangeEvent } from '../../../src/domain/association.ts';
import type { Host, Site } from '../../../src/domain/directory.ts';
import { DirectoryTable } from '../../../src/domain/directory-table.ts';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { daysBetween, periodOf } from '../../../src/services/usage/period.ts';
import { Usage, type UsageQuery, type UsageReport } from '../../../src/services/usage/usage.ts';
import { type HistoryPage, type HistoryQuery, StoreUnavailable } from '../../../src/store/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const utc = (text: string): number => Date.parse(`${text}Z`);

let directory: DirectoryTable | undefined;
let log: ChangeEvent[];
let running: Map<string, Association>;
let now: number;
let usage: Usage;
let reads: HistoryQuery[];
let down: boolean;

beforeEach(() => {
  directory = new DirectoryTable();
  for (const [id, timeZone] of [
    ['london', 'Europe/London'],
    ['york', 'Europe/London'],
    ['kolkata', 'Asia/Kolkata'],
  ]) {
    const value = { id, name: id, timeZone, outsideLinePrefix: '', emergencyNumbers: [] };
    directory.put({ kind: 'site', value: { ...value, emergencyTestNumbers: [] } as unknown as Site });
  }
  for (const [id, site, enabled] of [
    ['h1', 'london', true],
    ['h2', 'london', true],
    ['h3', 'york', true],
    ['h4', 'kolkata', true],
    ['off', 'london', false],
  ] as const) {
    const value = { id, site, enabled, kind: 'commonArea', model: 'VVX 411', nickname: id };
    directory.put({ kind: 'host', value: value as unknown as Host });
  }
  [log, running, reads, down] = [[], new Map(), [], false];
  now = utc('2026-11-20T12:00');
  usage = makeUsage();
});

function makeUsage(): Usage {
  const view = {
    get directory() {
      return directory;
    },
    associationAt: (host: string) => running.get(host),
    now: () => now,
  };
  return new Usage({ store: { history }, view: view as never });
}

/** Pages of the log, the newest first. */
async function history(query: HistoryQuery): Promise<HistoryPage> {
  reads.push(query);
  if (down) throw new StoreUnavailable();
  const { from = 0, to = Number.POSITIVE_INFINITY, limit, after } = query;
  const found = log
    .filter(({ at, seq }) => at >= from && at <= to && seq < Number(after ?? Number.POSITIVE_INFINITY))
    .sort((a, b) => b.seq - a.seq);
  const events = found.slice(0, limit);
  return { events, next: found.length > limit ? String(events.at(-1)?.seq) : undefined };
}

interface Stay {
  readonly host: string;
  readonly start: number;
  /** Absent: still there. */
  readonly end?: number;
}

const SITES: Readonly<Record<string, string>> = { h1: 'london', h2: 'london', h3: 'york', h4: 'kolkata' };

/** The log of these stays, in the order of their times. */
function happened(stays: readonly Stay[]): void {
  const moments = stays.flatMap(({ start, end }, stay) => [
    { at: start, kind: 'start' as const, stay },
    ...(end === undefined ? [] : [{ at: end, kind: 'end' as const, stay }]),
  ]);
  moments.sort((a, b) => a.at - b.at || (a.kind === 'end' ? -1 : 1));
  const known = new Map<number, Association>();
  log = moments.map(({ at, kind, stay }, index): ChangeEvent => {
    const { host, start } = stays[stay] ?? { host: '', start: 0 };
    const fresh: Association = {
      ...{ host, guest: `1${stay}`, site: SITES[host] ?? '', generation: index + 1, startedAt: start },
      ...{ expiresAt: 'never', idleLimitMs: 'never' },
    };
    const association = known.get(stay) ?? fresh;
    known.set(stay, association);
    const base = { seq: index + 1, at, actor: 'guest', association };
    return kind === 'start'
      ? { ...base, kind, reason: 'logIn', previousHost: undefined }
      : { ...base, kind, reason: 'loggedOut' };
  });
  running = new Map(
    stays.flatMap(({ host, end }, stay) => {
      const association = known.get(stay);
      return end === undefined && association ? [[host, association] as const] : [];
    }),
  );
}

async function report(query: Partial<UsageQuery> = {}): Promise<UsageReport> {
  const found = await makeUsage().report({ from: '2026-11-19', to: '2026-11-19', sites: 'all', ...query });
  if (isRefusal(found)) throw new Error(found.refused);
  return found;
}

/** Something long ago, so that the log goes back far enough. */
const LONG_AGO: Stay = { host: 'h2', start: utc('2026-01-01T09:00'), end: utc('2026-01-01T10:00') };

describe('days and hours', () => {
  test('a day has 23, 24 or 25 hours', () => {
    const hours = (day: string, zone = 'Europe/London') => periodOf(day, day, zone).hours;
    expect(hours('2026-11-19')).toHaveLength(24);
    expect(hours('2026-03-29').map(({ hour }) => hour)).not.toContain(1);
    expect(hours('2026-03-29')).toHaveLength(23);
    expect(
      hours('2026-10-25')
        .map(({ hour }) => hour)
        .slice(0, 4),
    ).toEqual([0, 1, 1, 2]);
    expect(hours('2026-10-25')).toHaveLength(25);
  });

  test('they follow each other without a gap, in every kind of zone', () => {
    for (const zone of ['Asia/Kolkata', 'Australia/Lord_Howe', 'America/Havana', 'Asia/Beirut', 'UTC']) {
      const { from, to, hours, days } = periodOf('2026-01-01', '2026-12-31', zone);
      expect(days).toHaveLength(365);
      expect(hours[0]?.start).toBe(from);
      expect(hours.at(-1)?.end).toBe(to);
      hours.forEach(({ start, end }, index) => {
        expect(end).toBeGreaterThan(start);
        expect(end - start).toBeLessThanOrEqual(HOUR);
        if (index > 0) expect(start).toBe(hours[index - 1]?.end);
      });
    }
  });

  test('days are counted with both ends', () => {
    expect(daysBetween('2026-03-01', '2026-03-31')).toBe(31);
    expect(daysBetween('2026-11-19', '2026-11-19')).toBe(1);
    expect(daysBetween('2026-11-20', '2026-11-19')).toBe(0);
    expect(() => periodOf('2026-02-30', '2026-02-30', 'UTC')).toThrow(RangeError);
  });
});

describe('what is added up', () => {
  test('average and peak by hour, logins by day, stays', async () => {
    happened([
      LONG_AGO,
      { host: 'h1', start: utc('2026-11-19T09:30'), end: utc('2026-11-19T11:00') },
      { host: 'h3', start: utc('2026-11-19T10:15'), end: utc('2026-11-19T10:30') },
    ]);
    const { hours, days, stays, busiest, sites, ...found } = await report();
    expect(hours[9]).toEqual({ average: 0.5, peak: 1 });
    expect(hours[10]).toEqual({ average: 1.25, peak: 2 });
    expect(hours[11]).toEqual({ average: 0, peak: 0 });
    expect(days).toEqual([{ logIns: 2, peak: 2 }]);
    expect(stays).toEqual({ count: 2, average: 52.5 * MINUTE, median: 52.5 * MINUTE });
    expect(found).toMatchObject({ desks: 4, logIns: 2, peak: 2, recordedFrom: undefined });
    expect(found.average).toBeCloseTo(1.75 / 24);
    expect(busiest).toEqual([
      { host: 'h1', ms: 1.5 * HOUR, logIns: 1 },
      { host: 'h3', ms: 0.25 * HOUR, logIns: 1 },
    ]);
    expect(sites.find(({ site }) => site === 'york')).toMatchObject({ desks: 1, peak: 1, logIns: 1 });
  });

  test('a stay over midnight is in both days; its login in one', async () => {
    happened([LONG_AGO, { host: 'h1', start: utc('2026-11-18T23:00'), end: utc('2026-11-19T01:00') }]);
    const both = await report({ from: '2026-11-18' });
    expect(both.days).toEqual([
      { logIns: 1, peak: 1 },
      { logIns: 0, peak: 1 },
    ]);
    expect(both.hours[23]).toEqual({ average: 0.5, peak: 1 });
    const second = await report();
    expect(second).toMatchObject({ logIns: 0, peak: 1, stays: { count: 1, average: 2 * HOUR } });
    expect(second.busiest).toEqual([{ host: 'h1', ms: HOUR, logIns: 0 }]);
  });

  test('the hour that comes twice counts as two, the one that is left out as none', async () => {
    // 00:30 to 01:30 UTC: from half past one, British summer time, to half past one by winter time.
    happened([LONG_AGO, { host: 'h1', start: utc('2026-10-25T00:30'), end: utc('2026-10-25T01:30') }]);
    const back = await report({ from: '2026-10-25', to: '2026-10-25', site: 'london' });
    expect(back.hours[1]).toEqual({ average: 0.5, peak: 1 });
    expect(back.average).toBeCloseTo(1 / 25);
    happened([LONG_AGO, { host: 'h1', start: utc('2026-03-29T00:30'), end: utc('2026-03-29T01:30') }]);
    const forward = await report({ from: '2026-03-29', to: '2026-03-29', site: 'london' });
    expect(forward.hours[0]).toEqual({ average: 0.5, peak: 1 });
    expect(forward.hours[1]).toEqual({ average: undefined, peak: 0 });
    expect(forward.hours[2]).toEqual({ average: 0.5, peak: 1 });
  });

  test('who still sits there is counted until now, and what is to come is not known', async () => {
    happened([
      LONG_AGO,
      { host: 'h1', start: utc('2026-11-20T10:00') },
      { host: 'h2', start: utc('2026-02-01T10:00') },
    ]);
    const today = await report({ from: '2026-11-20', to: '2026-11-20' });
    expect(today.hours[9]).toEqual({ average: 1, peak: 1 });
    expect(today.hours[10]).toEqual({ average: 2, peak: 2 });
    expect(today.hours[12]).toEqual({ average: undefined, peak: 0 });
    expect(today.stays).toEqual({ count: 0, average: undefined, median: undefined });
    expect(today.average).toBeCloseTo(14 / 12);
    expect(await report()).toMatchObject({ average: 1, peak: 1, logIns: 0 });
  });

  test('a move is a login, and nobody is at two desks', async () => {
    const at = utc('2026-11-19T10:00');
    happened([
      LONG_AGO,
      { host: 'h1', start: utc('2026-11-19T09:00'), end: at },
      { host: 'h2', start: at, end: utc('2026-11-19T11:00') },
    ]);
    expect(await report()).toMatchObject({ peak: 1, logIns: 2 });
  });

  test('hours are those of the site; of several sites, where most phones stand', async () => {
    happened([LONG_AGO, { host: 'h4', start: utc('2026-11-19T03:30'), end: utc('2026-11-19T04:30') }]);
    const there = await report({ site: 'kolkata' });
    expect(there.period.timeZone).toBe('Asia/Kolkata');
    expect(there.hours[9]).toEqual({ average: 1, peak: 1 });
    expect((await report()).period.timeZone).toBe('Europe/London');
  });

  test('each sees their sites', async () => {
    happened([
      LONG_AGO,
      { host: 'h1', start: utc('2026-11-19T09:00'), end: utc('2026-11-19T10:00') },
      { host: 'h3', start: utc('2026-11-19T09:00'), end: utc('2026-11-19T10:00') },
    ]);
    const found = await report({ sites: new Set(['york']) });
    expect(found).toMatchObject({ desks: 1, peak: 1, logIns: 1 });
    expect(found.sites.map(({ site }) => site)).toEqual(['york']);
    expect(found.busiest.map(({ host }) => host)).toEqual(['h3']);
    const other = { from: '2026-11-19', to: '2026-11-19', site: 'london', sites: new Set(['york']) };
    expect(await usage.report(other)).toEqual({ refused: 'unknownSite' });
  });

  test('before the log begins nothing is known', async () => {
    happened([{ host: 'h1', start: utc('2026-11-19T18:00'), end: utc('2026-11-19T19:00') }]);
    const found = await report();
    expect(found.recordedFrom).toBe(utc('2026-11-19T18:00'));
    expect(found.hours[10]?.average).toBeUndefined();
    expect(found.average).toBeCloseTo(1 / 6);
  });

  test('nothing at all', async () => {
    const found = await report();
    expect(found).toMatchObject({ logIns: 0, peak: 0, busiest: [], desks: 4 });
  });
});

test('it is what counting minute by minute gives', async () => {
  const begin = utc('2026-10-24T00:00');
  const stay = fc.record({
    host: fc.constantFrom('h1', 'h2', 'h3', 'h4'),
    from: fc.integer({ min: -600, max: 4_000 }),
    length: fc.integer({ min: 1, max: 900 }),
    isOver: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(stay, { maxLength: 25 }), async (wishes) => {
      now = begin + 3_900 * MINUTE;
      const stays = wishes.map(({ host, from, length, isOver }) => {
        const [start, end] = [begin + from * MINUTE, begin + (from + length) * MINUTE];
        return isOver && end <= now ? { host, start, end } : { host, start };
      });
      // Only one at a time is still at a phone.
      const there = new Set<string>();
      const real = stays.filter(({ host, start, end }) => {
        if (start > now || (end === undefined && there.has(host))) return false;
        if (end === undefined) there.add(host);
        return true;
      });
      happened([LONG_AGO, ...real]);
      const found = await report({ from: '2026-10-24', to: '2026-10-26' });
      const { hours } = periodOf('2026-10-24', '2026-10-26', 'Europe/London');
      const sums = Array.from({ length: 24 }, () => ({ sum: 0, minutes: 0, peak: 0 }));
      for (const { start, end, hour } of hours) {
        for (let at = start; at < Math.min(end, now); at += MINUTE) {
          const count = real.filter((one) => one.start <= at && (one.end ?? now) > at).length;
          const slot = sums[hour];
          if (!slot) continue;
          slot.sum += count;
          slot.minutes += 1;
          slot.peak = Math.max(slot.peak, count);
        }
      }
      sums.forEach(({ sum, minutes, peak }, hour) => {
        expect(found.hours[hour]?.peak).toBe(peak);
        expect(found.hours[hour]?.average).toBeCloseTo(sum / minutes, 6);
      });
    }),
    { numRuns: 40 },
  );
});

describe('what it costs', () => {
  test('the log is read in slices, and asked again only after a minute', async () => {
    happened([
      LONG_AGO,
      ...Array.from({ length: 1_000 }, (_, index) => ({
        host: 'h1',
        start: utc('2026-11-19T00:00') + index * MINUTE,
        end: utc('2026-11-19T00:00') + index * MINUTE + 30_000,
      })),
    ]);
    const query = { from: '2026-11-19', to: '2026-11-19', sites: 'all' } as const;
    const [first, second] = await Promise.all([usage.report(query), usage.report(query)]);
    expect(second).toBe(first);
    const count = reads.length;
    expect(count).toBeGreaterThan(4);
    expect(Math.max(...reads.map(({ limit }) => limit))).toBeLessThanOrEqual(400);
    now += 59_000;
    await usage.report(query);
    expect(reads).toHaveLength(count);
    now += 2_000;
    await usage.report(query);
    expect(reads.length).toBeGreaterThan(count);
  });

  test('two at once; what fails is not kept', async () => {
    const query = (day: string) => ({ from: day, to: day, sites: 'all' }) as const;
    const days = ['2026-11-17', '2026-11-18', '2026-11-19'].map((day) => usage.report(query(day)));
    expect(await days[2]).toEqual({ refused: 'overloaded' });
    await Promise.all(days);
    down = true;
    expect(await usage.report(query('2026-11-16'))).toMatchObject({ refused: 'storeUnavailable' });
    down = false;
    expect(await usage.report(query('2026-11-16'))).toMatchObject({ logIns: 0 });
    directory = undefined;
    expect(await makeUsage().report(query('2026-11-16'))).toEqual({ refused: 'stateUnknown' });
  });
});
