import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { dialLogIn, endedByServer, logInByHand, logInBySoftKey } from '../support/log-in.ts';
import { MACRO } from '../support/phone-audio.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule A1: at a common phone dial *90, type extension and PIN, and the phone is yours. */

const hotdesk = useHotdesk();
const ann = PEOPLE.first;

describe('A1: logging in by keypad', () => {
  test('by hand: question, extension, question, PIN, confirmation, hang-up', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await logInByHand(phone, ann);
    await call.heard('logged-in-as');
    expect(await hotdesk().guestAt(PHONES.reception)).toBe(ann.extension);
    await endedByServer(call);
  });

  test('the Login soft key: two bursts of 50 ms keys on payload type 127', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await logInBySoftKey(phone, ann);
    await call.heard('logged-in-as');
    await hotdesk().expectGuest(PHONES.reception, ann.extension);
  });

  test('both fields in one burst, right after the answer', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('*90');
    await call.answered;
    await call.digits(`${ann.extension}#${ann.pin}#`, MACRO);
    await call.heard('logged-in-as');
    await hotdesk().expectGuest(PHONES.reception, ann.extension);
  });

  test('typing stops the prompt', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await dialLogIn(phone);
    await call.digits(`${ann.extension}#`);
    await call.heard('enter-pin');
    const { ear } = await call.media();
    expect(ear.share('enter-extension')).toBeLessThan(0.8);
    await call.hangUp();
  });

  test('without # the field ends by itself, four seconds after the last key', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await dialLogIn(phone);
    await call.digits(ann.extension);
    const typed = Date.now();
    await call.heard('enter-pin');
    expect(Date.now() - typed).toBeGreaterThan(3500);
    expect(Date.now() - typed).toBeLessThan(5500);
    await call.digits(`${ann.pin}#`);
    await call.heard('logged-in-as');
  });

  test('999 typed instead of an extension places the emergency call', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await dialLogIn(phone);
    await call.digits('999');
    const emergency = await hotdesk().trunks.emergency.nextCall(9000);
    await emergency.accept();
    await call.hears(emergency);
    await emergency.hears(call);
    await call.hangUp();
  });

  test('an extension and PIN dialled behind *90 go nowhere', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call(`*90${ann.extension}`);
    expect(await call.ended).toMatchObject({ by: 'them', status: 484 });
  });
});
