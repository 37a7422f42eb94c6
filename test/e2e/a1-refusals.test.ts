import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { dialLogIn, endedByServer } from '../support/log-in.ts';
import { MACRO } from '../support/phone-audio.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule A1, when it does not work out: wrong, unknown, nothing, given up. */

const hotdesk = useHotdesk();
const ann = PEOPLE.first;

describe('A1: when it does not work out', () => {
  test('a wrong PIN and an unknown extension sound the same; three tries, then 403', async () => {
    const known = tryThreeTimes(PHONES.leeds, PEOPLE.leeds.extension);
    const unknown = tryThreeTimes(PHONES.window, '1999');
    expect(await known).toContain('login-failed');
    expect(await unknown).toEqual(await known);
    expect(await hotdesk().guestAt(PHONES.leeds)).toBeUndefined();
  });

  test('nothing typed for twelve seconds: said so, and asked again', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await dialLogIn(phone);
    await call.heard('no-input', 18_000);
    await call.heard('try-again');
    await call.hangUp();
  });

  test('three empty fields: the call is ended', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('*90');
    await call.answered;
    await call.digits('###', MACRO);
    const end = await endedByServer(call, 30_000);
    expect(end.reason).toContain('cause=408');
  });

  test('hanging up in the middle changes nothing and leaves no call behind', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await dialLogIn(phone);
    await call.digits(`${ann.extension}#58`);
    await call.hangUp();
    await sleep(200);
    expect(await hotdesk().guestAt(PHONES.reception)).toBeUndefined();
  });
});

/** Three wrong PINs, typed ahead once the first question is heard; resolves with what the caller heard. */
async function tryThreeTimes(host: string, extension: string): Promise<readonly string[]> {
  const phone = await hotdesk().phone(host);
  const call = await dialLogIn(phone);
  for (let tries = 0; tries < 3; tries++) await call.digits(`${extension}#999123#`, MACRO);
  const end = await endedByServer(call, 30_000);
  expect(end.reason).toContain('cause=403');
  return call.transcript();
}
