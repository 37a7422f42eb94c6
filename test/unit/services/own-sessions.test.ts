import { randomBytes } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import type { Account } from '../../../src/domain/account.ts';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { OwnSessions } from '../../../src/services/own-sessions.ts';
import { hashOf } from '../../../src/services/secret-texts.ts';
import { SignIn } from '../../../src/services/sign-in.ts';
import { Harness } from './harness.ts';

/** Where one is signed in oneself: all there is, nothing of anybody else's, and nothing that lets anybody in. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0';
const kim = accountOf('a1', 'kim@example.com');
const lee = accountOf('a2', 'lee@example.com');

let harness: Harness;
let signIn: SignIn;
let sessions: OwnSessions;

beforeEach(() => {
  harness = new Harness();
  const { store, view, log } = harness;
  signIn = new SignIn({
    store,
    view,
    randomBytes,
    log,
    directory: undefined as never,
    secrets: undefined as never,
  });
  sessions = new OwnSessions({ store, view, log });
});

function accountOf(id: string, email: string): Account {
  return { id, email, name: id, role: 'administrator', disabled: false, passwordHash: `hash of ${id}` };
}

const begin = (account: Account, address = '192.0.2.1', userAgent = FIREFOX) =>
  signIn.begin(account, { address, userAgent });

async function listed(account: Account, cookie = '') {
  const found = await sessions.list(account, cookie);
  if (isRefusal(found)) throw new Error(found.refused);
  return found;
}

test('each with when, from where and by what; the one that asks first', async () => {
  const first = await begin(kim);
  harness.pass(5 * MINUTE);
  const second = await begin(kim, '2001:db8::1', 'curl/8');
  await begin(lee);
  harness.pass(MINUTE);
  const now = harness.view.now();
  expect(await listed(kim, first.id)).toMatchObject([
    {
      ...{ current: true, address: '192.0.2.1', browser: { name: 'Firefox', system: 'Windows' } },
      ...{ startedAt: now - 6 * MINUTE, lastUsedAt: now - 6 * MINUTE },
    },
    { current: false, address: '2001:db8::1', browser: {}, startedAt: now - MINUTE },
  ]);
  expect((await listed(kim, second.id))[0]).toMatchObject({ address: '2001:db8::1', current: true });
});

test('when it was last used, which looking does not change', async () => {
  const { id } = await begin(kim);
  harness.pass(20 * MINUTE);
  await harness.store.session(hashOf(id), 30 * MINUTE);
  harness.pass(10 * MINUTE);
  const [before] = await listed(kim);
  expect(before?.lastUsedAt).toBe(harness.view.now() - 10 * MINUTE);
  harness.pass(MINUTE);
  expect((await listed(kim))[0]).toEqual(before);
  harness.pass(19 * MINUTE);
  expect(await listed(kim)).toEqual([]);
});

test('none that lets nobody in any more', async () => {
  const { id } = await begin(kim);
  expect(await listed({ ...kim, passwordHash: 'another' })).toEqual([]);
  expect(await listed({ ...kim, disabled: true })).toEqual([]);
  for (let i = 0; i < 48; i++) {
    harness.pass(12 * (HOUR / 48));
    await harness.store.session(hashOf(id), 30 * MINUTE);
  }
  expect(await listed(kim)).toEqual([]);
});

test('nothing of the secret of any, nor its hash', async () => {
  const { id, csrf } = await begin(kim);
  const text = JSON.stringify(await listed(kim, id));
  for (const secret of [id, hashOf(id), csrf]) expect(text).not.toContain(secret);
});

test('ends one of one’s own, and says so in the log', async () => {
  const here = await begin(kim);
  await begin(kim, '192.0.2.2');
  const [, other] = await listed(kim, here.id);
  const asked = { id: other?.id ?? '', cookie: here.id };
  expect(await sessions.end(lee, asked)).toEqual({ refused: 'unknownSession' });
  expect(await sessions.end(kim, asked)).toMatchObject({ address: '192.0.2.2', current: false });
  expect(await sessions.end(kim, asked)).toEqual({ refused: 'unknownSession' });
  expect(await listed(kim, here.id)).toHaveLength(1);
  const { events } = await harness.store.history({ limit: 5 });
  expect(events).toMatchObject([{ notice: 'sessionsEnded', actor: 'admin:kim@example.com' }]);
  const [self] = await listed(kim, here.id);
  expect(await sessions.end(kim, { ...asked, id: self?.id ?? '' })).toMatchObject({ current: true });
});

test('a hash or a secret names none', async () => {
  const { id } = await begin(kim);
  for (const name of [id, hashOf(id), '', 'undefined'])
    expect(await sessions.end(kim, { id: name, cookie: '' })).toEqual({ refused: 'unknownSession' });
});

test('with the store away one hears so', async () => {
  harness.store.down = true;
  expect(await sessions.list(kim, '')).toMatchObject({ refused: 'storeUnavailable' });
  expect(await sessions.end(kim, { id: 'x', cookie: '' })).toMatchObject({ refused: 'storeUnavailable' });
});
