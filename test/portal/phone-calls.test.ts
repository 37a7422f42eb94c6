import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import type { PhoneAudio } from '../support/phone-audio.ts';
import type { Call, IncomingCall } from '../support/phone-call.ts';
import {
  dial,
  FAKE_MEDIA,
  heard,
  hears,
  key,
  LISTEN,
  plugIn,
  says,
  softKey,
  toThePhone,
  type,
} from '../support/phone-page.ts';
import { useChromium } from '../support/portal.ts';
import { peakOf, tones } from '../support/sound.ts';
import { eventually } from '../support/wait.ts';

/** Calls of the phone in the browser with ordinary phones: what its keys do, and what the other side hears of it. */

const open = useChromium(FAKE_MEDIA);
const { first, second, leeds } = PEOPLE;
const G711 = { media: { codecs: [8], eventType: 101 } };
let hotdesk: Hotdesk;

beforeAll(async () => {
  hotdesk = await startHotdesk({ demo: true, settings: { sip: { listen: LISTEN } } });
});
afterEach(() => hotdesk.tidy());
afterAll(() => hotdesk?.stop());

async function seated(extension: string, name: string): Promise<Page> {
  const page = await open(hotdesk);
  await plugIn(page, 'Reception desk');
  await hotdesk.seat(extension, PHONES.reception);
  await says(page, `${extension} ${name}`);
  return page;
}

const amelia = (): Promise<Page> => seated(first.extension, 'Amelia Clarke');

async function calls(page: Page, host: string, extension: string): Promise<IncomingCall> {
  const phone = await hotdesk.phone(host, G711);
  await dial(page, extension);
  const call = await phone.nextCall();
  await call.accept();
  await says(page, /^Connected/);
  return call;
}

async function audioOf(call: Call): Promise<PhoneAudio> {
  const { audio } = await call.media();
  if (!audio) throw new Error('there is no sound');
  return audio;
}

/** What this phone hears in the next second and a half, the browser's microphone beeps once in one: the loudest of it. */
async function loudest(audio: PhoneAudio): Promise<number> {
  const from = audio.heard().length;
  await eventually('a while', () => audio.heard().length > from + 12_000, 8_000);
  return peakOf(audio.heard().subarray(from));
}

/** What was said before is still on its way. */
async function isQuiet(audio: PhoneAudio): Promise<void> {
  await expect.poll(() => loudest(audio)).toBeLessThan(0.005);
}

describe('in a call', () => {
  test('keys reach the other side; muted or on hold nothing of this room does; volume is what it says', async () => {
    const page = await amelia();
    const call = await calls(page, PHONES.own, second.extension);
    const audio = await audioOf(call);
    expect(await loudest(audio)).toBeGreaterThan(0.02);
    await toThePhone(page);
    await type(page, '12#');
    await eventually('the keys', () => audio.keys() === '12#', 8_000);
    await key(page, 'Mute').click();
    await says(page, 'Muted');
    await isQuiet(audio);
    await key(page, 'Mute').click();
    await softKey(page, 'Hold').click();
    await says(page, /^On hold/);
    expect(await call.remoteDirection()).toBe('sendonly');
    await isQuiet(audio);
    await softKey(page, 'Resume').click();
    await says(page, /^Connected/);
    expect(await loudest(audio)).toBeGreaterThan(0.02);
    const volume = (): Promise<unknown> => page.evaluate('document.querySelector("audio").volume');
    const before = Number(await volume());
    await key(page, 'Louder').click();
    await eventually('more', async () => Number(await volume()) > before);
  });

  test('asks first, then sends the call on', async () => {
    const page = await amelia();
    const oliver = await calls(page, PHONES.own, second.extension);
    const priya = await hotdesk.phone(PHONES.ownLeeds, G711);
    await softKey(page, 'Transfer').click();
    await softKey(page, 'Cancel').waitFor();
    await toThePhone(page);
    await type(page, leeds.extension);
    await softKey(page, 'Ask first').click();
    const asked = await priya.nextCall();
    await asked.accept();
    await says(page, /^Connected: Priya/);
    await softKey(page, 'Transfer').click();
    await says(page, '1001 Amelia Clarke. Transferred');
    await oliver.hears(asked);
    await asked.hears(oliver);
    await oliver.hangUp();
    await asked.ended;
  });

  test('another one waits, and can be answered', async () => {
    const page = await amelia();
    const oliver = await calls(page, PHONES.own, second.extension);
    const priya = await hotdesk.phone(PHONES.ownLeeds, G711);
    const waiting = await priya.call(first.extension);
    await says(page, 'Incoming call: Priya');
    await softKey(page, 'Answer').click();
    await waiting.answered;
    await says(page, /^Connected: Priya/);
    await eventually('hold', async () => (await oliver.remoteDirection()) === 'sendonly');
    await softKey(page, 'Swap').click();
    await says(page, /^Connected: Oliver/);
    await eventually('hold', async () => (await waiting.remoteDirection()) === 'sendonly');
    await waiting.hangUp();
  });

  test('what sounds before the answer is heard', async () => {
    const page = await amelia();
    await dial(page, '01632960123');
    const call = await hotdesk.trunks.main.nextCall();
    await call.earlyMedia();
    (await audioOf(call)).say(tones(8_000, [440], -10));
    await says(page, /^Ringing/);
    await hears(page, 'the announcement');
    expect(await heard(page)).toBeGreaterThan(0);
    await call.reject(404);
    await says(page, '1001 Amelia Clarke');
  });
});

describe('a person at two phones', () => {
  test('both ring; whoever answers has it, the other has missed nothing', async () => {
    const page = await seated(second.extension, 'Oliver Hughes');
    const own = await hotdesk.phone(PHONES.own);
    const priya = await hotdesk.phone(PHONES.ownLeeds);
    const call = await priya.call(second.extension);
    await says(page, 'Incoming call: Priya');
    const atOwn = await own.nextCall();
    await atOwn.accept();
    await call.answered;
    await softKey(page, 'Answer').waitFor({ state: 'detached' });
    expect(await page.locator('.vvx [role=status]').textContent()).toBe('1002 Oliver Hughes');
    await call.hangUp();
    const again = await priya.call(second.extension);
    await says(page, 'Incoming call: Priya');
    const cancelled = await own.nextCall();
    await softKey(page, 'Answer').click();
    await again.answered;
    expect(await cancelled.ended).toMatchObject({ by: 'them', reason: expect.stringContaining('cause=200') });
    await again.hangUp();
  });
});
