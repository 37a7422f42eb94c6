import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { dialLogIn, endedByServer, logInByHand, logInBySoftKey } from '../support/log-in.ts';
import { MACRO } from '../support/phone-audio.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule A1, the ways digits and audio come: RFC 4733, SIP INFO, codecs, transports, offers. */

const hotdesk = useHotdesk();
const ann = PEOPLE.first;

describe('A1: ways digits come', () => {
  test.each([127, 101, 96])('RFC 4733 on payload type %i', async (eventType) => {
    const phone = await hotdesk().phone(PHONES.reception, { media: { eventType } });
    const call = await phone.call('*90');
    await call.answered;
    await call.digits(`${ann.extension}#${ann.pin}#`, MACRO);
    await call.heard('logged-in-as');
  });

  test.each(['application/dtmf-relay', 'application/dtmf'])('SIP INFO as %s', async (type) => {
    const phone = await hotdesk().phone(PHONES.reception, { media: { eventType: undefined } });
    const call = await dialLogIn(phone);
    const statuses = await call.infoDigits(`${ann.extension}#${ann.pin}#`, { type });
    expect(new Set(statuses)).toEqual(new Set([200]));
    await call.heard('logged-in-as');
  });

  test('an INFO nobody understands gets 415', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await dialLogIn(phone);
    expect(await call.infoDigits('1', { type: 'application/x-unknown' })).toEqual([415]);
    await call.hangUp();
  });

  test('a phone that sends each key twice, by RTP and by INFO, has typed it once', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await dialLogIn(phone);
    for (const key of `${ann.extension}#${ann.pin}#`) {
      await Promise.all([call.digits(key), call.infoDigits(key, { type: 'application/dtmf-relay', gap: 0 })]);
    }
    await call.heard('logged-in-as');
  });

  test.each([
    ['G.722', 9],
    ['PCMU', 0],
    ['PCMA', 8],
  ])('audio in %s', async (_name, codec) => {
    const phone = await hotdesk().phone(PHONES.reception, { media: { codecs: [codec] } });
    const call = await logInBySoftKey(phone, ann);
    await call.heard('logged-in-as');
  });

  test('a phone on TCP', async () => {
    const phone = await hotdesk().phone(PHONES.reception, { protocol: 'tcp' });
    const call = await logInByHand(phone, ann);
    await call.heard('logged-in-as');
    await endedByServer(call);
  });

  test('a phone that offers nothing in the INVITE and answers in the ACK', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('*90', { withoutSdp: true });
    await call.answered;
    await call.heard('enter-extension');
    await call.digits(`${ann.extension}#${ann.pin}#`, MACRO);
    await call.heard('logged-in-as');
  });

  test('a phone with nothing we can play gets 488', async () => {
    const phone = await hotdesk().phone(PHONES.reception, { media: { codecs: [18] } });
    const call = await phone.call('*90');
    expect(await call.ended).toMatchObject({ status: 488 });
  });
});
