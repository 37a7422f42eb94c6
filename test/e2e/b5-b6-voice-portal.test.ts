import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES, SERVICES } from '../support/demo.ts';
import { endedByServer } from '../support/log-in.ts';
import { MACRO } from '../support/phone-audio.ts';
import type { OutgoingCall } from '../support/phone-call.ts';
import { useHotdesk } from '../support/suite.ts';
import { choose, enterOwnPortal, enterPortal } from '../support/voice-portal.ts';

/** Rules B5 and B6 in the voice portal: 7, then 2 to associate, 3 and 4 to disassociate; and *91 from another phone. */

const hotdesk = useHotdesk();
const { first, second, leeds, unlicensed } = PEOPLE;
const HOURS = 3_600_000;

/** Signed in at a phone that takes the caller for somebody else. */
async function enterAs(person: { extension: string; pin: string }, host: string): Promise<OutgoingCall> {
  const phone = await hotdesk().phone(host);
  const call = await phone.call(SERVICES.voicePortal);
  await call.heard('another-extension');
  await call.digits(`*${person.extension}#${person.pin}#`, MACRO);
  await call.heard('welcome');
  return call;
}

async function associationAt(host: string): Promise<{ startedAt: string; expiresAt: string }> {
  return (await hotdesk().api(`/api/v1/hosts/${host}`)).body.association;
}

async function hoursAt(host: string): Promise<number> {
  const association = await associationAt(host);
  return (Date.parse(association.expiresAt) - Date.parse(association.startedAt)) / HOURS;
}

describe('B5: 2 associates', () => {
  test("a: a free host: told so, and the limit is the host's, whatever the guest has set", async () => {
    const call = await enterAs(leeds, PHONES.own);
    await choose(call, '72', 'associated');
    await call.heard('hours');
    await hotdesk().expectGuest(PHONES.own, leeds.extension);
    expect(await hoursAt(PHONES.own)).toBe(24);
    const transcript = await call.transcript();
    const from = transcript.indexOf('time-limit-is');
    expect(transcript.slice(from, from + 4)).toEqual(['time-limit-is', 'number-20', 'digit-4', 'hours']);
    await choose(call, '1', 'host-guest');
    await call.hangUp();
    await hotdesk().expectGuest(PHONES.own, leeds.extension);
  });

  test('b: another guest is there: denied, told, and the first is undisturbed', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const before = await associationAt(PHONES.window);
    const call = await enterAs(leeds, PHONES.window);
    await choose(call, '72', 'host-taken');
    await call.hangUp();
    expect(await associationAt(PHONES.window)).toEqual(before);
  });

  test('c: a guest at another host: the old association ends, the new one is made', async () => {
    await hotdesk().seat(first.extension, PHONES.reception);
    const call = await enterPortal(await hotdesk().phone(PHONES.window), first);
    await choose(call, '72', 'moved');
    await call.heard('associated');
    await hotdesk().expectGuest(PHONES.window, first.extension);
    expect(await hotdesk().guestAt(PHONES.reception)).toBeUndefined();
    await call.hangUp();
  });

  test('who may not is told why: no licence, their own phone, a phone that is off', async () => {
    const none = await enterPortal(await hotdesk().phone(PHONES.window), unlicensed);
    await choose(none, '72', 'not-licensed');
    await none.hangUp();
    const off = await enterAs(first, PHONES.ownLeeds);
    await choose(off, '72', 'host-disabled');
    await off.hangUp();
    expect(await hotdesk().guestAt(PHONES.window)).toBeUndefined();
  });

  test('two guests press 2 at the same moment: one is in, the other is told, each time', async () => {
    const phone = await hotdesk().phone(PHONES.window);
    const calls = [await enterPortal(phone, first), await enterPortal(phone, leeds)];
    await Promise.all(calls.map((call) => choose(call, '7', 'hotelling')));
    for (let round = 0; round < 8; round++) {
      const before = await Promise.all(calls.map(async (call) => (await call.transcript()).length));
      await Promise.all(calls.map((call) => call.digits('2', MACRO)));
      const told = await Promise.all(
        calls.map(async (call, index) => {
          const { ear } = await call.media();
          const wanted = ['associated', 'host-taken'] as const;
          return Promise.any(wanted.map((clip) => ear.heard(clip, 5000, before[index]).then(() => clip)));
        }),
      );
      expect(told.toSorted()).toEqual(['associated', 'host-taken']);
      const winner = told[0] === 'associated' ? first : leeds;
      await hotdesk().expectGuest(PHONES.window, winner.extension);
      await hotdesk().api(`/api/v1/hosts/${PHONES.window}/association`, { method: 'DELETE' });
      await hotdesk().expectGuest(PHONES.window, undefined);
    }
    for (const call of calls) await call.hangUp();
  });
});

describe('B6: 3 and 4 disassociate', () => {
  test('the current guest: ended', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const call = await enterOwnPortal(await hotdesk().phone(PHONES.window), first);
    await choose(call, '73', 'disassociated');
    await hotdesk().expectGuest(PHONES.window, undefined);
    await choose(call, '3', 'not-associated');
    await choose(call, '**', 'goodbye');
    expect((await endedByServer(call)).reason).toContain('cause=200');
  });

  test('somebody else: denied, told that they are not associated with this host', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const call = await enterAs(leeds, PHONES.window);
    await choose(call, '73', 'not-associated');
    await call.hangUp();
    expect(await hotdesk().guestAt(PHONES.window)).toBe(first.extension);
  });

  test('4 leaves a remote host', async () => {
    await hotdesk().seat(first.extension, PHONES.reception);
    const call = await enterPortal(await hotdesk().phone(PHONES.window), first);
    await choose(call, '74', 'disassociated-remote');
    await hotdesk().expectGuest(PHONES.reception, undefined);
    await choose(call, '4', 'not-associated-anywhere');
    await call.hangUp();
  });
});

describe('*91 at a phone nobody is logged in at', () => {
  test("extension and PIN end one's own association elsewhere", async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('*91');
    await call.heard('log-out-elsewhere');
    await call.heard('enter-extension');
    await call.digits(`${first.extension}#${first.pin}#`, MACRO);
    await call.heard('logged-out-as');
    expect((await endedByServer(call)).reason).toContain('cause=200');
    await hotdesk().expectGuest(PHONES.window, undefined);
  });

  test("one's own phone, and nothing to end", async () => {
    const phone = await hotdesk().phone(PHONES.own);
    const call = await phone.call('*91');
    await call.answered;
    await call.digits(`${second.extension}#${second.pin}#`, MACRO);
    await call.heard('not-logged-in-anywhere');
    expect((await endedByServer(call)).reason).toContain('cause=403');
  });

  test('a wrong PIN ends nothing', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('*91');
    await call.answered;
    await call.digits(`${first.extension}#000001#`, MACRO);
    await call.heard('login-failed');
    await call.hangUp();
    expect(await hotdesk().guestAt(PHONES.window)).toBe(first.extension);
  });

  test('999 there is an emergency call', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('*91');
    await call.answered;
    await call.digits('999');
    const emergency = await hotdesk().trunks.emergency.nextCall(9000);
    await emergency.accept();
    await call.hears(emergency);
    await call.hangUp();
  });
});
