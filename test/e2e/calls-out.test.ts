import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import type { Phone } from '../support/phone.ts';
import type { IncomingCall, OutgoingCall } from '../support/phone-call.ts';
import { userOf } from '../support/sip-text.ts';
import { useHotdesk } from '../support/suite.ts';

/** Calls of a person at a desk go out as the person; nothing of the desk leaves the house. */

const hotdesk = useHotdesk();
const { first, leeds } = PEOPLE;
const OUTSIDE = '01632960500';

test('A1: From, P-Asserted-Identity and Contact are the guest, in every message of the call', async () => {
  const person = await hotdesk().user(first.extension);
  const { call, far } = await callOut();
  const { invite } = far;
  expect(userOf(invite.header('From'))).toBe(person.callerId);
  expect(userOf(invite.header('P-Asserted-Identity'))).toBe(person.callerId);
  expect(invite.header('From')).toContain(person.name);
  expect(userOf(invite.header('Contact'))).toBe(person.callerId);
  await call.hold();
  await call.resume();
  await call.hangUp();
  await far.ended;
  noTraceOfTheDesk();
});

test('both parties hear each other, directly', async () => {
  const { call, far } = await callOut();
  await call.hears(far);
  await far.hears(call);
  await call.hangUp();
});

test('the far end hangs up: the phone gets BYE, with the far end’s Reason', async () => {
  const { call, far } = await callOut();
  await far.session.bye({ requestOptions: { extraHeaders: ['Reason: Q.850;cause=16;text="bye"'] } });
  expect(await call.ended).toMatchObject({ by: 'them', reason: 'Q.850;cause=16;text="bye"' });
});

test('the phone hangs up: the far end gets BYE', async () => {
  const { call, far } = await callOut();
  await call.hangUp();
  expect(await far.ended).toMatchObject({ by: 'them' });
});

test.each([486, 404, 603])('a final %i of the far end reaches the phone', async (status) => {
  const phone = await atTheDesk();
  hotdesk().trunks.main.onCall((call) => void call.reject(status));
  const call = await phone.call(OUTSIDE);
  expect(await call.ended).toMatchObject({ by: 'them', status });
});

test('ringing is passed on', async () => {
  const phone = await atTheDesk();
  const call = await phone.call(OUTSIDE);
  const far = await hotdesk().trunks.main.nextCall();
  await far.ring();
  await far.accept();
  await call.answered;
  expect(call.progress.map(({ status }) => status)).toEqual([180]);
  await call.hangUp();
});

test('a number that is neither an extension nor public gets 404, with a spoken reason before', async () => {
  const phone = await atTheDesk();
  const call = await phone.call('1999', { earlyMedia: true });
  await call.heard('number-unknown');
  expect(await call.ended).toMatchObject({ status: 404 });
});

test('a colleague is reached where they sit, and sees name and extension', async () => {
  await hotdesk().seat(leeds.extension, PHONES.leeds);
  const other = await hotdesk().phone(PHONES.leeds);
  const phone = await atTheDesk();
  const call = await phone.call(leeds.extension);
  const ringing = await other.nextCall();
  const person = await hotdesk().user(first.extension);
  expect(userOf(ringing.invite.header('From'))).toBe(first.extension);
  expect(ringing.invite.header('From')).toContain(person.name);
  expect(ringing.invite.text).not.toContain(PHONES.reception);
  await ringing.accept();
  await call.answered;
  await call.hears(ringing);
  await call.hangUp();
});

test('no offer in the INVITE: the far end offers, the phone answers in its ACK', async () => {
  const phone = await atTheDesk();
  const call = await phone.call(OUTSIDE, { withoutSdp: true });
  const far = await hotdesk().trunks.main.nextCall();
  await far.accept();
  await call.answered;
  await call.hears(far);
  await far.hears(call);
  await call.hangUp();
});

test('sixty-nine hops are left of seventy', async () => {
  const { call, far } = await callOut();
  expect(far.invite.header('Max-Forwards')).toBe('69');
  await call.hangUp();
});

async function atTheDesk(): Promise<Phone> {
  await hotdesk().seat(first.extension, PHONES.reception);
  return hotdesk().phone(PHONES.reception, { displayName: 'Reception desk' });
}

async function callOut(): Promise<{ call: OutgoingCall; far: IncomingCall }> {
  const phone = await atTheDesk();
  const call = await phone.call(OUTSIDE);
  const far = await hotdesk().trunks.main.nextCall();
  await far.accept();
  await call.answered;
  return { call, far };
}

/** The desk's name, MAC and SIP user stand in no octet the trunk got. */
function noTraceOfTheDesk(): void {
  const received = hotdesk().trunks.main.everythingReceived().toLowerCase();
  expect(received).toContain('invite sip:');
  for (const word of [PHONES.reception, '0004f2000001', 'reception', 'polycom/']) {
    expect(received).not.toContain(word);
  }
}
