import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import type { IncomingCall, OutgoingCall } from '../support/phone-call.ts';
import {
  dial,
  FAKE_MEDIA,
  key,
  LISTEN,
  plugIn,
  says,
  softKey,
  toThePhone,
  type,
} from '../support/phone-page.ts';
import { picture, useChromium } from '../support/portal.ts';
import { userOf } from '../support/sip-text.ts';
import { eventually } from '../support/wait.ts';

/** Emergency calls of the phone in the browser: whatever else is true they go out, and a call back rings. */

const open = useChromium(FAKE_MEDIA);
const { first, second, leeds } = PEOPLE;
let hotdesk: Hotdesk;

beforeAll(async () => {
  hotdesk = await startHotdesk({ demo: true, settings: { sip: { listen: LISTEN } } });
});
afterEach(() => hotdesk.tidy());
afterAll(() => hotdesk?.stop());

/** A page of the reception desk's phone; `script` runs in it first. */
async function reception(script = ''): Promise<Page> {
  const page = await open(hotdesk);
  await page.addInitScript(script);
  await plugIn(page, 'Reception desk');
  return page;
}

async function seated(): Promise<Page> {
  const page = await reception();
  await hotdesk.seat(first.extension, PHONES.reception);
  await says(page, '1001 Amelia Clarke');
  return page;
}

/** The emergency services answer, and the screen knows. */
async function helpAnswers(page: Page, withinMs = 5_000): Promise<IncomingCall> {
  const psap = await hotdesk.trunks.emergency.nextCall(withinMs);
  await psap.accept();
  await says(page, /Connected: 999/);
  return psap;
}

async function callsAnOrdinaryPhone(page: Page, host: string, extension: string): Promise<IncomingCall> {
  const phone = await hotdesk.phone(host);
  await dial(page, extension);
  const call = await phone.nextCall();
  await call.accept();
  await says(page, /^Connected/);
  return call;
}

describe('an emergency call', () => {
  test('goes out with two calls up; they wait, and are there afterwards', async () => {
    const page = await seated();
    const oliver = await callsAnOrdinaryPhone(page, PHONES.own, second.extension);
    await softKey(page, 'New call').click();
    await callsAnOrdinaryPhone(page, PHONES.ownLeeds, leeds.extension);
    await softKey(page, 'New call').click();
    await dial(page, '01632960123');
    await says(page, 'End one of the two calls first');
    await softKey(page, 'Clear').click();
    await softKey(page, 'New call').click();
    await dial(page, '999');
    const psap = await helpAnswers(page);
    expect(await softKey(page, 'Hold').count()).toBe(0);
    await picture(page, 'phone-emergency-of-three');
    await psap.hangUp();
    await says(page, /^On hold/);
    await softKey(page, 'Resume').click();
    await says(page, /^Connected: Priya/);
    await softKey(page, 'End call').click();
    await softKey(page, 'Resume').click();
    await says(page, /^Connected: Oliver/);
    expect(await oliver.remoteDirection()).toBe('sendrecv');
  });

  test('goes out while it rings, and nobody else rings meanwhile', async () => {
    const page = await seated();
    const oliver = await hotdesk.phone(PHONES.own);
    const call = await oliver.call(first.extension);
    await says(page, 'Incoming call: Oliver');
    await type(page, '999');
    await picture(page, 'phone-emergency-while-ringing');
    await page.keyboard.press('Enter');
    const psap = await helpAnswers(page);
    await call.cancel().catch(() => undefined);
    const another = await oliver.call(first.extension);
    await eventually('the other call', () => another.response ?? hotdesk.trunks.main.received('INVITE')[0]);
    await says(page, /Connected: 999/);
    await psap.hangUp();
    await another.cancel().catch(() => undefined);
  });

  test('goes out of a call on hold, of one that is sent on, and of the menu', async () => {
    const page = await seated();
    await callsAnOrdinaryPhone(page, PHONES.own, second.extension);
    await softKey(page, 'Hold').click();
    await says(page, /^On hold/);
    await dial(page, '999');
    await (await helpAnswers(page)).hangUp();
    await says(page, /^On hold/);
    await softKey(page, 'Transfer').click();
    await softKey(page, 'Cancel').waitFor();
    await toThePhone(page);
    await type(page, '999');
    await softKey(page, 'Send now').click();
    await (await helpAnswers(page)).hangUp();
    await says(page, /^On hold/);
    await softKey(page, 'End call').click();
    await key(page, 'Logout').click();
    await key(page, 'Login').click();
    await says(page, /Connected: Login/);
    await softKey(page, 'New call').click();
    await dial(page, '999');
    await (await helpAnswers(page)).hangUp();
    await key(page, 'Login').click();
    await says(page, /Connected: Login/);
    await type(page, '999#');
    const psap = await hotdesk.trunks.emergency.nextCall();
    await psap.accept();
    await key(page, 'End call').click();
    await psap.ended;
  });

  test('goes out without a microphone, and by a phone that may not register', async () => {
    const refused = `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));`;
    const page = await open(hotdesk);
    await page.addInitScript(refused);
    await page.route('**/api/v1/web-phone', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replaceAll('"demo-', '"not-') });
    });
    await page.goto('/phone');
    await page.getByRole('radio', { name: 'Reception desk' }).check();
    await key(page, 'Plug in').click();
    await says(page, 'does not know this phone or its password');
    await dial(page, '999');
    await (await helpAnswers(page)).hangUp();
  });

  test('goes out right after the connection broke, and by another when nobody is behind it', async () => {
    const page = await reception();
    const trunk = hotdesk.trunks.emergency;
    await page.evaluate('window.sockets.at(-1).close()');
    await dial(page, '999');
    await (await helpAnswers(page)).hangUp();
    await page.evaluate('window.sockets.at(-1).send = () => undefined');
    await dial(page, '999');
    await (await helpAnswers(page, 10_000)).hangUp();
    expect(trunk.received('INVITE')).toHaveLength(2);
    await says(page, 'Reception desk: Free');
  });
});

describe('a call back of the emergency services', () => {
  /** The number they would call. */
  async function calledForHelp(page: Page): Promise<string> {
    await dial(page, '999');
    const psap = await helpAnswers(page);
    await psap.hangUp();
    await says(page, /^(?!Connected)/);
    return userOf(psap.invite.header('P-Asserted-Identity'));
  }

  async function rings(page: Page, number: string): Promise<OutgoingCall> {
    const back = await hotdesk.trunks.emergency.call(number);
    await softKey(page, 'Answer').waitFor({ timeout: 5_000 });
    await softKey(page, 'Answer').click();
    await back.answered;
    await says(page, /^Connected/);
    return back;
  }

  test('rings with nobody there, with somebody else there who sends all calls away, and with two calls up', async () => {
    const page = await seated();
    const number = await calledForHelp(page);
    await key(page, 'Logout').click();
    await says(page, 'Reception desk: Free');
    await (await rings(page, number)).hangUp();
    const json = { forwarding: { always: leeds.extension } };
    const away = await hotdesk.api(`/api/v1/users/${second.extension}/calls`, { method: 'PATCH', json });
    expect(away.status).toBe(200);
    await hotdesk.seat(second.extension, PHONES.reception);
    await says(page, '1002 Oliver Hughes');
    await (await rings(page, number)).hangUp();
    await callsAnOrdinaryPhone(page, PHONES.ownLeeds, leeds.extension);
    await softKey(page, 'New call').click();
    await dial(page, '01632960124');
    await (await hotdesk.trunks.main.nextCall()).accept();
    await says(page, /^Connected: 0163/);
    const back = await rings(page, number);
    await picture(page, 'phone-called-back');
    await back.hangUp();
    await says(page, /^On hold/);
  });
});
