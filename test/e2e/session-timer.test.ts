import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { useHotdesk } from '../support/suite.ts';

/** Session timers (RFC 4028): what a phone asks for is kept, too short is refused. */

const hotdesk = useHotdesk();

test('a phone that wants to refresh every 1800 s gets its wish in the answer', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await phone.call('01632960500', {
    extraHeaders: ['Session-Expires: 1800;refresher=uac', 'Min-SE: 90'],
  });
  const far = await hotdesk().trunks.main.nextCall();
  await far.accept();
  await call.answered;
  expect(call.response?.header('Session-Expires')).toBe('1800;refresher=uac');
  const refresh = await call.update({ extraHeaders: ['Session-Expires: 1800;refresher=uac'] });
  expect(refresh.status).toBe(200);
  await call.hangUp();
});

test('a refresh with an interval under 90 s gets 422 with Min-SE', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await phone.call('01632960500');
  const far = await hotdesk().trunks.main.nextCall();
  await far.accept();
  await call.answered;
  const answer = await call.update({ extraHeaders: ['Session-Expires: 30;refresher=uac'] });
  expect(answer.status).toBe(422);
  expect(answer.message.header('Min-SE')).toBe('90');
  await call.hangUp();
});
