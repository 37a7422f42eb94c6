import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import type { Phone } from '../support/phone.ts';
import type { IncomingCall, OutgoingCall } from '../support/phone-call.ts';
import { useHotdesk } from '../support/suite.ts';
import { within } from '../support/wait.ts';

/** Transfer by the phone (RFC 3515, RFC 5589): blind to a number, attended to a second call. */

const hotdesk = useHotdesk({ voicemail: false });
const { first, leeds } = PEOPLE;

describe('blind transfer', () => {
  test('to a colleague: the far end talks to the colleague, the phone is free', async () => {
    const { call, far } = await aCall();
    const colleague = await atLeeds();
    const transfer = await call.refer(leeds.extension);
    expect(transfer.status).toBe(202);
    const ringing = await colleague.nextCall();
    await ringing.accept();
    expect(await within(5000, 'the end of the transfer', transfer.finished)).toBe('SIP/2.0 200 OK');
    expect(await call.ended).toMatchObject({ by: 'them' });
    await far.hears(ringing);
    await ringing.hears(far);
    await far.hangUp();
    expect(await ringing.ended).toMatchObject({ by: 'them' });
  });

  test('to an outside number: as the guest', async () => {
    const { call, far } = await aCall();
    const person = await hotdesk().user(first.extension);
    await call.refer('01632960501');
    const other = await hotdesk().trunks.main.nextCall();
    expect(other.invite.header('From')).toContain(person.callerId);
    await other.accept();
    await other.hears(far);
    await far.hangUp();
    await other.ended;
  });

  test('to somebody who does not answer: the phone is told and keeps its call', async () => {
    const { call, far } = await aCall();
    const colleague = await atLeeds();
    colleague.onCall((ringing) => void ringing.reject(486));
    const transfer = await call.refer(leeds.extension);
    expect(await within(5000, 'the end of the transfer', transfer.finished)).toMatch(/^SIP\/2\.0 486/);
    await call.hears(far);
    await call.hangUp();
  });

  test.each(['*91', '999'])('to %s: refused', async (target) => {
    const { call } = await aCall();
    expect((await call.refer(target)).status).toBe(603);
    await call.hangUp();
  });
});

describe('attended transfer', () => {
  test('the two far ends are joined, both calls of the phone end', async () => {
    const { call, far, phone } = await aCall();
    const colleague = await atLeeds();
    await call.hold();
    const consultation = await phone.call(leeds.extension);
    const ringing = await colleague.nextCall();
    await ringing.accept();
    await consultation.answered;
    await consultation.hears(ringing);
    const transfer = await consultation.referReplaces(call);
    expect(transfer.status).toBe(202);
    expect(await within(5000, 'the end of the transfer', transfer.finished)).toBe('SIP/2.0 200 OK');
    await ringing.hears(far);
    await far.hears(ringing);
    expect(await call.ended).toMatchObject({ by: 'them' });
    expect(await consultation.ended).toMatchObject({ by: 'them' });
    await far.hangUp();
    expect(await ringing.ended).toMatchObject({ by: 'them' });
  });
});

test('a trunk may not transfer: 603', async () => {
  const { call, far } = await aCall();
  expect((await far.refer('01632960502')).status).toBe(603);
  await call.hangUp();
});

async function aCall(): Promise<{ phone: Phone; call: OutgoingCall; far: IncomingCall }> {
  await hotdesk().seat(first.extension, PHONES.reception);
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await phone.call('01632960500');
  const far = await hotdesk().trunks.main.nextCall();
  await far.accept();
  await call.answered;
  return { phone, call, far };
}

async function atLeeds(): Promise<Phone> {
  await hotdesk().seat(leeds.extension, PHONES.leeds);
  return hotdesk().phone(PHONES.leeds);
}
