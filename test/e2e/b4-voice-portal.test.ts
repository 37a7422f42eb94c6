import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES, SERVICES } from '../support/demo.ts';
import { endedByServer, logInByHand } from '../support/log-in.ts';
import { BY_HAND, MACRO } from '../support/phone-audio.ts';
import type { OutgoingCall } from '../support/phone-call.ts';
import { likeness, voiceOf } from '../support/sound.ts';
import { useHotdesk } from '../support/suite.ts';
import { choose, enterOwnPortal, enterPortal, extensionClips } from '../support/voice-portal.ts';
import { eventually } from '../support/wait.ts';

/** Rule B4: the voice portal from any phone; who is it, the menus, the status of the host, the name, the PIN, the address. */

const hotdesk = useHotdesk();
const { first, second, leeds } = PEOPLE;

async function expectNothingLeft(): Promise<void> {
  const full = (): object =>
    Object.fromEntries(
      Object.entries(hotdesk().tables()).filter(
        ([name, size]) => ['calls', 'legs', 'media', 'dialogs'].includes(name) && size > 0,
      ),
    );
  await eventually('empty tables', () => Object.keys(full()).length === 0).catch(() => undefined);
  expect(full()).toEqual({});
}

describe('signing in', () => {
  test('at a free phone: extension, PIN, a greeting, the menu with hotelling on 7', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call(SERVICES.voicePortal);
    await call.heard('enter-extension');
    await call.digits(`${first.extension}#`, BY_HAND);
    await call.heard('enter-pin');
    await call.digits(`${first.pin}#`, BY_HAND);
    await call.heard('to-record-name');
    const greeting = ['welcome', 'extension', ...extensionClips(first.extension)];
    const menu = ['for-hotelling', 'digit-7', 'to-record-name'];
    expect(await call.transcript()).toEqual([
      ...['voice-portal', 'enter-extension', 'enter-pin'],
      ...greeting,
      ...menu,
    ]);
    expect(await hotdesk().guestAt(PHONES.reception)).toBeUndefined();
    await call.hangUp();
    await expectNothingLeft();
  });

  test("at one's own phone, and where one is the guest, the PIN alone", async () => {
    const own = await enterOwnPortal(await hotdesk().phone(PHONES.own), second);
    expect(await own.transcript()).not.toContain('enter-extension');
    await own.heard('digit-2');
    await own.hangUp();
    await hotdesk().seat(first.extension, PHONES.reception);
    const guest = await enterOwnPortal(await hotdesk().phone(PHONES.reception), first);
    await guest.heard('digit-1');
    await guest.hangUp();
  });

  test("at somebody else's phone: * for another extension", async () => {
    const phone = await hotdesk().phone(PHONES.own);
    const call = await phone.call(SERVICES.voicePortal);
    await call.heard('another-extension');
    await call.digits('*');
    await call.heard('enter-extension');
    await call.digits(`${leeds.extension}#${leeds.pin}#`, MACRO);
    await call.heard('welcome');
    await call.heard('digit-3');
    await call.hangUp();
  });

  test('a wrong PIN and an unknown extension sound the same; three, and goodbye', async () => {
    const phone = await hotdesk().phone(PHONES.leeds);
    const call = await phone.call(SERVICES.voicePortal);
    await call.answered;
    await call.digits('1003#000001#', MACRO);
    await call.heard('try-again');
    await call.digits('4711#690372#', MACRO);
    await eventually('the second refusal', async () => times(await call.transcript(), 'login-failed') === 2);
    await call.digits('1003#000002#', MACRO);
    const end = await endedByServer(call, 20_000);
    expect(end.reason).toContain('cause=403');
    expect(times(await call.transcript(), 'login-failed')).toBe(3);
    await expectNothingLeft();
  });
});

function times(transcript: readonly string[], prompt: string): number {
  return transcript.filter((heard) => heard === prompt).length;
}

describe('7, 1: the status of the host', () => {
  test('free', async () => {
    const call = await enterPortal(await hotdesk().phone(PHONES.window), first);
    await choose(call, '7', 'hotelling');
    await choose(call, '1', 'host-free');
    await call.hangUp();
  });

  test('a guest without a recorded name: spelled, then the extension', async () => {
    await hotdesk().seat(leeds.extension, PHONES.reception);
    const call = await enterOwnPortal(await hotdesk().phone(PHONES.reception), leeds);
    await choose(call, '71', 'host-guest');
    await call.heard('to-check-host', 15_000);
    const transcript = await call.transcript();
    const from = transcript.indexOf('host-guest');
    const letters = [...'priyashah'].map((letter) => `letter-${letter}`);
    const said = ['host-guest', ...letters, 'extension', ...extensionClips(leeds.extension)];
    expect(transcript.slice(from, from + said.length)).toEqual(said);
    await call.hangUp();
  });

  test('at a phone where hot desking is off', async () => {
    const call = await enterOwnPortal(await hotdesk().phone(PHONES.ownLeeds), leeds);
    await choose(call, '71', 'host-disabled');
    await call.hangUp();
  });
});

describe('1: recording a name', () => {
  const VOICE = voiceOf('goodbye');
  const G711 = { media: { codecs: [8] } };

  /** Whether the voice is heard in what came after this many samples. */
  async function hearsVoice(call: OutgoingCall, after: number): Promise<boolean> {
    const heard = (await call.media()).audio?.heard().slice(after) ?? new Int16Array();
    return heard.length > VOICE.length && likeness(heard, VOICE.slice(800, -800)).value > 0.9;
  }

  test('is heard back, kept, greets its owner, and identifies the guest at a host', async () => {
    const phone = await hotdesk().phone(PHONES.reception, G711);
    const call = await enterPortal(phone, first);
    await choose(call, '1', 'beep');
    await sleep(600);
    const { audio } = await call.media();
    audio?.say(VOICE);
    await call.heard('your-name', 8000);
    await call.heard('to-keep-name');
    expect(await hearsVoice(call, 0)).toBe(true);
    await choose(call, '1', 'name-saved');
    await call.hangUp();

    await hotdesk().seat(first.extension, PHONES.window);
    const other = await hotdesk().phone(PHONES.window, G711);
    const status = await other.call(SERVICES.voicePortal);
    await status.heard('another-extension');
    await status.digits(`*${second.extension}#${second.pin}#`, MACRO);
    await status.heard('for-hotelling');
    const before = (await status.media()).audio?.heard().length ?? 0;
    await choose(status, '71', 'host-guest');
    await status.heard('digit-1');
    await status.heard('to-check-host');
    expect(await hearsVoice(status, before)).toBe(true);
    expect((await status.transcript()).filter((clip) => clip.startsWith('letter-'))).toEqual([]);
    await status.hangUp();

    const again = await enterOwnPortal(other, first);
    await again.heard('for-hotelling');
    expect(await hearsVoice(again, 0)).toBe(true);
    expect(await again.transcript()).not.toContain('extension');
    await again.hangUp();
  });

  test('nothing said is told, and a key ends it', async () => {
    const call = await enterPortal(await hotdesk().phone(PHONES.leeds, G711), leeds);
    const { audio } = await call.media();
    audio?.say(new Int16Array(800));
    await choose(call, '1', 'beep');
    await sleep(800);
    await choose(call, '#', 'not-recorded');
    await call.heard('for-hotelling');
    await call.hangUp();
    await expectNothingLeft();
  });
});

describe('8 and 9', () => {
  test('8 changes the PIN: rules, a repetition that differs, then the new one holds and the old does not', async () => {
    const wished = '739150';
    const call = await enterPortal(await hotdesk().phone(PHONES.window), first);
    await choose(call, '8', 'new-pin');
    await choose(call, '123456#', 'pin-too-simple');
    await choose(call, `${wished}#739151#`, 'pins-differ');
    await choose(call, `${wished}#${wished}#`, 'pin-changed');
    await choose(call, '*', 'goodbye');
    expect((await endedByServer(call)).reason).toContain('cause=200');

    const phone = await hotdesk().phone(PHONES.reception);
    const old = await logInByHand(phone, first);
    await old.heard('login-failed');
    await old.hangUp();
    const fresh = await logInByHand(phone, { extension: first.extension, pin: wished });
    await fresh.heard('logged-in-as');
    await endedByServer(fresh);
    await hotdesk().expectGuest(PHONES.reception, first.extension);
    const path = `/api/v1/users/${first.extension}/passcode`;
    const back = await hotdesk().api(path, { method: 'PUT', json: { passcode: first.pin } });
    expect(back.status).toBeLessThan(300);
  });

  test("9 reads the address of the desk one calls from, not one's own", async () => {
    const call = await enterPortal(await hotdesk().phone(PHONES.leeds), first);
    await choose(call, '9', 'emergency-would-show');
    await call.heard('address-number', 25_000);
    const transcript = await call.transcript();
    const number = extensionClips('441134960113');
    const address = transcript.indexOf('emergency-address-is');
    expect(transcript.slice(address - number.length, address)).toEqual(number);
    const customer = [...'hotdeskdemo'].map((letter) => `letter-${letter}`);
    expect(transcript.slice(address + 1, -1)).toEqual(customer);
    await choose(call, '#', 'for-hotelling');
    await call.hangUp();
  });
});

describe('what is not one of the choices', () => {
  test('three wrong keys end it with goodbye', async () => {
    const call = await enterPortal(await hotdesk().phone(PHONES.window), first);
    await call.digits('055', BY_HAND);
    const end = await endedByServer(call, 15_000);
    expect(end.reason).toContain('cause=400');
    expect(times(await call.transcript(), 'invalid-key')).toBe(3);
    await expectNothingLeft();
  });
});

/** Where a caller can be: keys after signing in, the prompt that says so, and the number they dial then. */
const PLACES = [
  ['the greeting', '', 'welcome', '999'],
  ['the hoteling menu', '7', 'hotelling', '112'],
  ['the status', '71', 'host-free', '112'],
  ['the address', '9', 'emergency-would-show', '999'],
  ['the new PIN', '8', 'new-pin', '999'],
  ['the tone', '1', 'beep', '112'],
  ['a wrong key', '0', 'invalid-key', '999'],
] as const;

describe.each(PLACES)('at %s', (_place, keys, prompt, number) => {
  const go = async (): Promise<OutgoingCall> => {
    const call = await enterPortal(await hotdesk().phone(PHONES.window), first);
    if (keys !== '') await choose(call, keys, prompt);
    return call;
  };

  test(`${number} reaches emergency services, with the desk as caller`, async () => {
    const call = await go();
    await call.digits(number, BY_HAND);
    const emergency = await hotdesk().trunks.emergency.nextCall(9000);
    expect(emergency.invite.header('P-Asserted-Identity')).toContain('+442079460112');
    await emergency.accept();
    await call.hears(emergency);
    await emergency.hears(call);
    await call.hangUp();
    await emergency.ended;
    await expectNothingLeft();
  });

  test('a hang-up leaves nothing', async () => {
    const call = await go();
    await call.hangUp();
    await expectNothingLeft();
    expect(await hotdesk().guestAt(PHONES.window)).toBeUndefined();
  });
});
