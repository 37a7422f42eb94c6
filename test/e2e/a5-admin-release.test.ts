import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { logInByHand } from '../support/log-in.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule A5: an administrator can log out a phone at any time, and the next person can log in. */

const hotdesk = useHotdesk();

test('A5: released by an administrator, the phone is free for the next person', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const path = `/api/v1/hosts/${PHONES.reception}/association`;
  expect((await hotdesk().api(path, { method: 'DELETE' })).status).toBeLessThan(300);
  await hotdesk().expectGuest(PHONES.reception, undefined);
  const call = await logInByHand(phone, PEOPLE.second);
  await call.heard('logged-in-as');
  await hotdesk().expectGuest(PHONES.reception, PEOPLE.second.extension);
});

test('A5: who was named is logged out, not who has logged in since', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const { body } = await hotdesk().api(`/api/v1/hosts/${PHONES.reception}`);
  const path = `/api/v1/hosts/${PHONES.reception}/association`;
  const meant = `${path}?generation=${body.association.generation}`;
  await hotdesk().api(path, { method: 'DELETE' });
  const call = await logInByHand(phone, PEOPLE.second);
  await call.heard('logged-in-as');
  const refused = { status: 412, body: { reason: 'changedMeanwhile' } };
  expect(await hotdesk().api(meant, { method: 'DELETE' })).toMatchObject(refused);
  await hotdesk().expectGuest(PHONES.reception, PEOPLE.second.extension);
});
