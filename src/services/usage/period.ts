import { DateTime } from 'luxon';

/** An hour of the clocks on the wall. Times in ms since 1970. */
export interface Hour {
  readonly start: number;
  /** The first moment after it. */
  readonly end: number;
  /** Which day of the period, from 0. */
  readonly day: number;
  /** What clocks show, 0–23. Where they go back, two hours of a day are the same. */
  readonly hour: number;
}

/** Some days as a zone counts them, hour by hour. */
export interface Period {
  readonly from: number;
  /** The first moment after it. */
  readonly to: number;
  readonly timeZone: string;
  /** `YYYY-MM-DD`. */
  readonly days: readonly string[];
  readonly hours: readonly Hour[];
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Days from `from` to `to`, both `YYYY-MM-DD` and inclusive. @throws RangeError for what is no day or zone */
export function periodOf(from: string, to: string, timeZone: string): Period {
  const days: string[] = [];
  const hours: Hour[] = [];
  const last = startOf(to, timeZone);
  for (let at = startOf(from, timeZone); at <= last; at = at.plus({ days: 1 }).startOf('day')) {
    hours.push(...hoursOf(at, days.length));
    days.push(at.toISODate() ?? '');
  }
  return { from: hours[0]?.start ?? 0, to: hours.at(-1)?.end ?? 0, timeZone, days, hours };
}

/** How many days that is, both included; below 1 when `to` is before `from`. */
export function daysBetween(from: string, to: string): number {
  const day = (text: string): number => Date.parse(`${text}T00:00:00Z`);
  return Math.round((day(to) - day(from)) / (24 * HOUR_MS)) + 1;
}

function startOf(day: string, zone: string): DateTime {
  const start = DateTime.fromISO(day, { zone }).startOf('day');
  if (!start.isValid) throw new RangeError('That is no day of this zone');
  return start;
}

/** 23 to 25 of them, as clocks go forward or back; where they do by half an hour, one is short. */
function hoursOf(midnight: DateTime, day: number): Hour[] {
  const end = midnight.plus({ days: 1 }).startOf('day').toMillis();
  const hours: Hour[] = [];
  for (let start = midnight.toMillis(); start < end; ) {
    const { hour } = at(start, midnight);
    const next = Math.min(end, nextFullHour(start, midnight));
    hours.push({ start, end: next, day, hour });
    start = next;
  }
  return hours;
}

function nextFullHour(start: number, { zone }: DateTime): number {
  const hourLater = DateTime.fromMillis(start + HOUR_MS, { zone });
  const full = hourLater.toMillis() - hourLater.minute * MINUTE_MS;
  return full > start ? full : start + HOUR_MS;
}

function at(ms: number, { zone }: DateTime): DateTime {
  return DateTime.fromMillis(ms, { zone });
}
