import { beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { PEOPLE, PHONES, passwordOf } from '../support/demo.ts';
import { ADMIN_TOKEN } from '../support/hotdesk.ts';
import { dialLogIn, endedByServer, logInByHand } from '../support/log-in.ts';
import type { Phone } from '../support/phone.ts';
import { MACRO } from '../support/phone-audio.ts';
import { useHotdesk } from '../support/suite.ts';

/** Guessing PINs over SIP, from many phones at once, as a tool would. */

const hotdesk = useHotdesk();
const victim = PEOPLE.second;
const UNKNOWN = '1999';
const WRONG = '640275';
/** Phones that guess, three menus each: all a phone may have at once. */
const PHONES_OF_ATTACKER = Array.from({ length: 14 }, (_, n) => `guesser-${n}`);
const CALLS = 40;
const VERDICTS = ['login-failed', 'too-many-attempts', 'logged-in-as', 'goodbye'];

beforeAll(async () => {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'text/yaml' };
  const url = `${hotdesk().http}/api/v1/directory`;
  const directory = parse(await (await fetch(url, { headers })).text());
  const { mac: _, digest: __, callbackNumber: ___, ...desk } = directory.hosts[PHONES.reception];
  for (const id of PHONES_OF_ATTACKER) directory.hosts[id] = { ...desk, sipPassword: passwordOf(id) };
  const answer = await fetch(url, { method: 'PUT', headers, body: stringify(directory) });
  expect(answer.status).toBeLessThan(300);
});

function attackers(): Promise<Phone[]> {
  return Promise.all(PHONES_OF_ATTACKER.map((id) => hotdesk().phone(id)));
}

/** What each of so many calls heard at the end, all guesses sent at the same moment. */
async function guessAtOnce(phones: readonly Phone[], extension: string, count: number): Promise<string[][]> {
  const dialled = Array.from({ length: count }, (_, n) => phones[n % phones.length] as Phone);
  const calls = await Promise.all(dialled.map(dialLogIn));
  await Promise.all(calls.map((call) => call.digits(`${extension}#${WRONG}`, MACRO)));
  await Promise.all(calls.map((call) => call.digits('#', MACRO)));
  return Promise.all(
    calls.map(async (call) => {
      await Promise.any([call.heard('login-failed'), call.heard('too-many-attempts')]);
      await call.hangUp().catch(() => undefined);
      return (await call.transcript()).filter((prompt) => VERDICTS.slice(0, 3).includes(prompt));
    }),
  );
}

function heardBy(transcripts: readonly string[][], prompt: string): number {
  return transcripts.filter((heard) => heard.includes(prompt)).length;
}

/** Where Redis counts the guesses at an extension; what is nobody's stands there under another name. */
async function counterOf(extension: string): Promise<string> {
  const known = `hd:{demo}:guess:x:${victim.extension}`;
  if (extension === victim.extension) return known;
  const all = await hotdesk().redis.client().keys('hd:{demo}:guess:x:*');
  const [counter = '', ...more] = all.filter((each) => each !== known);
  expect(more).toEqual([]);
  expect(counter).not.toContain(extension);
  return counter;
}

/** As if all these had been wrong within the hour, and the wait were over. */
async function pretendGuesses(extension: string, n: number): Promise<void> {
  const ends = Date.now() + 3_600_000;
  const counter = await counterOf(extension);
  await hotdesk().redis.client().hset(counter, { n, total: n, until: 0, ends, by: '' });
}

test('40 guesses at once from 14 phones: five are looked at; an unknown extension sounds the same', async () => {
  const phones = await attackers();
  for (const extension of [victim.extension, UNKNOWN]) {
    const started = Date.now();
    const transcripts = await guessAtOnce(phones, extension, CALLS);
    const seconds = (Date.now() - started) / 1000;
    const evaluated = heardBy(transcripts, 'login-failed');
    // Five, and then one after 1, 2, 4 … s, should the machine be that slow.
    expect(evaluated).toBeGreaterThanOrEqual(5);
    expect(evaluated).toBeLessThanOrEqual(5 + Math.log2(seconds + 1));
    expect(heardBy(transcripts, 'too-many-attempts')).toBe(CALLS - evaluated);
    expect(heardBy(transcripts, 'logged-in-as')).toBe(0);
    expect(
      Number(
        await hotdesk()
          .redis.client()
          .hget(await counterOf(extension), 'n'),
      ),
    ).toBe(evaluated);
  }
}, 90_000);

test('twenty wrong ones and no more until an administrator helps; their own phone works meanwhile', async () => {
  const phones = (await attackers()).slice(0, 4);
  const verdicts: Record<string, (readonly string[])[]> = {};
  for (const extension of [victim.extension, UNKNOWN]) {
    await pretendGuesses(extension, 19);
    const transcripts = await guessAtOnce(phones, extension, 12);
    expect(heardBy(transcripts, 'login-failed')).toBe(1);
    await pretendGuesses(extension, 20);
    verdicts[extension] = [await lastWord(extension), await lastWord(extension)];
  }
  const refused = ['too-many-attempts', 'goodbye'];
  expect(verdicts).toEqual({ [victim.extension]: [refused, refused], [UNKNOWN]: [refused, refused] });
  expect(await hotdesk().guestAt(PHONES.reception)).toBeUndefined();

  await ownPhoneWorks();
  const unlocked = await hotdesk().api(`/api/v1/users/${victim.extension}/unlock`, { method: 'POST' });
  expect(unlocked.status).toBe(204);
  const call = await logInByHand(await hotdesk().phone(PHONES.reception), victim);
  await call.heard('logged-in-as');
  await endedByServer(call);
  await hotdesk().expectGuest(PHONES.reception, victim.extension);
}, 90_000);

/** What a person hears who types the right PIN at another phone. */
async function lastWord(extension: string): Promise<readonly string[]> {
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await dialLogIn(phone);
  await call.digits(`${extension}#${victim.pin}#`, MACRO);
  const end = await endedByServer(call);
  expect(end.reason).toContain('cause=403');
  await phone.unregister();
  return (await call.transcript()).filter((prompt) => VERDICTS.includes(prompt));
}

/** Calls out and in at the desk of somebody who is locked out. */
async function ownPhoneWorks(): Promise<void> {
  const own = await hotdesk().phone(PHONES.own);
  const out = await own.call('01632960500');
  await (await hotdesk().trunks.main.nextCall()).accept();
  await out.answered;
  await out.hangUp();
  const { numbers } = await hotdesk().user(victim.extension);
  const incoming = await hotdesk().trunks.main.call(numbers[0] ?? '');
  const ringing = await own.nextCall();
  await ringing.accept();
  await incoming.answered;
  await incoming.hangUp();
}
