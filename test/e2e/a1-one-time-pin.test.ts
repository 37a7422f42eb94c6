import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { ADMIN_TOKEN } from '../support/hotdesk.ts';
import { endedByServer, logInByHand } from '../support/log-in.ts';
import { MACRO } from '../support/phone-audio.ts';
import type { OutgoingCall } from '../support/phone-call.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule A1 with a PIN that was given out: the first login replaces it, and nothing else does. */

const hotdesk = useHotdesk();
const ann = PEOPLE.first;
const CHOSEN = '204863';
let given: string;

beforeEach(async () => {
  const { status, body } = await hotdesk().api(`/api/v1/users/${ann.extension}/passcode`, { method: 'POST' });
  expect([status, body.oneTime]).toEqual([201, true]);
  given = body.passcode;
});

// The others expect the demo's PIN.
afterEach(() => setPin(ann.pin));

async function setPin(passcode: string): Promise<void> {
  const path = `/api/v1/users/${ann.extension}/passcode`;
  const { status } = await hotdesk().api(path, { method: 'PUT', json: { passcode } });
  expect(status).toBe(204);
}

/** Logs in with the one-time PIN as far as the question for another. */
async function asked(phone: string, pin = given): Promise<OutgoingCall> {
  const call = await logInByHand(await hotdesk().phone(phone), { extension: ann.extension, pin });
  await call.heard('new-pin');
  return call;
}

describe('a one-time PIN', () => {
  test('is replaced at the first login, and is never good again', async () => {
    const call = await asked(PHONES.reception);
    await call.digits(`${CHOSEN}#`);
    await call.heard('repeat-pin');
    await call.digits(`${CHOSEN}#`);
    await call.heard('logged-in-as');
    await endedByServer(call);
    expect(await call.transcript()).toContain('pin-changed');
    await hotdesk().expectGuest(PHONES.reception, ann.extension);

    const other = await hotdesk().phone(PHONES.leeds);
    const late = await logInByHand(other, { extension: ann.extension, pin: given });
    await late.heard('login-failed');
    await late.hangUp();
    const own = await logInByHand(other, { extension: ann.extension, pin: CHOSEN });
    await own.heard('moved');
    await endedByServer(own);
    await hotdesk().expectGuest(PHONES.leeds, ann.extension);
    expect(hotdesk().log.text).not.toMatch(new RegExp(`(?<!\\w)(${given}|${CHOSEN})(?!\\w)`));
  });

  test('two that differ, then one too simple: asked again, and then it is well', async () => {
    const call = await asked(PHONES.reception);
    await call.digits(`${CHOSEN}#204864#`, MACRO);
    await call.heard('pins-differ');
    await call.digits('345678#', MACRO);
    await call.heard('pin-too-simple');
    await call.digits(`${CHOSEN}#${CHOSEN}#`, MACRO);
    await call.heard('logged-in-as');
    await endedByServer(call);
  });

  test('hanging up in between leaves it good', async () => {
    const first = await asked(PHONES.reception);
    await first.digits(`${CHOSEN}#`, MACRO);
    await first.heard('repeat-pin');
    await first.hangUp();
    expect(await hotdesk().guestAt(PHONES.reception)).toBeUndefined();
    const second = await asked(PHONES.leeds);
    await second.hangUp();
  });

  test.each(['the new PIN', 'its repetition'])(
    '999 instead of %s places the emergency call',
    async (which) => {
      const call = await asked(PHONES.reception);
      if (which === 'its repetition') {
        await call.digits(`${CHOSEN}#`, MACRO);
        await call.heard('repeat-pin');
      }
      await call.digits('999#');
      const psap = await hotdesk().trunks.emergency.nextCall();
      await psap.accept();
      await call.hears(psap);
      await call.hangUp();
    },
  );
});

test('npm run pin: gives one through the running server', async () => {
  const env = { ...process.env, HOTDESK_ADMIN_TOKEN: ADMIN_TOKEN };
  const program = new URL('../../src/pin.ts', import.meta.url).pathname;
  const args = ['--import', 'tsx', program, ann.extension, '--url', hotdesk().http];
  const said = await text(spawn(process.execPath, args, { env }).stdout);
  const [, pin = ''] = /PIN of 1001: (\d{6})\n/.exec(said) ?? [];
  const call = await asked(PHONES.reception, pin);
  await call.hangUp();
});
