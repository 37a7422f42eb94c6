import { IANAZone } from 'luxon';
import type { Site } from '../domain/directory.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * ms from `now` (ms since 1970) until everybody at this site is logged out: the next `HH:MM` of the site's own clocks,
 * strictly later. Where clocks go forward over that time it is the first moment after the gap; where they go back, the
 * first of the two. Undefined: the site has no such time, or a zone nobody knows.
 */
export function msUntilDailyLogOut(site: Site, now: number): number | undefined {
  const [, hours, minutes] = /^(\d\d):(\d\d)$/.exec(site.dailyLogOut ?? '') ?? [];
  const zone = IANAZone.create(site.timeZone);
  if (hours === undefined || !zone.isValid) return undefined;
  const timeOfDay = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  const local = now + offsetAt(zone, now);
  const midnight = local - (((local % DAY_MS) + DAY_MS) % DAY_MS);
  for (let wall = midnight + timeOfDay; ; wall += DAY_MS) {
    const moment = firstMoment(zone, wall);
    if (moment > now) return moment - now;
  }
}

/** The first moment at which clocks show `wall` (ms since 1970 as if it were UTC), or later where they never do. */
function firstMoment(zone: IANAZone, wall: number): number {
  const before = offsetAt(zone, wall - DAY_MS);
  const after = offsetAt(zone, wall + DAY_MS);
  const shows = [wall - before, wall - after].filter((moment) => moment + offsetAt(zone, moment) === wall);
  return shows.length > 0 ? Math.min(...shows) : changeBetween(zone, wall - after, wall - before);
}

/** When the clocks are changed, to the ms: after `from`, not after `to`. */
function changeBetween(zone: IANAZone, from: number, to: number): number {
  const offset = offsetAt(zone, from);
  let [same, changed] = [from, to];
  while (changed - same > 1) {
    const middle = Math.floor((same + changed) / 2);
    if (offsetAt(zone, middle) === offset) same = middle;
    else changed = middle;
  }
  return changed;
}

function offsetAt(zone: IANAZone, moment: number): number {
  return Math.round(zone.offset(moment) * MINUTE_MS);
}
