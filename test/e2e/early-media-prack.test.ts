import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { useHotdesk } from '../support/suite.ts';

/** Announcements of the far end before it answers, plain and reliable (RFC 3262). */

const hotdesk = useHotdesk();
const OUTSIDE = '01632960500';

test('183 with a session description: the caller hears the far end before the answer', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await phone.call(OUTSIDE, { earlyMedia: true });
  const far = await hotdesk().trunks.main.nextCall();
  await far.earlyMedia();
  await call.hears(far);
  expect(call.progress.map(({ status }) => status)).toContain(183);
  await far.accept();
  await call.answered;
  await call.hangUp();
});

test('a phone that demands 100rel gets reliable provisional responses and sends PRACK', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception, { reliable: true });
  const call = await phone.call(OUTSIDE, { extraHeaders: ['Require: 100rel'] });
  const far = await hotdesk().trunks.main.nextCall();
  await far.ring();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await far.accept();
  await call.answered;
  const [ringing] = call.progress;
  expect(ringing?.header('Require')).toContain('100rel');
  expect(ringing?.header('RSeq')).toMatch(/^\d+$/);
  const pracks = phone.wire.trace.filter(({ message }) => message.method === 'PRACK');
  expect(pracks.map(({ message }) => message.status)).toEqual([undefined, 200]);
  await call.hangUp();
});

test('183, then a refusal: the caller gets the refusal', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await phone.call(OUTSIDE, { earlyMedia: true });
  const far = await hotdesk().trunks.main.nextCall();
  await far.earlyMedia();
  await call.hears(far);
  await far.reject(486);
  expect(await call.ended).toMatchObject({ status: 486 });
});
