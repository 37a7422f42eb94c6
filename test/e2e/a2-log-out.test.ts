import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { endedByServer } from '../support/log-in.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule A2: dial *91 and the phone is free again. */

const hotdesk = useHotdesk({ voicemail: false });

test('A2: *91 asks nothing, says who was logged out, and ends the call', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await phone.call('*91');
  await call.answered;
  await call.heard('logged-out-as');
  const end = await endedByServer(call);
  expect(end.reason).toContain('cause=200');
  const digits = ['digit-1', 'digit-0', 'digit-0', 'digit-1'];
  expect(await call.transcript()).toEqual(['extension', ...digits, 'logged-out-as']);
  await hotdesk().expectGuest(PHONES.reception, undefined);
});

test('A2, A3: after *91 the phone makes no calls and the person is not reached there', async () => {
  const { main } = hotdesk().trunks;
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  await (await phone.call('*91')).ended;
  const outgoing = await phone.call('01632960500');
  await outgoing.heard('phone-free');
  await outgoing.hangUp();
  const incoming = await main.call(PEOPLE.first.extension);
  expect(await incoming.ended).toMatchObject({ status: 480 });
});

test('A2: with nobody there, *91 says so, and asks who wants to leave another phone', async () => {
  const phone = await hotdesk().phone(PHONES.leeds);
  const call = await phone.call('*91');
  await call.heard('enter-extension');
  expect(await call.transcript()).toEqual(['not-logged-in', 'log-out-elsewhere', 'enter-extension']);
  await call.hangUp();
});

test('A2: the code as %2A91 and with user=phone is the same code', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  phone.wire.onSend = (text) => text.replace(/^(INVITE |To: <)sip:\*91@/gm, '$1sip:%2A91@');
  const call = await phone.call('*91');
  await call.heard('logged-out-as');
  await call.hangUp();
  const [asked] = phone.wire.trace.filter(({ message }) => message.method === 'INVITE');
  expect(asked?.message.requestUri).toMatch(/^sip:%2A91@.*;user=phone$/);
});
