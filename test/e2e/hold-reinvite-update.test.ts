import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import type { IncomingCall, OutgoingCall } from '../support/phone-call.ts';
import { writeSdp } from '../support/phone-sdp.ts';
import { useHotdesk } from '../support/suite.ts';

/** What one side asks of a call that is up is asked of the other. */

const hotdesk = useHotdesk();

test('hold and resume by the phone', async () => {
  const { call, far } = await aCall();
  expect((await call.hold()).status).toBe(200);
  expect(await far.remoteDirection()).toBe('sendonly');
  expect((await call.resume()).status).toBe(200);
  expect(await far.remoteDirection()).toBe('sendrecv');
  await call.hears(far);
  await far.hears(call);
  await call.hangUp();
});

test('hold and resume by the far end', async () => {
  const { call, far } = await aCall();
  expect((await far.hold()).status).toBe(200);
  expect(await call.remoteDirection()).toBe('sendonly');
  expect((await far.resume()).status).toBe(200);
  await call.hears(far);
  await call.hangUp();
});

test('many re-INVITEs one after the other, from both sides', async () => {
  const { call, far } = await aCall();
  for (let round = 0; round < 3; round++) {
    expect((await call.hold()).status).toBe(200);
    expect((await call.resume()).status).toBe(200);
    expect((await far.hold()).status).toBe(200);
    expect((await far.resume()).status).toBe(200);
  }
  await call.hears(far);
  await call.hangUp();
});

test('both at once: one may get 491, the call stays up', async () => {
  const { call, far } = await aCall();
  const [a, b] = await Promise.allSettled([call.hold(), far.hold()]);
  const statuses = [a, b].flatMap((one) => (one.status === 'fulfilled' ? [one.value.status] : []));
  for (const status of statuses) expect([200, 491, 500]).toContain(status);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await call.resume()).status).toBe(200);
  await call.hangUp();
  await far.ended;
});

test('UPDATE without a body is answered here: the session lives', async () => {
  const { call, far } = await aCall();
  expect((await call.update()).status).toBe(200);
  expect((await far.update()).status).toBe(200);
  await call.hangUp();
});

test('UPDATE with a new offer is asked of the other side', async () => {
  const { call, far } = await aCall();
  const port = (await call.media()).audio?.port ?? 0;
  const what = { version: 1553686999, port, types: [8], eventType: 127 };
  const answer = await call.update({ sdp: writeSdp({ ...what, direction: 'sendonly' }) });
  expect(answer.status).toBe(200);
  expect(answer.message.body).toContain('m=audio');
  expect(await far.remoteDirection()).toBe('sendonly');
  await call.hangUp();
});

test('hold while a menu speaks', async () => {
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await phone.call('*90');
  await call.answered;
  expect((await call.hold()).status).toBe(200);
  expect(await call.remoteDirection()).toBe('recvonly');
  expect((await call.resume()).status).toBe(200);
  await call.digits(`${PEOPLE.first.extension}#`);
  await call.heard('enter-pin');
  await call.hangUp();
});

async function aCall(): Promise<{ call: OutgoingCall; far: IncomingCall }> {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await phone.call('01632960500');
  const far = await hotdesk().trunks.main.nextCall();
  await far.accept();
  await call.answered;
  return { call, far };
}
