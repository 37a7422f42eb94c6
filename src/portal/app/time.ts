import { signal } from '@preact/signals';
import { texts } from '../texts.ts';

/** Times as people at the site read them. */

const TICK_MS = 15_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Now, often enough for what is shown. */
export const now = signal(Date.now());
window.setInterval(() => {
  now.value = Date.now();
}, TICK_MS);

function format(time: string, zone: string | undefined, options: Intl.DateTimeFormatOptions): string {
  const inZone = zone === undefined ? options : { ...options, timeZone: zone };
  return new Intl.DateTimeFormat('en-GB', inZone).format(new Date(time));
}

/** `14:05` today, `Tue 3 Nov, 14:05` otherwise. */
export function clock(time: string, zone?: string): string {
  const day = (at: string | number) => format(new Date(at).toISOString(), zone, { dateStyle: 'short' });
  const hours = format(time, zone, { timeStyle: 'short' });
  if (day(time) === day(now.value)) return hours;
  return `${format(time, zone, { weekday: 'short', day: 'numeric', month: 'short' })}, ${hours}`;
}

/** `3 November 2026 at 14:05 GMT` */
export function fullTime(time: string, zone?: string): string {
  return format(time, zone, { dateStyle: 'long', timeStyle: 'long' });
}

/** The moment at which clocks of the zone show `2026-11-03T14:05`, ISO 8601; undefined for what is no time. */
export function instantOf(local: string, zone?: string): string | undefined {
  const wall = Date.parse(`${local}Z`);
  if (Number.isNaN(wall)) return undefined;
  // The second time with the offset that holds there, not a day's difference away.
  const guess = wall - offsetAt(wall, zone);
  return new Date(wall - offsetAt(guess, zone)).toISOString();
}

/** What clocks of the zone show, as a field for date and time takes it. */
export function localOf(ms: number, zone?: string): string {
  return new Date(ms + offsetAt(ms, zone)).toISOString().slice(0, 16);
}

function offsetAt(ms: number, zone: string | undefined): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' },
    ...{ second: 'numeric', hourCycle: 'h23', ...(zone !== undefined && { timeZone: zone }) },
  } as Intl.DateTimeFormatOptions).formatToParts(ms);
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
  const shown = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return shown - Math.floor(ms / 1000) * 1000;
}

/** `3 h 12 min` between two times in milliseconds. */
export function span(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / MINUTE));
  if (minutes < 1) return texts.time.lessThanAMinute;
  if (ms >= 2 * DAY) return texts.time.days(Math.floor(ms / DAY));
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return texts.time.minutes(minutes);
  return minutes % 60 === 0 ? texts.time.hours(hours) : texts.time.hoursMinutes(hours, minutes % 60);
}

/** How long is left; undefined without a limit. */
export function left(expiresAt: string | null): string | undefined {
  return expiresAt === null ? undefined : span(Date.parse(expiresAt) - now.value);
}
