import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { userOf } from '../support/sip-text.ts';
import { useHotdesk } from '../support/suite.ts';

/** Calls to a person ring where the person sits, at every contact of that phone at once. */

const hotdesk = useHotdesk({ voicemail: false });
const { first, second, leeds } = PEOPLE;
const CALLER = { user: '+441632960777', name: 'Caller' };

test('by extension and by direct number, showing the caller', async () => {
  await hotdesk().seat(first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const person = await hotdesk().user(first.extension);
  for (const number of [first.extension, ...person.numbers]) {
    const call = await hotdesk().trunks.main.call(number, { from: CALLER });
    const ringing = await phone.nextCall();
    expect(userOf(ringing.invite.header('From'))).toBe(CALLER.user);
    await ringing.ring();
    await ringing.accept();
    await call.answered;
    await ringing.hears(call);
    await ringing.hangUp();
    expect(await call.ended).toMatchObject({ by: 'them' });
  }
});

test('two contacts ring; the first answer wins, the other is cancelled as answered elsewhere', async () => {
  await hotdesk().seat(first.extension, PHONES.reception);
  const here = await hotdesk().phone(PHONES.reception);
  const there = await hotdesk().unregistered(PHONES.reception, { protocol: 'tcp' });
  // A drachtio-server tells phones on TCP apart by user and address, and here all have one address.
  there.agent.contact.uri.user = 'on-tcp';
  expect((await there.register()).status).toBe(200);
  const call = await hotdesk().trunks.main.call(first.extension);
  const [one, other] = [await here.nextCall(), await there.nextCall()];
  await Promise.all([one.ring(), other.ring()]);
  await other.accept();
  await call.answered;
  expect((await one.ended).reason).toMatch(/cause=200.*elsewhere/i);
  await call.hears(other);
  await call.hangUp();
});

test('one contact busy, the other answers: the caller notices nothing', async () => {
  await hotdesk().seat(first.extension, PHONES.reception);
  const here = await hotdesk().phone(PHONES.reception);
  const there = await hotdesk().phone(PHONES.reception);
  const call = await hotdesk().trunks.main.call(first.extension);
  const [one, other] = [await here.nextCall(), await there.nextCall()];
  await one.reject(486);
  await other.accept();
  await call.answered;
  await call.hangUp();
});

test('all contacts refuse: the best of their answers reaches the caller', async () => {
  await hotdesk().seat(first.extension, PHONES.reception);
  for (const status of [480, 486]) {
    const phone = await hotdesk().phone(PHONES.reception);
    phone.onCall((call) => void call.reject(status));
  }
  const call = await hotdesk().trunks.main.call(first.extension);
  expect([480, 486]).toContain((await call.ended).status);
});

test('two 200s at the same moment: one call, the other gets BYE', async () => {
  await hotdesk().seat(first.extension, PHONES.reception);
  const phones = [await hotdesk().phone(PHONES.reception), await hotdesk().phone(PHONES.reception)];
  const call = await hotdesk().trunks.main.call(first.extension);
  const calls = await Promise.all(phones.map((phone) => phone.nextCall()));
  await Promise.all(calls.map((ringing) => ringing.accept()));
  await call.answered;
  await Promise.race(calls.map((ringing) => ringing.ended));
  await call.hangUp();
  await Promise.all(calls.map((ringing) => ringing.ended));
});

test('an ordinary phone on its owner’s desk rings for its owner', async () => {
  const phone = await hotdesk().phone(PHONES.own);
  const call = await hotdesk().trunks.main.call(second.extension);
  await (await phone.nextCall()).accept();
  await call.answered;
  await call.hangUp();
});

test('the phone on the desk is signed off: 480', async () => {
  await hotdesk().seat(leeds.extension, PHONES.leeds);
  const phone = await hotdesk().phone(PHONES.leeds);
  expect((await phone.unregister()).status).toBe(200);
  const call = await hotdesk().trunks.main.call(leeds.extension);
  expect(await call.ended).toMatchObject({ status: 480 });
});

test('a number that is nobody’s: 404', async () => {
  const call = await hotdesk().trunks.main.call('+441632961999');
  expect(await call.ended).toMatchObject({ status: 404 });
});

test('a phone behind another address than it says is called back over the flow it used', async () => {
  await hotdesk().seat(first.extension, PHONES.reception);
  const phone = await hotdesk().unregistered(PHONES.reception);
  phone.agent.contact.uri.host = '192.0.2.77';
  phone.agent.contact.uri.port = 5060;
  expect((await phone.register()).status).toBe(200);
  const call = await hotdesk().trunks.main.call(first.extension);
  const ringing = await phone.nextCall();
  expect(ringing.invite.requestUri).toContain('192.0.2.77');
  await ringing.accept();
  await call.answered;
  await call.hangUp();
});
