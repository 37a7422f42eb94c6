import type { Hotdesk } from './hotdesk.ts';
import { eventually } from './wait.ts';

const TWO_HOURS = 7_200_000;

/**
 * Makes whoever sits at a host one who has been there for two hours and is to be logged out in `ms`: limits are too long
 * for tests, and the store's clock is the only clock. Every connection to the store is cut, so that nodes read it anew.
 */
export async function endIn(hotdesk: Hotdesk, host: string, ms: number): Promise<number> {
  const redis = hotdesk.redis.client();
  const record = JSON.parse((await redis.hget('hd:{demo}:b', host)) ?? '{}');
  const now = Date.now();
  const [at, dl] = [now - TWO_HOURS, now + ms].map(String);
  await redis.hset('hd:{demo}:b', host, JSON.stringify({ ...record, at, dl, cap: dl }));
  await redis.zadd('hd:{demo}:dl', now + ms, host);
  await redis.call('CLIENT', 'KILL', 'TYPE', 'normal');
  await eventually('the new deadline', async () => (await deadlineAt(hotdesk, host)) === now + ms);
  await eventually('the store back', async () => (await hotdesk.api('/readyz')).status === 200);
  return now + ms;
}

/** ms since 1970; undefined when nobody is there, or for ever. */
export async function deadlineAt(hotdesk: Hotdesk, host: string): Promise<number | undefined> {
  const { association } = (await hotdesk.api(`/api/v1/hosts/${host}`)).body;
  return association?.expiresAt ? Date.parse(association.expiresAt) : undefined;
}
