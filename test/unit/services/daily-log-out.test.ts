import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import { msUntilDailyLogOut } from '../../../src/services/daily-log-out.ts';
import { site } from '../domain/example.ts';

const HOUR = 3_600_000;
const at = (text: string): number => Date.parse(text);

/** The next log-out, as UTC. */
function next(timeZone: string, dailyLogOut: string, now: string): string | undefined {
  const ms = msUntilDailyLogOut(site('s', { timeZone, dailyLogOut }), at(now));
  return ms === undefined ? undefined : new Date(at(now) + ms).toISOString();
}

test.each([
  ['later today', 'Europe/London', '18:00', '2026-01-15T12:00:00Z', '2026-01-15T18:00:00.000Z'],
  [
    'in summer, by the clock on the wall',
    'Europe/London',
    '18:00',
    '2026-07-15T12:00:00Z',
    '2026-07-15T17:00:00.000Z',
  ],
  [
    'at that very moment: tomorrow',
    'Europe/London',
    '18:00',
    '2026-01-15T18:00:00Z',
    '2026-01-16T18:00:00.000Z',
  ],
  ['a millisecond before', 'Europe/London', '18:00', '2026-01-15T17:59:59.999Z', '2026-01-15T18:00:00.000Z'],
  [
    'where it is tomorrow already',
    'Pacific/Auckland',
    '00:30',
    '2026-06-15T13:00:00Z',
    '2026-06-16T12:30:00.000Z',
  ],
  [
    'where it is still yesterday',
    'America/Los_Angeles',
    '23:59',
    '2026-01-15T07:00:00Z',
    '2026-01-15T07:59:00.000Z',
  ],
  ['before 1970', 'Europe/London', '12:00', '1965-12-31T13:00:00Z', '1966-01-01T12:00:00.000Z'],
])('%s', (_what, zone, time, now, expected) => {
  expect(next(zone, time, now)).toBe(expected);
});

describe('when the clocks change', () => {
  test.each([
    // Forward at 01:00 UTC: 01:00–01:59 do not exist.
    ['London, in the gap', 'Europe/London', '01:30', '2026-03-29T00:10:00Z', '2026-03-29T01:00:00.000Z'],
    [
      'London, the first that does not exist',
      'Europe/London',
      '01:00',
      '2026-03-29T00:10:00Z',
      '2026-03-29T01:00:00.000Z',
    ],
    [
      'London, the moment after the gap',
      'Europe/London',
      '01:30',
      '2026-03-29T01:00:00Z',
      '2026-03-30T00:30:00.000Z',
    ],
    [
      'London, the evening before',
      'Europe/London',
      '01:30',
      '2026-03-28T18:00:00Z',
      '2026-03-29T01:00:00.000Z',
    ],
    [
      'London, after it on the same day',
      'Europe/London',
      '18:00',
      '2026-03-29T00:10:00Z',
      '2026-03-29T17:00:00.000Z',
    ],
    // Back at 01:00 UTC: 01:00–01:59 come twice.
    [
      'London, the first of two',
      'Europe/London',
      '01:30',
      '2026-10-25T00:10:00Z',
      '2026-10-25T00:30:00.000Z',
    ],
    ['London, between the two', 'Europe/London', '01:30', '2026-10-25T01:10:00Z', '2026-10-26T01:30:00.000Z'],
    ['London, 25 h', 'Europe/London', '01:30', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00.000Z'],
    // The south: forward at 02:00 on 4 October, back at 03:00 on 5 April.
    ['Sydney, in the gap', 'Australia/Sydney', '02:30', '2026-10-03T15:00:00Z', '2026-10-03T16:00:00.000Z'],
    [
      'Sydney, the first of two',
      'Australia/Sydney',
      '02:30',
      '2026-04-04T14:00:00Z',
      '2026-04-04T15:30:00.000Z',
    ],
    [
      'Sydney, between the two',
      'Australia/Sydney',
      '02:30',
      '2026-04-04T16:10:00Z',
      '2026-04-05T16:30:00.000Z',
    ],
    [
      'Lord Howe: half an hour',
      'Australia/Lord_Howe',
      '02:15',
      '2026-10-03T15:00:00Z',
      '2026-10-03T15:30:00.000Z',
    ],
    [
      'Santiago: midnight does not exist',
      'America/Santiago',
      '00:00',
      '2026-09-06T03:00:00Z',
      '2026-09-06T04:00:00.000Z',
    ],
    [
      'Havana: midnight comes twice',
      'America/Havana',
      '00:30',
      '2026-11-01T04:00:00Z',
      '2026-11-01T04:30:00.000Z',
    ],
  ])('%s', (_what, zone, time, now, expected) => {
    expect(next(zone, time, now)).toBe(expected);
  });
});

test('no daily log-out, no answer; a zone nobody knows, neither', () => {
  expect(msUntilDailyLogOut(site('s'), at('2026-01-15T12:00:00Z'))).toBeUndefined();
  expect(next('Mars/Olympus', '18:00', '2026-01-15T12:00:00Z')).toBeUndefined();
});

test('always within (0, 25 h], at that local time or just after a gap, and with none skipped', () => {
  const zones = fc.constantFrom(
    'Europe/London',
    'Australia/Sydney',
    'Australia/Lord_Howe',
    'America/Santiago',
    'America/Havana',
    'Asia/Kathmandu',
    'Africa/Casablanca',
    'UTC',
  );
  const moments = fc.integer({ min: at('2005-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z') });
  fc.assert(
    fc.property(zones, moments, fc.nat(1439), (timeZone, now, minute) => {
      const two = (n: number): string => String(n).padStart(2, '0');
      const time = `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
      const ms = msUntilDailyLogOut(site('s', { timeZone, dailyLogOut: time }), now)!;
      expect(ms).toBeGreaterThan(0);
      expect(ms).toBeLessThanOrEqual(25 * HOUR);
      const then = DateTime.fromMillis(now + ms, { zone: timeZone });
      const before = then.minus({ milliseconds: 1 });
      const jumped = then.offset - before.offset;
      if (then.toFormat('HH:mm:ss.SSS') !== `${time}:00.000`) {
        // The first moment after a gap, which holds the time asked for.
        expect(jumped).toBeGreaterThan(0);
        const wall = then.hour * 60 + then.minute;
        expect((wall - minute + 1440) % 1440).toBeLessThanOrEqual(jumped);
      }
      // Asked again just before: the same moment.
      const again = msUntilDailyLogOut(site('s', { timeZone, dailyLogOut: time }), now + ms - 1);
      expect(again).toBe(1);
    }),
    { numRuns: 3000 },
  );
});
