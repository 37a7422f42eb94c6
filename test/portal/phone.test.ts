import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { FakePbx } from '../support/fake-pbx.ts';
import { type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import { FAKE_MEDIA, hears, key, LISTEN, logIn, plugIn, ready, says, type } from '../support/phone-page.ts';
import { accessibilityProblems, picture, type Size, useChromium } from '../support/portal.ts';
import { startTcpRedis } from '../support/tcp-redis.ts';
import { eventually } from '../support/wait.ts';

/** The phone in the browser: real registrations and calls of Chromium, through the WebSocket of a real server. */

const open = useChromium(FAKE_MEDIA);
const { first, second } = PEOPLE;
let hotdesk: Hotdesk;
let pbx: FakePbx;

beforeAll(async () => {
  pbx = await FakePbx.open('127.0.0.2');
  const uri = `sip:${pbx.local.host}:${pbx.local.port};transport=udp`;
  const credentials = { username: 'hotdesk', password: 'password-of-the-trunk' };
  const main = { uri, credentials, voicemail: { subscribe: true } };
  hotdesk = await startHotdesk({
    demo: true,
    settings: { sip: { listen: LISTEN } },
    trunkSettings: { main },
  });
  pbx.wire.aim(hotdesk.sip.udp);
});
afterEach(() => hotdesk.tidy());
afterAll(async () => {
  await hotdesk?.stop();
  await pbx?.close();
});

async function phoneNamed(name: string): Promise<Page> {
  const page = await open(hotdesk);
  await plugIn(page, name);
  return page;
}

describe('a phone in the browser', () => {
  test('registers, is logged in at by its keys, and is somebody’s', async () => {
    const page = await phoneNamed('Reception desk');
    const { body } = await hotdesk.api(`/api/v1/hosts/${PHONES.reception}`);
    expect(body).toMatchObject({ registered: true });
    await says(page, 'Reception desk: Free');
    await key(page, 'Login').click();
    await says(page, /Connected: Login/);
    await hears(page, 'the prompt');
    for (const digit of first.extension) await key(page, padName(digit)).click();
    await key(page, 'Hash').click();
    await type(page, `${first.pin}#`);
    await says(page, '1001 Amelia Clarke');
    await hotdesk.expectGuest(PHONES.reception, first.extension);
    await key(page, 'Logout').waitFor();
    expect(await page.locator('.vvx').innerText()).toContain('until');
  });

  test('shows why a PIN was not right, and no digit of it', async () => {
    const page = await phoneNamed('Reception desk');
    await key(page, 'Login').click();
    await says(page, /Connected: Login/);
    await type(page, '1001#');
    await type(page, '470316#');
    await eventually('dots', async () => /•{12}/.test(await page.locator('.vvx-screen').innerText()));
    expect(await page.locator('body').innerText()).not.toContain('470316');
    await key(page, 'End call').click();
    await says(page, 'Reception desk: Free');
  });

  test('is logged out by its key, and from the portal at once', async () => {
    const page = await phoneNamed('Reception desk');
    await hotdesk.seat(first.extension, PHONES.reception);
    await says(page, '1001 Amelia Clarke');
    await hotdesk.api(`/api/v1/hosts/${PHONES.reception}/association`, { method: 'DELETE' });
    await says(page, 'Reception desk: Free');
    await hotdesk.seat(first.extension, PHONES.reception);
    await says(page, '1001 Amelia Clarke');
    await key(page, 'Logout').click();
    await says(page, 'Reception desk: Free');
    await hotdesk.expectGuest(PHONES.reception, undefined);
  });

  test('lights its lamp for the messages of who is there, and calls for them', async () => {
    const page = await phoneNamed('Reception desk');
    await hotdesk.seat(first.extension, PHONES.reception);
    await eventually('the mailbox is watched', () => pbx.watched.has(first.extension), 10_000);
    await pbx.set(first.extension, 3);
    await page.getByRole('img', { name: 'Message lamp: on' }).waitFor();
    await says(page, '3 new messages');
    await picture(page, 'phone-messages');
    await key(page, 'Messages').click();
    const call = await eventually('a call to the mailbox', () => pbx.invites.shift());
    expect(call.header('Diversion')).toContain(`sip:${first.extension}@`);
    await pbx.set(first.extension, 0);
    await page.getByRole('img', { name: 'Message lamp: off' }).waitFor();
  });

  test('makes an emergency call with nobody on it', async () => {
    const page = await phoneNamed('Reception desk');
    await page.evaluate('document.getElementById("phone-set").focus()');
    await type(page, '999');
    await page.keyboard.press('Enter');
    const psap = await hotdesk.trunks.emergency.nextCall();
    await psap.accept();
    await says(page, /Connected: 999/);
    await key(page, 'End call').click();
    await psap.ended;
  });

  test('calls nobody else with nobody on it, and says so', async () => {
    const page = await phoneNamed('Reception desk');
    await page.evaluate('document.getElementById("phone-set").focus()');
    await type(page, '1002');
    await page.keyboard.press('Enter');
    await says(page, 'Nobody is logged in at this phone');
  });
});

function padName(digit: string): string {
  const letters = ['', '', 'ABC', 'DEF', 'GHI', 'JKL', 'MNO', 'PQRS', 'TUV', 'WXYZ'][Number(digit)];
  return letters ? `${digit} ${letters}` : digit;
}

describe('two of them, side by side', () => {
  async function pair(): Promise<{ desk: Page; own: Page }> {
    const desk = await phoneNamed('Reception desk');
    await hotdesk.seat(first.extension, PHONES.reception);
    await says(desk, '1001 Amelia Clarke');
    const own = await desk.context().newPage();
    await plugIn(own, 'Oliver');
    return { desk, own };
  }

  test('call each other, and hear each other', async () => {
    const { desk, own } = await pair();
    await desk.bringToFront();
    await desk.evaluate('document.getElementById("phone-set").focus()');
    await type(desk, second.extension);
    await key(desk, 'Dial').click();
    await says(own, 'Incoming call: Amelia Clarke');
    await picture(own, 'phone-ringing');
    await key(own, 'Answer').click();
    await says(desk, 'Connected: Oliver Hughes');
    await hears(desk, 'Oliver');
    await hears(own, 'Amelia');
    await picture(desk, 'phone-talking');
    await desk.locator('.vvx-soft-keys').getByRole('button', { name: 'Hold' }).click();
    await says(desk, 'On hold: Oliver Hughes');
    await says(own, 'They put you on hold');
    await desk.locator('.vvx-soft-keys').getByRole('button', { name: 'Resume' }).click();
    await says(desk, 'Connected: Oliver Hughes');
    await key(own, 'End call').click();
    await says(desk, '1001 Amelia Clarke');
  });

  test('a call is sent on to somebody else', async () => {
    const { desk, own } = await pair();
    const priya = await desk.context().newPage();
    await plugIn(priya, 'Priya');
    await desk.bringToFront();
    await desk.evaluate('document.getElementById("phone-set").focus()');
    await type(desk, second.extension);
    await key(desk, 'Dial').click();
    await says(own, 'Incoming call: Amelia Clarke');
    await key(own, 'Answer').click();
    await says(own, 'Connected: Amelia Clarke');
    const keys = own.locator('.vvx-soft-keys');
    await keys.getByRole('button', { name: 'Transfer' }).click();
    await says(desk, 'They put you on hold');
    await type(own, PEOPLE.leeds.extension);
    await key(own, 'Send now').click();
    await says(priya, 'Incoming call: Oliver Hughes');
    await key(priya, 'Answer').click();
    await says(priya, 'Connected: Oliver Hughes');
    await says(own, 'Transferred');
    await hears(priya, 'Amelia');
    await key(priya, 'End call').click();
    await says(desk, '1001 Amelia Clarke');
  });

  test('a call nobody answers is a missed one', async () => {
    const { desk, own } = await pair();
    await own.evaluate('document.getElementById("phone-set").focus()');
    await type(own, first.extension);
    await key(own, 'Dial').click();
    await says(desk, 'Incoming call: Oliver Hughes');
    await key(own, 'Cancel').click();
    await says(desk, 'Missed call: Oliver Hughes');
  });
});

test('the tour goes on by what happens, and can be closed', async () => {
  const page = await phoneNamed('Reception desk');
  const tour = page.getByRole('complementary', { name: 'Two-minute tour' });
  await tour.getByText('Press Login').waitFor();
  await key(page, 'Login').click();
  await tour.getByText('Type 1001 and #').waitFor();
  await says(page, /Connected: Login/);
  await type(page, `${first.extension}#${first.pin}#`);
  const [other] = await Promise.all([
    page.context().waitForEvent('page'),
    tour.getByRole('link', { name: /Open Oliver’s phone/ }).click(),
  ]);
  expect(await other.getByRole('radio', { name: /Oliver/ }).isChecked()).toBe(true);
  await other.getByRole('button', { name: 'Plug in' }).click();
  await tour.getByText('Dial 1002').waitFor();
  await page.bringToFront();
  await page.evaluate('document.getElementById("phone-set").focus()');
  await type(page, second.extension);
  await page.keyboard.press('Enter');
  await tour.getByText('Go to the other tab').waitFor();
  await other.getByRole('complementary').getByText('Press Answer').waitFor();
  await key(other, 'Answer').click();
  await tour.getByText('A real'.toLowerCase()).or(tour.getByText('real call')).first().waitFor();
  await key(page, 'End call').click();
  await key(page, 'Logout').click();
  await tour.getByText('has forgotten you').waitFor();
  await tour.getByRole('button', { name: 'Close the tour' }).click();
  await tour.waitFor({ state: 'detached' });
});

describe('when things go wrong', () => {
  test('no microphone: it says so, registers, and is logged in at all the same', async () => {
    const page = await open(hotdesk);
    await page.addInitScript(
      `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));`,
    );
    await plugIn(page, 'Reception desk');
    await says(page, 'Microphone not allowed');
    await logIn(page, first);
  });

  test('no WebRTC: calls are silent, and keys still work', async () => {
    const page = await open(hotdesk);
    await page.addInitScript('delete window.RTCPeerConnection;');
    await page.goto('/phone');
    await page.getByRole('radio', { name: 'Reception desk' }).check();
    await page.getByRole('button', { name: 'Plug in' }).click();
    await ready(page);
    await key(page, 'Login').click();
    await page.getByText('No sound on this call').waitFor();
    await says(page, /Connected: Login/);
    await type(page, `${first.extension}#${first.pin}#`);
    await hotdesk.expectGuest(PHONES.reception, first.extension, 10_000);
    await page.locator('.vvx-line-label').filter({ hasText: '1001 Amelia Clarke' }).waitFor();
  });

  test('reloaded again and again it is one phone, and registers', async () => {
    const bindings = async (): Promise<number> =>
      (await hotdesk.api(`/api/v1/hosts/${PHONES.leeds}`)).body.bindings.length;
    const page = await phoneNamed('Leeds desk');
    const before = await bindings();
    for (let times = 0; times < 6; times++) {
      await page.reload();
      await ready(page);
    }
    // Other tests' browsers may still be there, or not any more.
    await eventually('one again', async () => (await bindings()) <= before);
    await hotdesk.seat(first.extension, PHONES.leeds);
    await says(page, '1001 Amelia Clarke');
  });
});

test('the server comes back: the phone registers again, and knows who is there', async () => {
  const redis = await startTcpRedis();
  const start = (port: number, http: number) =>
    startHotdesk({
      ...{ demo: true, redis },
      settings: {
        sip: { listen: LISTEN.map((one) => (one.protocol === 'ws' ? { ...one, port } : one)) },
        http: { port: http, adminToken: 'token-of-the-e2e-administrator' },
      },
    });
  const before = await start(0, 0);
  const page = await open(before);
  await plugIn(page, 'Reception desk');
  await before.stop();
  await says(page, 'No connection to the server');
  const after = await start(before.sip.ws?.port ?? 0, Number(new URL(before.http).port));
  await ready(page);
  await after.seat(first.extension, PHONES.reception);
  await says(page, '1001 Amelia Clarke');
  await after.stop();
  await redis.stop();
});

const LOOKS = [
  ['desk', 'light'],
  ['desk', 'dark'],
  ['tablet', 'light'],
  ['tablet', 'dark'],
  ['phone', 'light'],
  ['phone', 'dark'],
] as const satisfies readonly (readonly [Size, 'light' | 'dark'])[];

test.each(LOOKS)('looks well, and axe finds nothing: %s, %s', async (size, scheme) => {
  const page = await open(hotdesk, { size, scheme });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto('/phone');
  await page.getByRole('button', { name: 'Plug in' }).waitFor();
  const problems = await accessibilityProblems(page);
  await picture(page, `phone-choice-${size}-${scheme}`);
  await plugIn(page, 'Reception desk');
  problems.push(...(await accessibilityProblems(page)));
  await picture(page, `phone-free-${size}-${scheme}`);
  await key(page, 'Login').click();
  await says(page, /Connected: Login/);
  await type(page, '1001#5839');
  problems.push(...(await accessibilityProblems(page)));
  await picture(page, `phone-login-${size}-${scheme}`);
  await type(page, '14#');
  await says(page, '1001 Amelia Clarke');
  await type(page, '01632960');
  problems.push(...(await accessibilityProblems(page)));
  await picture(page, `phone-dial-${size}-${scheme}`);
  const width = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
  expect(width).toBeLessThanOrEqual(0);
  expect(problems).toEqual([]);
  expect(complaints).toEqual([]);
});
