import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule A4: after the association limit the phone is free again; an active call may finish. */

const hotdesk = useHotdesk();
const HOUR = 3_600_000;

test.each([
  [1, HOUR],
  [24, 24 * HOUR],
])('A4: with a limit of %i h the association ends that long after it began', async (limit, span) => {
  await setLimit(limit);
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const { association } = (await hotdesk().api(`/api/v1/hosts/${PHONES.reception}`)).body;
  expect(Date.parse(association.expiresAt) - Date.parse(association.startedAt)).toBe(span);
});

test('A4: with "never" it has no end', async () => {
  await setLimit('never');
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const { association } = (await hotdesk().api(`/api/v1/hosts/${PHONES.reception}`)).body;
  expect(association.expiresAt).toBeNull();
});

test('A4: at the deadline the phone is free, a call that is up goes on', async () => {
  await setLimit(12);
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await phone.call('01632960500');
  const far = await hotdesk().trunks.main.nextCall();
  await far.accept();
  await call.answered;

  await letTimeRunOut(PHONES.reception);
  await hotdesk().expectGuest(PHONES.reception, undefined, 5000);
  await call.hears(far);
  await call.hangUp();

  const next = await phone.call('01632960500');
  await next.heard('phone-free');
  await next.hangUp();
});

async function setLimit(associationLimit: number | 'never'): Promise<void> {
  const answer = await hotdesk().api('/api/v1/company', { method: 'PATCH', json: { associationLimit } });
  expect(answer.status).toBe(200);
}

/** Moves the stored deadline to now: twelve hours are too long for a test, and the store's clock is the only clock. */
async function letTimeRunOut(host: string): Promise<void> {
  const redis = hotdesk().redis.client();
  const record = JSON.parse((await redis.hget('hd:{demo}:b', host)) ?? '{}');
  const now = Date.now();
  await redis.hset('hd:{demo}:b', host, JSON.stringify({ ...record, dl: String(now) }));
  await redis.zadd('hd:{demo}:dl', now, host);
}
