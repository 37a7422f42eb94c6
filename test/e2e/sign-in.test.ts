import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browser } from '../support/browser.ts';
import { ADMIN_TOKEN, type Hotdesk, startHotdesk } from '../support/hotdesk.ts';

/** Accounts, sessions and tokens, with a real Redis behind. */

const ADMIN = { email: 'kim@example.com', password: 'a lamp in the harbour' };
const SECRETS = new Set<string>([ADMIN.password]);
let data: string;
let hotdesk: Hotdesk;
let raw: Redis;
let admin: Browser;

/** Remembered, so that the end of the file can look for it everywhere. */
function secret(text: string): string {
  SECRETS.add(text);
  return text;
}

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'hotdesk-e2e-'));
  hotdesk = await startHotdesk({ data });
  raw = new Redis(hotdesk.redis.url);
});
afterAll(async () => {
  raw.disconnect();
  await hotdesk.stop();
  await rm(data, { recursive: true, force: true });
});

const browser = (headers?: Record<string, string>) => new Browser(hotdesk.http, headers);

async function signedIn(email: string, password: string, code?: string): Promise<Browser> {
  const made = browser();
  await made.signIn(email, password, code);
  secret(made.session);
  return made;
}

/** A new account whose password is set by its link. */
async function newAccount(
  wish: { readonly email: string; readonly role: string; readonly extension?: string },
  password: string,
): Promise<string> {
  const made = await admin.ask('POST', '/accounts', { name: 'Somebody', ...wish });
  expect(made.status).toBe(201);
  const token = secret(made.body.link.token.split('.')[1]);
  const link = `${made.body.account.id}.${token}`;
  expect((await browser().ask('POST', '/password', { token: link, password: secret(password) })).status).toBe(
    204,
  );
  return made.body.account.id;
}

describe('the first administrator', () => {
  test('is made by whoever can read the data folder, once', async () => {
    const file = join(data, 'first-administrator');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const token = secret((await readFile(file, 'utf8')).trim());
    const someone = browser();
    expect((await someone.ask('GET', '/setup')).body).toEqual({ needed: true });
    const wish = { ...ADMIN, name: 'Kim' };
    expect((await someone.ask('POST', '/setup', { ...wish, token: '0'.repeat(64) })).body.reason).toBe(
      'linkVoid',
    );
    const weak = await someone.ask('POST', '/setup', { ...wish, token, password: 'password1234' });
    expect(weak).toMatchObject({ status: 422, body: { reason: 'passwordTooSimple' } });
    expect(weak.body.errors).toMatchObject([{ path: 'body.password' }]);
    const both = await Promise.all([
      someone.ask('POST', '/setup', { ...wish, token }),
      browser().ask('POST', '/setup', { ...wish, email: 'eve@example.com', token }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 403]);
    const made = both.find(({ status }) => status === 201);
    if (made?.body.account.email !== ADMIN.email) ADMIN.email = made?.body.account.email;
    expect((await someone.ask('GET', '/setup')).body).toEqual({ needed: false });
    expect((await someone.ask('POST', '/setup', { ...wish, email: 'x@example.com', token })).status).toBe(
      403,
    );
    admin = await signedIn(ADMIN.email, ADMIN.password);
  });
});

describe('signing in', () => {
  test('who one is, by a cookie no script and no other site can use', async () => {
    const someone = browser();
    const answer = await someone.ask('POST', '/session', {
      ...ADMIN,
      email: ` ${ADMIN.email.toUpperCase()} `,
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      account: expect.objectContaining({ email: ADMIN.email, role: 'administrator' }),
    });
    expect(answer.setCookies).toHaveLength(1);
    expect(answer.setCookies[0]).toMatch(/^hotdesk=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect((await someone.ask('GET', '/session')).body.csrf).toMatch(/^[\w-]{43}$/);
  });

  test('through a name that is not this machine’s, the cookie wants TLS', async () => {
    const { status, cookies } = await signInThrough('portal.example.com');
    expect(status).toBe(200);
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatch(/^__Host-hotdesk=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  });

  test('a wrong password and nobody’s address get the same answer, and take as long', async () => {
    const time = async (email: string) => {
      const began = performance.now();
      const answer = await browser().ask('POST', '/session', {
        email,
        password: secret('not the password, no'),
      });
      return { answer, took: performance.now() - began };
    };
    const [wrong, nobody] = [await time(ADMIN.email), await time('nobody@example.com')];
    expect(wrong.answer.status).toBe(401);
    expect(wrong.answer.body.reason).toBe('badCredentials');
    expect(nobody.answer.body).toEqual(wrong.answer.body);
    expect(nobody.took / wrong.took).toBeGreaterThan(0.2);
    expect(wrong.answer.setCookies).toEqual([]);
  });

  test('what is no e-mail, too long or odd is refused without a trace of it', async () => {
    const odd = [
      {},
      { email: ADMIN.email },
      { email: ['x'], password: 'x' },
      { email: ADMIN.email, password: { $gt: '' } },
      { email: ADMIN.email, password: `${secret('far-too-long-to-be-hashed')}${'x'.repeat(2_000)}` },
      { ...ADMIN, [secret('a-word-too-many')]: 1 },
      { email: `${'x'.repeat(300)}@example.com`, password: 'x' },
    ];
    for (const body of odd) {
      const answer = await browser().ask('POST', '/session', body);
      expect(answer.status).toBe(400);
      for (const text of SECRETS) expect(JSON.stringify(answer.body)).not.toContain(text);
    }
    expect((await browser().ask('POST', '/session', { ...ADMIN, code: 'x'.repeat(20_000) })).status).toBe(
      413,
    );
    for (const email of ['\0', '__proto__', 'constructor', '*', "' or 1=1 --", '🦊@example.com'])
      expect((await browser().ask('POST', '/session', { email, password: 'x' })).status).toBe(401);
  });

  test('a session that was there before is not gone on with', async () => {
    const someone = browser();
    const planted = 'A'.repeat(43);
    someone.cookies.set('hotdesk', planted);
    expect((await someone.ask('GET', '/session')).status).toBe(401);
    someone.cookies.set('hotdesk', planted);
    await someone.signIn(ADMIN.email, ADMIN.password);
    expect(someone.session).not.toBe(planted);
    const before = someone.session;
    await someone.signIn(ADMIN.email, ADMIN.password);
    const old = browser();
    old.cookies.set('hotdesk', before);
    expect((await old.ask('GET', '/session')).status).toBe(401);
  });

  test('signing out ends it for good', async () => {
    const someone = await signedIn(ADMIN.email, ADMIN.password);
    const copy = browser();
    copy.cookies.set('hotdesk', someone.session);
    expect((await someone.ask('DELETE', '/session')).status).toBe(204);
    expect(someone.cookies.size).toBe(0);
    expect((await copy.ask('GET', '/hosts')).status).toBe(401);
  });

  test('several at once each have their own', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => signedIn(ADMIN.email, ADMIN.password)));
    expect(new Set(all.map(({ session }) => session)).size).toBe(4);
    expect(new Set(all.map(({ csrf }) => csrf)).size).toBe(4);
  });

  test('guesses at once share a budget; who else signs in is not hindered', async () => {
    await newAccount({ email: 'victim@example.com', role: 'readOnly' }, 'the sea is deep and blue');
    const guess = (n: number) =>
      browser().ask('POST', '/session', {
        email: 'victim@example.com',
        password: secret(`guess number ${n}`),
      });
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => guess(n)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(7);
    await signedIn(ADMIN.email, ADMIN.password);
  });
});

describe('changes a session sends', () => {
  test('need the token of this session, from a page of ours', async () => {
    const [one, other] = [
      await signedIn(ADMIN.email, ADMIN.password),
      await signedIn(ADMIN.email, ADMIN.password),
    ];
    const change = (more: Record<string, string>) => one.ask('POST', '/users/1001/unlock', undefined, more);
    for (const more of [
      { 'x-csrf-token': '' },
      { 'x-csrf-token': other.csrf },
      { 'x-csrf-token': `${one.csrf}x` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
    ])
      expect((await change(more)).status).toBe(403);
    expect((await change({})).status).toBe(204);
  });

  test('of a browser that tells its origin only', async () => {
    const someone = browser({});
    await someone.signIn(ADMIN.email, ADMIN.password);
    const change = (origin: string) => someone.ask('POST', '/users/1001/unlock', undefined, { origin });
    for (const origin of [
      'https://evil.example',
      'null',
      `${hotdesk.http}.evil.example`,
      'http://127.0.0.1:1',
    ])
      expect((await change(origin)).status).toBe(403);
    expect((await change(hotdesk.http)).status).toBe(204);
  });

  test('nobody is signed in by another site', async () => {
    for (const path of ['/session', '/password', '/setup'])
      expect((await browser({ 'sec-fetch-site': 'cross-site' }).ask('POST', path, ADMIN)).status).toBe(403);
    expect((await browser({ origin: 'https://evil.example' }).ask('POST', '/session', ADMIN)).status).toBe(
      403,
    );
  });

  test('a form of another site cannot even be read', async () => {
    const answer = await admin.ask('POST', '/accounts', undefined, { 'content-type': 'text/plain' });
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });
});

describe('passwords', () => {
  test('a link sets one once, and signs out everywhere', async () => {
    const id = await newAccount({ email: 'ann@example.com', role: 'readOnly' }, 'red bicycle on a hill');
    const ann = await signedIn('ann@example.com', 'red bicycle on a hill');
    const reset = await admin.ask('POST', `/accounts/${id}/reset`);
    expect(reset.body.path).toBe(`/password#${reset.body.token}`);
    secret(reset.body.token.split('.')[1]);
    expect((await ann.ask('GET', '/session')).status).toBe(200);
    const use = () =>
      browser().ask('POST', '/password', {
        token: reset.body.token,
        password: secret('green bicycle in a lake'),
      });
    const both = await Promise.all([use(), use()]);
    expect(both.map(({ status }) => status).sort()).toEqual([204, 403]);
    expect((await ann.ask('GET', '/session')).status).toBe(401);
    expect(await sessionKeysOf(id)).toEqual([]);
    await expect(signedIn('ann@example.com', 'red bicycle on a hill')).rejects.toThrow('401');
    await signedIn('ann@example.com', 'green bicycle in a lake');
  });

  test.each(['', 'x', `${'a'.repeat(36)}.${'b'.repeat(43)}`, '../../x', 'x.y.z'])(
    '%j is no link',
    async (token) => {
      const answer = await browser().ask('POST', '/password', { token, password: 'red bicycle on a hill' });
      expect(answer).toMatchObject({ status: 403, body: { reason: 'linkVoid' } });
    },
  );

  test('one’s own: needs the old one, ends every other session, and this one gets a new id', async () => {
    await newAccount({ email: 'bea@example.com', role: 'readOnly' }, 'seven ducks in a row');
    const [one, other] = [
      await signedIn('bea@example.com', 'seven ducks in a row'),
      await signedIn('bea@example.com', 'seven ducks in a row'),
    ];
    const before = one.session;
    const change = (password: string, newPassword: string) =>
      one.ask('PUT', '/session/password', { password: secret(password), newPassword });
    expect((await change('eight ducks in a row', secret('nine geese in a row'))).status).toBe(403);
    expect((await change('seven ducks in a row', 'bea@example.com')).status).toBe(422);
    expect((await change('seven ducks in a row', 'nine geese in a row')).status).toBe(204);
    expect(one.session).not.toBe(before);
    expect((await one.ask('GET', '/session')).status).toBe(200);
    expect((await other.ask('GET', '/session')).status).toBe(401);
  });

  test('an account that is disabled is signed out, and cannot come back', async () => {
    const id = await newAccount({ email: 'cal@example.com', role: 'readOnly' }, 'a long walk to the pier');
    const cal = await signedIn('cal@example.com', 'a long walk to the pier');
    expect((await admin.ask('PATCH', `/accounts/${id}`, { disabled: true })).body.disabled).toBe(true);
    expect((await cal.ask('GET', '/hosts')).status).toBe(401);
    await expect(signedIn('cal@example.com', 'a long walk to the pier')).rejects.toThrow('401');
    expect((await admin.ask('PATCH', `/accounts/${id}`, { disabled: false })).status).toBe(200);
    expect((await cal.ask('GET', '/hosts')).status).toBe(401);
    await signedIn('cal@example.com', 'a long walk to the pier');
  });

  test('the last administrator stays', async () => {
    const { body } = await admin.ask('GET', '/session');
    for (const change of [{ disabled: true }, { role: 'readOnly' }])
      expect((await admin.ask('PATCH', `/accounts/${body.account.id}`, change)).body.reason).toBe(
        'lastAdministrator',
      );
    expect((await admin.ask('DELETE', `/accounts/${body.account.id}`)).status).toBe(409);
  });

  test('accounts that make no sense are refused', async () => {
    const wrong = [
      { email: ADMIN.email, role: 'administrator' },
      { email: 'd@example.com', role: 'user' },
      { email: 'd@example.com', role: 'user', extension: '9999' },
      { email: 'd@example.com', role: 'siteAdministrator' },
      { email: 'd@example.com', role: 'siteAdministrator', sites: ['nowhere'] },
      { email: 'd@example.com', role: 'administrator', sites: ['london'] },
    ];
    for (const wish of wrong)
      expect((await admin.ask('POST', '/accounts', { name: 'D', ...wish })).body.reason).toBe(
        'invalidDirectory',
      );
  });
});

describe('codes', () => {
  test('asked for once confirmed; each is good once; switched off by password and code, or by an administrator', async () => {
    const [email, password] = ['dan@example.com', 'the kettle sings at noon'];
    const id = await newAccount({ email, role: 'readOnly' }, password);
    const dan = await signedIn(email, password);
    expect((await dan.ask('POST', '/session/totp', { password: 'not the password' })).status).toBe(403);
    const { body } = await dan.ask('POST', '/session/totp', { password });
    const key = Secret.fromBase32(secret(body.secret));
    expect(body.uri).toContain(`secret=${body.secret}`);
    await signedIn(email, password);
    // The clock of the store is the machine's.
    const first = TOTP.generate({ secret: key });
    expect((await dan.ask('PUT', '/session/totp', { code: flip(first) })).body.reason).toBe('wrongCode');
    expect((await dan.ask('PUT', '/session/totp', { code: first })).status).toBe(204);
    const enter = (code?: string) =>
      browser().ask('POST', '/session', { email, password, ...(code && { code }) });
    expect(await enter()).toMatchObject({ status: 401, body: { reason: 'codeNeeded' } });
    expect((await enter(first)).body.reason).toBe('badCredentials');
    const second = TOTP.generate({ secret: key, timestamp: Date.now() + 30_000 });
    const both = await Promise.all([enter(second), enter(second)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
    expect((await dan.ask('POST', '/session/totp', { password })).status).toBe(403);
    expect((await admin.ask('DELETE', `/accounts/${id}/totp`)).status).toBe(204);
    expect((await enter()).status).toBe(200);
  });
});

describe('what each may', () => {
  test('a person sees and changes themselves alone', async () => {
    await newAccount({ email: 'eva@example.com', role: 'user', extension: '1001' }, 'quiet snow in the park');
    const eva = await signedIn('eva@example.com', 'quiet snow in the park');
    expect((await eva.ask('GET', '/session')).body.account).toMatchObject({
      role: 'user',
      extension: '1001',
    });
    expect((await eva.ask('GET', '/users/1001')).status).toBe(200);
    expect((await eva.ask('GET', '/users/1002')).body.reason).toBe('unknownUser');
    expect((await eva.ask('GET', '/users')).body.users).toHaveLength(1);
    expect((await eva.ask('PATCH', '/users/1001', { hotDeskLicence: true })).body.reason).toBe(
      'notPermitted',
    );
    expect((await eva.ask('PUT', '/users/1002/passcode', { passcode: secret('746382') })).status).toBe(404);
    expect((await eva.ask('PUT', '/users/1001/passcode', { passcode: secret('583914') })).status).toBe(204);
    for (const path of ['/accounts', '/tokens', '/directory', '/webhooks', '/audit'])
      expect((await eva.ask('GET', path)).status).toBe(403);
  });

  test('a role that is taken away is gone at once', async () => {
    const id = await newAccount({ email: 'fay@example.com', role: 'administrator' }, 'paper boats at sunset');
    const fay = await signedIn('fay@example.com', 'paper boats at sunset');
    expect((await fay.ask('GET', '/accounts')).status).toBe(200);
    expect((await admin.ask('PATCH', `/accounts/${id}`, { role: 'readOnly' })).status).toBe(200);
    expect((await fay.ask('GET', '/accounts')).status).toBe(403);
    expect((await fay.ask('POST', '/users/1001/unlock')).status).toBe(403);
  });

  test('tokens: shown once, for what they are for, void when removed', async () => {
    const made = await admin.ask('POST', '/tokens', {
      name: 'Wallboard',
      scopes: ['read'],
      expiresInDays: 30,
    });
    const token = secret(made.body.secret);
    expect(made.body.token).toMatchObject({
      scopes: ['read'],
      createdBy: `admin:${ADMIN.email}`,
      sites: null,
    });
    expect((await hotdesk.api('/api/v1/hosts', { token })).status).toBe(200);
    expect((await hotdesk.api('/api/v1/users/1001/unlock', { token, method: 'POST' })).status).toBe(403);
    expect((await hotdesk.api('/api/v1/tokens', { token })).status).toBe(403);
    expect((await hotdesk.api('/api/v1/hosts', { token: `${token}x` })).status).toBe(401);
    expect(JSON.stringify((await admin.ask('GET', '/tokens')).body)).not.toContain(token.slice(-43));
    expect((await admin.ask('DELETE', `/tokens/${made.body.token.id}`)).status).toBe(204);
    expect((await hotdesk.api('/api/v1/hosts', { token })).status).toBe(401);
  });

  test('accounts and tokens are in no export, and an import leaves them', async () => {
    const { body: yaml } = await hotdesk.api('/api/v1/directory');
    expect(yaml).not.toMatch(/^(accounts|tokens):/m);
    expect(yaml).not.toContain(ADMIN.email);
    const response = await fetch(`${hotdesk.http}/api/v1/directory`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/yaml' },
      body: yaml,
    });
    expect(response.status).toBe(204);
    expect((await admin.ask('GET', '/session')).status).toBe(200);
  });
});

test('every answer has the headers that keep a page safe', async () => {
  for (const path of ['/api/v1/hosts', '/api/v1/session', '/healthz', '/nowhere', '/api/v1/openapi.json']) {
    const { headers } = await fetch(`${hotdesk.http}${path}`);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    if (path.startsWith('/api')) expect(headers.get('cache-control')).toBe('no-store');
  }
});

test('who signed in and who changed what is in the audit', async () => {
  const { body } = await admin.ask('GET', '/audit?limit=500');
  const entries: { reason: string | null; actor: string; entries: string[] | null }[] = body.entries;
  expect(entries).toContainEqual(
    expect.objectContaining({ reason: 'signedIn', actor: `admin:${ADMIN.email}` }),
  );
  expect(entries).toContainEqual(expect.objectContaining({ reason: 'signedIn', actor: 'user:1001' }));
  expect(entries).toContainEqual(
    expect.objectContaining({ reason: 'passwordSet', actor: 'admin:bea@example.com' }),
  );
  const changed = entries.filter(({ actor, entries: names }) => actor.startsWith('admin:') && names !== null);
  expect(changed.flatMap((entry) => entry.entries ?? []).some((name) => name.startsWith('account:'))).toBe(
    true,
  );
});

test('with the store away nobody gets in, and nothing breaks', async () => {
  await hotdesk.redis.freeze();
  try {
    expect((await admin.ask('GET', '/hosts')).status).toBe(503);
    expect((await browser().ask('POST', '/session', ADMIN)).status).toBe(503);
  } finally {
    await hotdesk.redis.thaw();
  }
});

test('no secret is in the log, nor in Redis', async () => {
  expect(SECRETS.size).toBeGreaterThan(20);
  const log = hotdesk.log.text;
  const kept = JSON.stringify(await everythingIn(raw));
  for (const text of SECRETS) {
    if (text.length < 8) continue;
    expect(log).not.toContain(text);
    expect(kept).not.toContain(text);
  }
});

/** `fetch` says by itself which host it asks. */
function signInThrough(host: string): Promise<{ status: number | undefined; cookies: readonly string[] }> {
  return new Promise((resolve, reject) => {
    const headers = { host, 'content-type': 'application/json' };
    const asked = httpRequest(`${hotdesk.http}/api/v1/session`, { method: 'POST', headers }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, cookies: response.headers['set-cookie'] ?? [] });
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(ADMIN));
  });
}

async function sessionKeysOf(account: string): Promise<string[]> {
  return raw.keys(`hd:{demo}:sesx:${account}`);
}

async function everythingIn(redis: Redis): Promise<unknown[]> {
  const read = async (key: string): Promise<unknown> => {
    const type = await redis.type(key);
    if (type === 'string') return redis.get(key);
    if (type === 'hash') return redis.hgetall(key);
    if (type === 'zset') return redis.zrange(key, 0, '-1');
    return type === 'stream' ? redis.xrange(key, '-', '+') : undefined;
  };
  return Promise.all((await redis.keys('*')).map(async (key) => [key, await read(key)]));
}

function flip(code: string): string {
  return String((Number(code) + 1) % 1_000_000).padStart(6, '0');
}
