import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { PEOPLE, PHONES, passwordOf } from '../support/demo.ts';
import { ADMIN_TOKEN } from '../support/hotdesk.ts';
import { endedByServer, logInByHand } from '../support/log-in.ts';
import { startCapture } from '../support/output-capture.ts';
import { useHotdesk } from '../support/suite.ts';

/** Design section 9: no passcode, password or digest response is written anywhere, at the chattiest log level. */

const capture = startCapture();
const hotdesk = useHotdesk();
const WRONG_PIN = '640275';
afterAll(() => capture.stop());

/** What a finder would look for: whole secrets, never fragments that occur by chance. */
const secrets = new Set<string>([
  ...Object.values(PEOPLE).map(({ pin }) => pin),
  ...Object.values(PHONES).map(passwordOf),
  'not-the-password',
  WRONG_PIN,
  ADMIN_TOKEN,
]);

test('logs, output, Redis and API answers of a whole working day hold no secret', async () => {
  await aWorkingDay();
  const written = await everythingWritten();
  expect(Object.keys(written)).toEqual(expect.arrayContaining(['log', 'output', 'API answers']));
  expect(written.log?.length).toBeGreaterThan(1000);
  expect(found(written)).toEqual([]);
});

test('the search finds what is there: a PIN planted in the log, in Redis, on standard output', async () => {
  const { pin } = PEOPLE.first;
  hotdesk().log.stream.write(`{"msg":"planted ${pin}"}\n`);
  await hotdesk().redis.client().set('planted', `pin ${pin}`);
  process.stdout.write(`planted ${pin}\n`);
  const places = found(await everythingWritten()).map(({ place }) => place);
  expect(places).toContain('log');
  expect(places).toContain('output');
  expect(places.some((place) => place.startsWith('redis'))).toBe(true);
});

/** A login that works, one that does not, digits by INFO, a wrong password, calls, a log-out, the API. */
async function aWorkingDay(): Promise<void> {
  const phone = await hotdesk().phone(PHONES.reception);
  const failed = await logInByHand(phone, { ...PEOPLE.first, pin: WRONG_PIN });
  await failed.heard('login-failed');
  await failed.hangUp();
  const done = await logInByHand(phone, PEOPLE.first);
  await done.heard('logged-in-as');
  await done.hangUp();

  const byInfo = await hotdesk().phone(PHONES.leeds, { media: { eventType: undefined } });
  const call = await byInfo.call('*90');
  await call.answered;
  await call.infoDigits(`${PEOPLE.leeds.extension}#${PEOPLE.leeds.pin}#`, { type: 'application/dtmf-relay' });
  await call.heard('logged-in-as');
  await call.hangUp();

  const glued = await phone.call(`*90${PEOPLE.first.extension}${PEOPLE.first.pin}`);
  await glued.ended;
  const pinAsNumber = await phone.call(PEOPLE.first.pin);
  await (await hotdesk().trunks.main.nextCall()).reject(404);
  await pinAsNumber.ended;
  const stranger = await hotdesk().unregistered(PHONES.window, { password: 'not-the-password' });
  await stranger.register();

  const out = await phone.call('01632960500');
  await (await hotdesk().trunks.main.nextCall()).accept();
  await out.answered;
  await out.hangUp();
  await endedByServer(await phone.call('*91'));
  for (const one of [phone, byInfo, stranger]) {
    for (const response of one.digestResponses()) secrets.add(response);
  }
}

async function everythingWritten(): Promise<Record<string, string>> {
  const answers: string[] = [];
  for (const path of ['hosts', 'users', 'company', 'directory', 'nonsense']) {
    answers.push(JSON.stringify((await hotdesk().api(`/api/v1/${path}`)).body));
  }
  const bad = await hotdesk().api('/api/v1/company', { method: 'PATCH', json: { pin: PEOPLE.first.pin } });
  answers.push(JSON.stringify(bad.body));
  return {
    log: hotdesk().log.text,
    output: capture.text(),
    'API answers': answers.join('\n'),
    ...(await redisFiles()),
    ...(await redisValues()),
  };
}

/** What Redis has on disk. */
async function redisFiles(): Promise<Record<string, string>> {
  const { folder } = hotdesk().redis;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      return [`redis file ${name}`, await readFile(join(parentPath, name), 'latin1')] as const;
    }),
  );
  return Object.fromEntries(texts);
}

/** What Redis has in memory, contacts with their TTL as well. */
async function redisValues(): Promise<Record<string, string>> {
  const redis = hotdesk().redis.client();
  const keys = await redis.keys('*');
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  return { 'redis keys': keys.join('\n'), 'redis values': dumps.map(String).join('\n') };
}

/** Where each secret was found. */
function found(written: Record<string, string>): { place: string; context: string }[] {
  return Object.entries(written).flatMap(([place, text]) =>
    [...secrets].flatMap((secret) => {
      const at = place.startsWith('redis') ? boundedPosition(secret, text) : positionOf(secret, text);
      return at < 0 ? [] : [{ place, context: text.slice(Math.max(0, at - 60), at + 20) }];
    }),
  );
}

/** Digits also count when spaced or in a list, and within longer numbers; not within words, which nonces are. */
function positionOf(secret: string, text: string): number {
  if (!/^\d+$/.test(secret)) return text.indexOf(secret);
  const spaced = [...secret].join('[\\s,"\']{0,4}');
  return text.search(new RegExp(`(?<!\\d)${spaced}(?!\\d)|(?<![A-Za-z])\\d*${secret}\\d*(?![A-Za-z])`));
}

/** Redis keeps many times in ms, which may hold any six digits. */
function boundedPosition(secret: string, text: string): number {
  return text.search(new RegExp(`(?<!\\d)${secret.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?!\\d)`));
}
