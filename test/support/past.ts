import type { Redis } from 'ioredis';
import { PEOPLE, PHONES } from './demo.ts';

/** A change log that goes back for days, written before Hotdesk starts: as an office leaves it behind. */

interface Moment {
  readonly at: number;
  readonly kind: 'start' | 'end';
  readonly host: string;
  readonly guest: string;
  readonly site: string;
  readonly since: number;
  readonly gen?: number;
}

const DAY = 86_400_000;
const HOUR = 3_600_000;
const SEATS = [
  { host: PHONES.reception, site: 'london', guest: PEOPLE.first.extension, from: 8.5, to: 16.5 },
  { host: PHONES.window, site: 'london', guest: PEOPLE.second.extension, from: 9.75, to: 17.25 },
  { host: PHONES.leeds, site: 'leeds', guest: PEOPLE.leeds.extension, from: 7.5, to: 11.25 },
  { host: PHONES.leeds, site: 'leeds', guest: PEOPLE.leeds.extension, from: 13.25, to: 15.5 },
] as const;

/** Working days up to yesterday; no two alike, and the same each time. */
export async function writePast(redis: Redis, { days, now }: { days: number; now: number }): Promise<void> {
  const midnight = Math.floor(now / DAY) * DAY;
  const moments: Moment[] = [];
  for (let ago = days; ago >= 1; ago--) {
    const day = midnight - ago * DAY;
    const isWeekend = [0, 6].includes(new Date(day).getUTCDay());
    for (const [index, { host, site, guest, from, to }] of SEATS.entries()) {
      const wobble = (((ago * 7 + index * 5) % 9) - 4) * 0.2;
      if (isWeekend ? index > 0 : (ago + index) % 6 === 5) continue;
      const since = Math.round(day + (from + wobble) * HOUR);
      const until = Math.round(day + (to - wobble) * HOUR);
      const stay = { host, guest, site, since };
      moments.push({ ...stay, at: since, kind: 'start' }, { ...stay, at: until, kind: 'end' });
    }
  }
  moments.sort((a, b) => a.at - b.at);
  await write(redis, moments);
}

async function write(redis: Redis, moments: readonly Moment[]): Promise<void> {
  const key = (name: string) => `hd:{demo}:${name}`;
  const generations = new Map<string, number>();
  for (const [index, { at, kind, host, guest, site, since }] of moments.entries()) {
    const seq = index + 1;
    const name = `${host} ${since}`;
    if (kind === 'start') generations.set(name, seq);
    const gen = generations.get(name) ?? seq;
    const id = `${at}-${index}`;
    const common = { seq, kind, at, actor: 'guest', host, guest, site, gen, since, dl: 0, idle: 0, prev: '' };
    const reason = kind === 'start' ? 'logIn' : 'loggedOut';
    const fields = Object.entries({ ...common, reason }).flatMap(([field, value]) => [field, String(value)]);
    await redis.xadd(key('ev'), id, ...fields);
    await redis.zadd(key('hx'), 0, `h\0${host}\0${id}`, 0, `g\0${guest}\0${id}`);
  }
  await redis.set(key('seq'), moments.length);
}
