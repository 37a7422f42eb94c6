import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { endedByServer, logInByHand } from '../support/log-in.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule B5: a taken phone is denied and its guest undisturbed; a guest who sits elsewhere is moved. */

const hotdesk = useHotdesk();
const { first, second } = PEOPLE;

test('B5b: a phone somebody else is at stays theirs', async () => {
  await hotdesk().seat(first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await logInByHand(phone, second);
  await call.heard('phone-in-use');
  expect((await endedByServer(call)).reason).toContain('cause=403');
  expect(await hotdesk().guestAt(PHONES.reception)).toBe(first.extension);
});

test('B5c: a person at a second phone is moved; the first is free, calls come to the second', async () => {
  await hotdesk().seat(first.extension, PHONES.reception);
  const old = await hotdesk().phone(PHONES.reception);
  const phone = await hotdesk().phone(PHONES.window);
  const logIn = await logInByHand(phone, first);
  await logIn.heard('moved');
  await logIn.heard('logged-in-as');
  await hotdesk().expectGuest(PHONES.window, first.extension);
  expect(await hotdesk().guestAt(PHONES.reception)).toBeUndefined();

  const call = await hotdesk().trunks.main.call(first.extension);
  const ringing = await phone.nextCall();
  await ringing.accept();
  await call.answered;
  await call.hangUp();
  expect(old.received('INVITE')).toEqual([]);
});

test('B5: logging in again at the same phone changes nothing', async () => {
  await hotdesk().seat(first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await logInByHand(phone, first);
  await call.heard('already-here');
  expect(await hotdesk().guestAt(PHONES.reception)).toBe(first.extension);
});

test('a phone where hot desking is off says so and asks nothing', async () => {
  const phone = await hotdesk().phone(PHONES.ownLeeds);
  const call = await phone.call('*90');
  await call.heard('host-disabled');
  expect((await endedByServer(call)).reason).toContain('cause=403');
  expect(await call.transcript()).not.toContain('enter-extension');
});
