import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Account } from '../../../src/domain/account.ts';
import { isRefusal } from '../../../src/domain/reasons.ts';
import type { AccountPage } from '../../../src/services/account-pages.ts';
import { AccountSecrets } from '../../../src/services/account-secrets.ts';
import { Accounts } from '../../../src/services/accounts.ts';
import { ApiTokens } from '../../../src/services/api-tokens.ts';
import { allEntries, toStored } from '../../../src/services/directory-document.ts';
import { DirectoryService } from '../../../src/services/directory-service.ts';
import { Passcodes } from '../../../src/services/passcodes.ts';
import { userOf } from '../../../src/services/people.ts';
import { createSealing } from '../../../src/services/sealing.ts';
import { type Session, SignIn } from '../../../src/services/sign-in.ts';
import { directory, user } from '../domain/example.ts';
import { Harness, PEPPER } from './harness.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SET_UP = 'a'.repeat(64);
const KIM = { email: 'kim@example.com', password: 'a lamp in the harbour' };
const SOURCE = '192.0.2.1';

let harness: Harness;
let signIn: SignIn;
let accounts: Accounts;
let tokens: ApiTokens;
let kim: Account;
let service: DirectoryService;

beforeEach(async () => {
  harness = new Harness();
  const put = toStored(allEntries(directory({ users: [user('1001')], hosts: [] })));
  await harness.store.writeDirectory({ put, remove: [], actor: 'test' });
  await harness.follow();
  const { store, view, log } = harness;
  const peppers = { keyId: 'k', pepper: PEPPER };
  const passcodes = new Passcodes(peppers);
  service = new DirectoryService({
    ...harness,
    store,
    view,
    passcodes,
    company: 'acme',
    realm: 'test',
  });
  const secrets = new AccountSecrets({ passcodes, sealing: createSealing(peppers), company: 'acme' });
  const random = { uuid: randomUUID, bytes: randomBytes };
  signIn = new SignIn({ directory: service, store, view, secrets, randomBytes, log });
  accounts = new Accounts({
    directory: service,
    store,
    view,
    secrets,
    signIn,
    random,
    log,
    setUpSecret: SET_UP,
  });
  tokens = new ApiTokens({ directory: service, view, random, log });
  kim = done(await accounts.setUp(SET_UP, { ...KIM, name: 'Kim' }));
});

function done<T>(value: T): Exclude<T, { readonly refused: unknown }> {
  if (isRefusal(value)) throw new Error(value.refused);
  return value as never;
}

const enter = (more: object = {}) =>
  signIn.signIn({ ...KIM, source: SOURCE, ...more }, { address: SOURCE, userAgent: undefined });

async function session(): Promise<Session> {
  return done(await enter());
}

describe('a session', () => {
  test('goes on while it is used, and ends after 30 minutes without', async () => {
    const { id } = await session();
    for (let i = 0; i < 3; i++) {
      harness.pass(29 * MINUTE);
      expect(await signIn.session(id)).toMatchObject({ account: { id: kim.id } });
    }
    harness.pass(30 * MINUTE);
    expect(await signIn.session(id)).toBeUndefined();
  });

  test('lasts without being used by the question', async () => {
    const { id } = await session();
    for (let i = 0; i < 2; i++) {
      harness.pass(14 * MINUTE);
      expect(await signIn.lasts(id)).toBe(true);
    }
    harness.pass(2 * MINUTE);
    expect(await signIn.lasts(id)).toBe(false);
    const other = await session();
    await signIn.signOut(other.id);
    expect(await signIn.lasts(other.id)).toBe(false);
    harness.store.down = true;
    expect(await signIn.lasts(other.id)).toBe(true);
  });

  test('ends after 12 hours however it is used', async () => {
    const { id } = await session();
    for (let i = 0; i < 47; i++) {
      harness.pass(15 * MINUTE);
      expect(await signIn.session(id)).toBeDefined();
    }
    harness.pass(15 * MINUTE);
    expect(await signIn.session(id)).toBeUndefined();
  });

  test('the store knows neither its id nor what changes need', async () => {
    const { id, csrf } = await session();
    expect(harness.store.calls).toContain('keepSession');
    await expect(harness.store.session(id, 1000)).rejects.toThrow(TypeError);
    expect(csrf).not.toContain(id);
    expect((await session()).csrf).not.toBe(csrf);
  });

  test('ends with the password it was begun with, also where nobody dropped it', async () => {
    const { id } = await session();
    harness.store.dropSessionsOf = async () => undefined;
    const change = { password: KIM.password, newPassword: 'nine geese in a row', source: SOURCE };
    done(await accounts.changePassword(kim, change));
    expect(await signIn.session(id)).toBeUndefined();
    expect(await enter()).toMatchObject({ refused: 'badCredentials' });
    done(await enter({ password: 'nine geese in a row' }));
  });

  test('of a version that could not list it is over', async () => {
    const { id } = await session();
    for (const { hash, value } of await harness.store.sessionsOf(kim.id)) {
      const { publicId, ...older } = value as { publicId: string };
      expect(publicId).toMatch(/^[\w-]{16}$/);
      await harness.store.keepSession(hash, { account: kim.id, value: older, ttlMs: MINUTE });
    }
    expect(await signIn.session(id)).toBeUndefined();
  });

  test.each(['', 'x', 'x'.repeat(10_000), '../../etc/passwd', '\0'.repeat(43)])('%j is none', async (id) => {
    expect(await signIn.session(id)).toBeUndefined();
    expect(await signIn.signOut(id)).toBe('done');
  });

  test('nobody gets in while the store is away', async () => {
    const { id } = await session();
    harness.store.down = true;
    expect(await signIn.session(id)).toMatchObject({ refused: 'storeUnavailable' });
    expect(await enter()).toMatchObject({ refused: 'storeUnavailable' });
  });
});

describe('guesses', () => {
  test('wait longer and longer, and what was right then starts anew', async () => {
    for (let i = 0; i < 5; i++)
      expect(await enter({ password: 'wrong' })).toMatchObject({ refused: 'badCredentials' });
    expect(await enter()).toMatchObject({ refused: 'tooManyTries' });
    harness.pass(2_000);
    done(await enter());
    for (let i = 0; i < 5; i++)
      expect(await enter({ password: 'wrong' })).toMatchObject({ refused: 'badCredentials' });
  });

  test('are the same for nobody', async () => {
    const nobody = () => enter({ email: 'nobody@example.com' });
    for (let i = 0; i < 5; i++) expect(await nobody()).toEqual({ refused: 'badCredentials' });
    expect(await nobody()).toEqual({ refused: 'tooManyTries' });
  });

  test('at the code are not given back by the password', async () => {
    const { secret } = done(await accounts.beginTotp(kim, { ...KIM, source: SOURCE }));
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const account = harness.view.directory?.accounts.get(kim.id);
    const totp = { ...account?.totp, confirmed: true };
    const put = new Map([[`account:${kim.id}`, { ...account, totp }]]);
    await harness.store.writeDirectory({ put, remove: [], actor: 'test' });
    for (let i = 0; i < 3; i++) {
      expect(await enter()).toEqual({ refused: 'codeNeeded' });
      if (i < 2) expect(await enter({ code: '000000' })).toEqual({ refused: 'badCredentials' });
    }
    expect(await enter({ code: '000000' })).toEqual({ refused: 'tooManyTries' });
  });

  test('at most 32 are looked at at once', async () => {
    const emails = Array.from({ length: 40 }, (_, n) => `x${n}@example.com`);
    const answers = await Promise.all(emails.map((email, n) => enter({ email, source: `192.0.2.${n}` })));
    expect(answers.filter((answer) => isRefusal(answer) && answer.refused === 'overloaded')).toHaveLength(8);
  });
});

describe('links', () => {
  const ann = { email: 'Ann@Example.com', name: 'Ann', role: 'readOnly' } as const;

  test('are good for a day', async () => {
    const { account, link } = done(await accounts.create(ann, 'admin:kim'));
    expect(account.email).toBe('ann@example.com');
    harness.pass(24 * HOUR);
    expect(await accounts.setPassword(link.token, KIM.password)).toEqual({ refused: 'linkVoid' });
    const again = done(await accounts.reset(account.id, 'admin:kim'));
    harness.pass(24 * HOUR - 1);
    done(await accounts.setPassword(again.token, KIM.password));
  });

  test('the latest alone, and none of a disabled account', async () => {
    const { account, link } = done(await accounts.create(ann, 'admin:kim'));
    const { token } = done(await accounts.reset(account.id, 'admin:kim'));
    expect(await accounts.setPassword(link.token, KIM.password)).toEqual({ refused: 'linkVoid' });
    done(await accounts.change(account.id, { disabled: true }, { actor: 'admin:kim' }));
    expect(await accounts.setPassword(token, KIM.password)).toEqual({ refused: 'linkVoid' });
  });

  test('are kept as a hash', async () => {
    const { account, link } = done(await accounts.create(ann, 'admin:kim'));
    const kept = JSON.stringify(harness.store.directory.get(`account:${account.id}`));
    expect(kept).not.toContain(link.token.split('.')[1]);
  });
});

test('a hash of one account is worth nothing for another', async () => {
  const { account } = done(
    await accounts.create({ email: 'b@example.com', name: 'B', role: 'readOnly' }, 'x'),
  );
  const put = new Map([[`account:${account.id}`, { ...account, passwordHash: kim.passwordHash }]]);
  await harness.store.writeDirectory({ put, remove: [], actor: 'test' });
  expect(await enter({ email: 'b@example.com' })).toMatchObject({ refused: 'badCredentials' });
});

test('an account goes with its person: whoever gets the extension next is not seen by it', async () => {
  const ann = userOf({
    ...{ extension: '1010', name: 'Ann', site: 'london', numbers: [], callerId: '+442079461010' },
    ...{ plan: 'connect', hotDeskLicence: false, addOns: [] },
  });
  const comes = () => service.editDirectory(() => ({ put: [{ kind: 'user', value: ann }] }), 'x');
  done(await comes());
  const wish = { email: 'ann@example.com', name: 'Ann', role: 'user', extension: '1010' } as const;
  const { account, link } = done(await accounts.create(wish, 'x'));
  done(await accounts.setPassword(link.token, KIM.password));
  const { id } = done(await enter({ email: wish.email }));
  done(await service.editDirectory(() => ({ remove: [{ kind: 'user', id: '1010' }] }), 'x'));
  done(await comes());
  expect(await signIn.session(id)).toBeUndefined();
  expect(accounts.get(account.id)).toEqual({ refused: 'unknownAccount' });
  expect(accounts.get(kim.id)).toMatchObject({ id: kim.id });
});

test('accounts come page by page, by their addresses, and let others have their turn', async () => {
  const put = new Map<string, object>();
  for (let i = 0; i < 5_000; i++) {
    const n = String((i * 7) % 5_000).padStart(4, '0');
    put.set(`account:a${n}`, {
      email: `p${n}@example.com`,
      name: `Pat ${n}`,
      role: 'readOnly',
      disabled: false,
    });
  }
  await harness.store.writeDirectory({ put, remove: [], actor: 'test' });
  let turns = 0;
  let isOver = false;
  const again = (): void => {
    turns++;
    if (!isOver) setImmediate(again);
  };
  setImmediate(again);
  const first = done(await accounts.list({ limit: 2 }));
  isOver = true;
  expect(turns).toBeGreaterThan(3);
  const emails = (page: AccountPage) => page.accounts.map(({ email }) => email);
  expect([emails(first), first.next, first.total]).toEqual([
    [KIM.email, 'p0000@example.com'],
    'p0000@example.com',
    5_001,
  ]);
  const second = done(await accounts.list({ limit: 3, cursor: first.next, q: ' PAT ' }));
  expect([emails(second), second.total]).toEqual([
    ['p0001@example.com', 'p0002@example.com', 'p0003@example.com'],
    5_000,
  ]);
  const last = done(await accounts.list({ limit: 200, cursor: 'p4990@example.com' }));
  expect([last.accounts.length, last.accounts.at(-1)?.email, last.next]).toEqual([
    9,
    'p4999@example.com',
    undefined,
  ]);
});

test('two accounts of one address at once: one', async () => {
  const wish = { email: 'twin@example.com', name: 'T', role: 'readOnly' } as const;
  const both = await Promise.all([accounts.create(wish, 'x'), accounts.create(wish, 'x')]);
  expect(both.filter(isRefusal)).toMatchObject([{ refused: 'invalidDirectory' }]);
});

test('two administrators cannot remove each other at once', async () => {
  const second = done(
    await accounts.create({ email: 'z@example.com', name: 'Z', role: 'administrator' }, 'x'),
  );
  done(await accounts.setPassword(second.link.token, KIM.password));
  const both = await Promise.all([
    accounts.remove(second.account.id, 'admin:kim'),
    accounts.change(kim.id, { disabled: true }, { actor: 'admin:z' }),
  ]);
  expect(both.filter(isRefusal)).toEqual([{ refused: 'lastAdministrator' }]);
});

test('where all come from the identity provider, the last administrator stays', async () => {
  const admit = async (name: string) => {
    const wish = { email: `${name}@example.com`, name, role: 'administrator', subject: name } as const;
    return done(await accounts.admit(wish));
  };
  const [one, two] = [await admit('one'), await admit('two')];
  // An identity provider may be gone some day.
  expect(await accounts.remove(kim.id, 'x')).toEqual({ refused: 'lastAdministrator' });
  await harness.store.writeDirectory({ put: new Map(), remove: [`account:${kim.id}`], actor: 'test' });
  expect(await accounts.remove(one.id, 'x')).toBe('done');
  expect(await accounts.remove(two.id, 'x')).toEqual({ refused: 'lastAdministrator' });
});

test('a token ends when it was to', async () => {
  const { text, token } = done(await tokens.create({ name: 'T', scopes: ['read'], days: 2 }, 'admin:kim'));
  expect(tokens.find(text)).toMatchObject({ id: token.id });
  expect(tokens.find(`${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`)).toBeUndefined();
  harness.pass(48 * HOUR);
  expect(tokens.find(text)).toBeUndefined();
});
