import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { endedByServer } from '../support/log-in.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule A3: a phone with nobody on it makes and takes no calls. (Emergency calls: a3-a6-emergency.test.ts.) */

const hotdesk = useHotdesk({ voicemail: false });

describe('A3: a free phone', () => {
  test('calling out is answered with how to log in, then refused', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('01632960500');
    await call.answered;
    const end = await endedByServer(call);
    expect(end.reason).toMatch(/SIP;cause=403/);
    expect(await call.transcript()).toEqual([
      ...['phone-free', 'to-log-in', 'digit-star', 'digit-9', 'digit-0'],
      'emergency-note',
    ]);
    expect(hotdesk().trunks.main.received('INVITE')).toEqual([]);
  });

  test('calling a colleague is no different', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call(PEOPLE.second.extension);
    await call.heard('phone-free');
    await call.hangUp();
  });

  test('the phone itself cannot be called by its own name', async () => {
    await hotdesk().phone(PHONES.reception);
    const call = await hotdesk().trunks.main.call(PHONES.reception);
    expect(await call.ended).toMatchObject({ status: 404 });
  });
});

describe('A3: a person who is nowhere', () => {
  test('a call from outside gets 480', async () => {
    const call = await hotdesk().trunks.main.call(PEOPLE.first.extension);
    expect(await call.ended).toMatchObject({ by: 'them', status: 480 });
  });

  test('a call from a colleague gets 480 after a spoken reason', async () => {
    await hotdesk().seat(PEOPLE.leeds.extension, PHONES.leeds);
    const phone = await hotdesk().phone(PHONES.leeds);
    const call = await phone.call(PEOPLE.first.extension, { earlyMedia: true });
    await call.heard('call-failed');
    expect(await call.ended).toMatchObject({ status: 480 });
  });
});

describe('who is not known', () => {
  test('a phone with a wrong password gets 403, to REGISTER and to INVITE', async () => {
    const phone = await hotdesk().unregistered(PHONES.reception, { password: 'not-it' });
    expect((await phone.register()).status).toBe(403);
    const call = await phone.call('*90');
    expect(await call.ended).toMatchObject({ status: 403 });
  });

  test('a phone nobody has heard of gets the same', async () => {
    const phone = await hotdesk().unregistered('cp00000000dead');
    expect((await phone.register()).status).toBe(403);
  });

  test('From alone proves nothing: credentials of one phone do not log in at another', async () => {
    const phone = await hotdesk().phone(PHONES.leeds);
    const call = await phone.call('*90', { from: { user: PHONES.reception } });
    await call.heard('enter-extension');
    await call.digits(`${PEOPLE.leeds.extension}#${PEOPLE.leeds.pin}#`);
    await hotdesk().expectGuest(PHONES.leeds, PEOPLE.leeds.extension);
    expect(await hotdesk().guestAt(PHONES.reception)).toBeUndefined();
  });
});
