import { afterEach, expect, test } from 'vitest';
import { heardByBoth, useBrowserPhones } from '../support/browser-phone.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { LISTEN } from '../support/phone-page.ts';
import { userOf } from '../support/sip-text.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';

/** Browsers where `media.srtp` is `required`: other calls are encrypted, an emergency call goes out. */

const settings = { sip: { listen: LISTEN }, media: { srtp: 'required' } };
const hotdesk = useHotdesk({ settings, voicemail: false });
const { first, second } = PEOPLE;
const browserPhone = useBrowserPhones();

afterEach(async () => {
  await eventually('no relay is left', () => hotdesk().tables().media === 0);
});

test('an emergency call goes out to a trunk that speaks RTP only, and its call back comes in', async () => {
  const browser = await browserPhone(hotdesk(), PHONES.window, { microphone: false });
  await browser.register();
  const { emergency } = hotdesk().trunks;
  await browser.dial('999');
  const encrypted = await emergency.nextCall();
  expect(encrypted.invite.body).toMatch(/m=audio \d+ RTP\/SAVP /);
  await encrypted.reject(488);
  const psap = await emergency.nextCall();
  expect(psap.invite.body).toMatch(/m=audio \d+ RTP\/AVP /);
  expect(psap.invite.body).not.toContain('crypto');
  await psap.accept();
  await heardByBoth(browser, psap);
  await psap.hangUp();
  await browser.ended();
  const back = await emergency.call(userOf(psap.invite.header('P-Asserted-Identity')));
  await browser.answer();
  await back.answered;
  await heardByBoth(browser, back);
  await back.hangUp();
  await browser.ended();
});

test('so does one that was typed at the question', async () => {
  const browser = await browserPhone(hotdesk(), PHONES.window, { microphone: false });
  await browser.register();
  await browser.call('*90');
  await browser.hears('the prompt', ({ level }) => level > 0.02);
  await browser.digits('999#');
  await (await hotdesk().trunks.emergency.nextCall()).reject(488);
  const psap = await hotdesk().trunks.emergency.nextCall();
  await psap.accept();
  await heardByBoth(browser, psap);
  await browser.hangUp();
  await psap.ended;
});

test('any other call is offered encrypted only', async () => {
  await hotdesk().seat(first.extension, PHONES.window);
  const browser = await browserPhone(hotdesk(), PHONES.window, { microphone: false });
  await browser.register();
  const desk = await hotdesk().phone(PHONES.own);
  await browser.dial(second.extension);
  const call = await desk.nextCall();
  expect(call.invite.body).toMatch(/m=audio \d+ RTP\/SAVP /);
  await call.reject(488);
  await browser.ended();
  expect(desk.received('INVITE')).toHaveLength(1);
});
