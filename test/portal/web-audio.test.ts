import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { BROWSER_TONE, heardByBoth, useBrowserPhones } from '../support/browser-phone.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { toneIn, tones } from '../support/sound.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';

/** Audio between a real browser and our media, menus and other phones (RFC 8827; ICE lite, DTLS-SRTP). */

const listen = (['udp', 'tcp', 'ws'] as const).map((protocol) => ({ protocol, host: '127.0.0.1', port: 0 }));
const hotdesk = useHotdesk({ settings: { sip: { listen } }, voicemail: false });
const { first, second } = PEOPLE;

afterEach(async () => {
  await eventually('no relay is left', () => hotdesk().tables().media === 0);
});

const browserPhone = useBrowserPhones();

test('logs in: hears the questions, and its keys are heard', async () => {
  const phone = await browserPhone(hotdesk(), PHONES.window);
  await phone.register();
  await phone.call('*90');
  await phone.hears('the prompt', ({ level }) => level > 0.02);
  await phone.digits(`${first.extension}#`);
  // The first key has ended the first prompt; what sounds after the last is the next.
  await phone.hears('the next prompt', ({ level }) => level > 0.02);
  await phone.digits(`${first.pin}#`);
  await hotdesk().expectGuest(PHONES.window, first.extension, 10_000);
  await phone.ended();
});

test('calls an ordinary phone: both hear each other, and hold and resume go through', async () => {
  await hotdesk().seat(first.extension, PHONES.window);
  const browser = await browserPhone(hotdesk(), PHONES.window, { microphone: false });
  await browser.register();
  const desk = await hotdesk().phone(PHONES.own, { media: { codecs: [8], eventType: 101 } });
  await browser.dial(second.extension);
  const call = await desk.nextCall();
  expect(call.invite.body).toMatch(/m=audio \d+ RTP\/AVP /);
  expect(call.invite.body).not.toMatch(/candidate|fingerprint|crypto/);
  await call.accept();
  const { audio } = await call.media();
  audio?.say(tones(20_000, [440], -15));
  await browser.hears('the desk', ({ tone }) => tone > 0.8, 440);
  await eventually('the browser at the desk', () => toneIn(audio?.heard(), BROWSER_TONE) > 0.8, 8_000);

  await browser.hold(true);
  expect(await call.remoteDirection()).toBe('sendonly');
  await browser.hold(false);
  expect(await call.remoteDirection()).toBe('sendrecv');
  await browser.hears('the desk again', ({ tone }) => tone > 0.8, 440);
  expect((await call.hold()).status).toBe(200);
  expect((await call.resume()).status).toBe(200);
  await browser.hears('the desk after all', ({ tone }) => tone > 0.8, 440);
  await browser.hangUp();
  expect(await call.ended).toMatchObject({ by: 'them' });
});

test('is called by an ordinary phone, and either side hangs up', async () => {
  await hotdesk().seat(first.extension, PHONES.window);
  const browser = await browserPhone(hotdesk(), PHONES.window, { microphone: false });
  await browser.register();
  const desk = await hotdesk().phone(PHONES.own, { media: { codecs: [0, 8], eventType: 127 } });
  for (const ends of ['browser', 'desk'] as const) {
    const call = await desk.call(first.extension);
    await browser.answer();
    await call.answered;
    const { audio } = await call.media();
    audio?.say(tones(10_000, [440], -15));
    await browser.hears('the desk', ({ tone }) => tone > 0.8, 440);
    await eventually('the browser at the desk', () => toneIn(audio?.heard(), BROWSER_TONE) > 0.8, 8_000);
    await (ends === 'browser' ? browser : call).hangUp();
    await (ends === 'browser' ? call.ended : browser.ended());
  }
});

test('two browsers call each other', async () => {
  await hotdesk().seat(first.extension, PHONES.window);
  const one = await browserPhone(hotdesk(), PHONES.window, { microphone: false });
  const other = await browserPhone(hotdesk(), PHONES.own, { microphone: false });
  await one.register();
  await other.register();
  await one.dial(second.extension);
  await other.answer();
  await one.hears('the other', ({ tone }) => tone > 0.8, BROWSER_TONE);
  await other.hears('the one', ({ tone }) => tone > 0.8, BROWSER_TONE);
  await other.hangUp();
  await one.ended();
});

test('makes an emergency call with nobody on it, which the trunk understands and both hear', async () => {
  const browser = await browserPhone(hotdesk(), PHONES.window, { microphone: false });
  await browser.dial('999');
  const psap = await hotdesk().trunks.emergency.nextCall();
  expect(psap.invite.body).toMatch(/m=audio \d+ RTP\/AVP /);
  await psap.accept();
  await heardByBoth(browser, psap);
  await psap.hangUp();
  await browser.ended();
});

test('is in an emergency call when the media worker dies: the call stays up, and both hear each other again', async () => {
  const browser = await browserPhone(hotdesk(), PHONES.window, { microphone: false });
  const worker = mediaWorker();
  await browser.dial('999');
  const psap = await hotdesk().trunks.emergency.nextCall();
  await psap.accept();
  await heardByBoth(browser, psap);
  await (await worker).terminate();
  await browser.hears('nothing', ({ level }) => level < 0.001);
  await heardByBoth(browser, psap);
  expect(await browser.state()).toBe('Established');
  await psap.hangUp();
  await browser.ended();
});

test('types an emergency number at the question, and the call it has becomes the emergency call', async () => {
  const browser = await browserPhone(hotdesk(), PHONES.window, { microphone: false });
  await browser.register();
  await browser.call('*90');
  await browser.hears('the prompt', ({ level }) => level > 0.02);
  await browser.digits('999#');
  const psap = await hotdesk().trunks.emergency.nextCall();
  await psap.accept();
  await heardByBoth(browser, psap);
  await (await mediaWorker()).terminate();
  await browser.hears('nothing', ({ level }) => level < 0.001);
  await heardByBoth(browser, psap);
  await browser.hangUp();
  await psap.ended;
});

test('is transferred to another phone by the desk', async () => {
  await hotdesk().seat(first.extension, PHONES.window);
  const browser = await browserPhone(hotdesk(), PHONES.window, { microphone: false });
  await browser.register();
  const desk = await hotdesk().phone(PHONES.own);
  await browser.dial(second.extension);
  const call = await desk.nextCall();
  await call.accept();
  await eventually('both have the call', async () => (await browser.state()) === 'Established');
  const moved = await call.refer('01632960999');
  const trunk = await hotdesk().trunks.main.nextCall();
  await trunk.accept();
  expect(await moved.finished).toContain('200');
  await heardByBoth(browser, trunk);
  await trunk.hangUp();
  await browser.ended();
});

/** The worker that is asked for a sign of life next. */
async function mediaWorker(): Promise<Worker> {
  const { postMessage } = Worker.prototype;
  try {
    return await new Promise<Worker>((resolve) => {
      Worker.prototype.postMessage = function (this: Worker, ...message) {
        if (message[0]?.type === 'ping') resolve(this);
        postMessage.apply(this, message);
      };
    });
  } finally {
    Worker.prototype.postMessage = postMessage;
  }
}
