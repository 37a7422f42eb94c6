import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { endedByServer, logInByHand } from '../support/log-in.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule A7: every hot-desking person needs a licence. */

const hotdesk = useHotdesk();
const { unlicensed } = PEOPLE;

test('A7: without a licence the right PIN is not enough', async () => {
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await logInByHand(phone, unlicensed);
  await call.heard('not-licensed');
  expect((await endedByServer(call)).reason).toContain('cause=403');
  expect(await hotdesk().guestAt(PHONES.reception)).toBeUndefined();
});

test('A7: with a wrong PIN nobody learns that the licence is missing', async () => {
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await logInByHand(phone, { ...unlicensed, pin: '999123' });
  await call.heard('login-failed');
  await call.hangUp();
  expect(await call.transcript()).not.toContain('not-licensed');
});

test('A7: an administrator cannot seat somebody without a licence either', async () => {
  const answer = await hotdesk().api(`/api/v1/hosts/${PHONES.reception}/association`, {
    method: 'PUT',
    json: { guest: unlicensed.extension },
  });
  expect(answer).toMatchObject({ status: 403, body: { reason: 'notLicensed' } });
});
