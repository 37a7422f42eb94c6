import { request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Browser } from '../support/browser.ts';
import { type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import { CLIENT, type IdentityProvider, startIdentityProvider } from '../support/identity-provider.ts';

/** Signing in at an identity provider (OpenID Connect), with a real one behind: what it says is believed when all fits. */

let provider: IdentityProvider;
let hotdesk: Hotdesk;
const KIM = { email: 'kim@example.com', email_verified: true, sub: 's-kim', name: 'Kim' };

beforeAll(async () => {
  provider = await startIdentityProvider();
  const port = await freePort();
  hotdesk = await startHotdesk({
    settings: {
      http: {
        port,
        publicUrl: `http://127.0.0.1:${port}`,
        oidc: {
          ...{
            name: 'Example Ltd',
            issuer: provider.issuer,
            clientId: CLIENT.id,
            clientSecret: CLIENT.secret,
          },
          create: {
            roleClaim: 'groups',
            roles: { admins: 'administrator', site: 'siteAdministrator', staff: 'readOnly', people: 'user' },
            ...{ sitesClaim: 'sites', extensionClaim: 'extension' },
          },
        },
      },
    },
  });
  const json = { email: KIM.email, name: 'Kim', role: 'administrator' };
  const made = await hotdesk.api('/api/v1/accounts', { method: 'POST', json });
  const set = { token: made.body.link.token, password: 'a lamp in the harbour' };
  expect((await hotdesk.api('/api/v1/password', { method: 'POST', json: set })).status).toBe(204);
});
afterEach(() => {
  Object.assign(provider, { claims: {}, userinfo: undefined, forged: false, silent: false });
});
afterAll(async () => {
  await hotdesk.stop();
  await provider.stop();
});

const browser = () => new Browser(hotdesk.http);

async function begin(someone: Browser, to?: string): Promise<string> {
  const answer = await someone.ask('POST', '/provider', to === undefined ? {} : { to });
  expect(answer.status).toBe(200);
  return answer.body.location;
}

/** Follows the way back; where the browser ends. */
async function comeBack(someone: Browser, back: URL): Promise<string> {
  const path = `${back.pathname.replace('/api/v1', '')}${back.search}`;
  // The way back begins at another site.
  const answer = await someone.ask('GET', path, undefined, { 'sec-fetch-site': 'cross-site' });
  expect(answer.status).toBe(303);
  return answer.headers.get('location') ?? '';
}

async function signIn(claims: object, someone = browser()): Promise<{ someone: Browser; page: string }> {
  provider.claims = { ...claims };
  const back = await provider.authorize(await begin(someone));
  return { someone, page: await comeBack(someone, back) };
}

async function who(someone: Browser) {
  const answer = await someone.ask('GET', '/session');
  return answer.status === 200 ? answer.body.account : undefined;
}

const PROBLEM = { void: '/sign-in?problem=signInVoid', nobody: '/sign-in?problem=noAccount' };

describe('whoever the provider vouches for', () => {
  test('is signed in by a verified e-mail address', async () => {
    const someone = browser();
    expect((await someone.ask('GET', '/provider')).body).toEqual({ name: 'Example Ltd' });
    const { page } = await signIn({ ...KIM, email: 'KIM@Example.com' }, someone);
    expect(page).toBe('/');
    expect(await who(someone)).toMatchObject({ email: KIM.email, role: 'administrator' });
    expect([...someone.cookies.keys()]).toEqual(['hotdesk']);
    const { body } = await hotdesk.api('/api/v1/audit?limit=5');
    expect(body.entries).toContainEqual(
      expect.objectContaining({ reason: 'signedIn', actor: `admin:${KIM.email}` }),
    );
  });

  test('by an address that only the userinfo endpoint tells', async () => {
    provider.userinfo = { email: KIM.email, email_verified: true };
    const { someone } = await signIn({ sub: 's-kim' });
    expect(await who(someone)).toMatchObject({ email: KIM.email });
  });

  test('comes back to the page that was asked for, and to no other site', async () => {
    for (const [to, page] of [
      ['/users/1001', '/users/1001'],
      ['//evil.example', '/'],
      ['/\\evil.example', '/'],
      ['https://evil.example', '/'],
    ] as const) {
      const someone = browser();
      provider.claims = KIM;
      expect(await comeBack(someone, await provider.authorize(await begin(someone, to)))).toBe(page);
    }
  });

  test('gets an account where there is none, with the role of a claim', async () => {
    const { someone } = await signIn({
      ...KIM,
      sub: 's-lou',
      email: 'lou@example.com',
      groups: ['x', 'staff'],
      sites: ['london'],
    });
    expect(await who(someone)).toMatchObject({
      email: 'lou@example.com',
      role: 'readOnly',
      sites: ['london'],
    });
    const { someone: nia } = await signIn({
      ...KIM,
      sub: 's-nia',
      email: 'nia@example.com',
      groups: 'people',
      extension: '1001',
    });
    expect(await who(nia)).toMatchObject({ role: 'user', extension: '1001' });
    // Whoever should have sites and has none in the claim does not get all.
    const { someone: moe } = await signIn({
      ...KIM,
      sub: 's-moe',
      email: 'moe@example.com',
      groups: ['staff'],
    });
    expect(await who(moe)).toMatchObject({ role: 'readOnly', sites: [] });
  });

  test.each([
    ['no role', { groups: ['elsewhere'] }],
    ['no verified address', { groups: ['staff'], email_verified: false }],
    ['an address that is said to be verified in words', { groups: ['staff'], email_verified: 'true' }],
    ['a person who is not there', { groups: ['people'], extension: '9999' }],
    ['a site that is not there', { groups: ['site'], sites: ['nowhere'] }],
  ])('%s: nobody', async (_name, claims) => {
    const { someone, page } = await signIn({ ...KIM, sub: 's-eve', email: 'eve@example.com', ...claims });
    expect(page).toBe(PROBLEM.nobody);
    expect(await who(someone)).toBeUndefined();
  });

  test('an unverified address is nobody’s, though there is an account of it', async () => {
    for (const email_verified of [false, undefined, 'true', 1]) {
      const { someone, page } = await signIn({ ...KIM, email_verified, groups: ['admins'] });
      expect(page).toBe(PROBLEM.nobody);
      expect(await who(someone)).toBeUndefined();
    }
  });

  test('a disabled account stays out, and does not come back as a new one', async () => {
    const groups = ['staff'];
    const { someone } = await signIn({ ...KIM, sub: 's-ann', email: 'ann@example.com', groups });
    const { id } = await who(someone);
    await hotdesk.api(`/api/v1/accounts/${id}`, { method: 'PATCH', json: { disabled: true } });
    const again = await signIn({ ...KIM, sub: 's-ann', email: 'ann@example.com', groups });
    expect(again.page).toBe(PROBLEM.nobody);
    expect(await who(again.someone)).toBeUndefined();
  });
});

describe('what does not fit', () => {
  const now = Math.floor(Date.now() / 1000);
  test.each([
    ['another nonce', { nonce: 'of-somebody-else' }],
    ['no nonce', { nonce: undefined }],
    ['a token that has expired', { exp: now - 600, iat: now - 900 }],
    ['a foreign audience', { aud: 'another-client' }],
    [
      'several audiences without this client as the one it is for',
      { aud: [CLIENT.id, 'other'], azp: 'other' },
    ],
    ['another issuer', { iss: 'https://evil.example' }],
    ['nobody', { sub: undefined }],
  ])('%s is void', async (_name, claims) => {
    const { someone, page } = await signIn({ ...KIM, ...claims });
    expect(page).toBe(PROBLEM.void);
    expect(await who(someone)).toBeUndefined();
  });

  test('a token signed by another key is void', async () => {
    provider.forged = true;
    const { someone, page } = await signIn(KIM);
    expect(page).toBe(PROBLEM.void);
    expect(await who(someone)).toBeUndefined();
  });

  test('another state, none, and a way back that another browser began', async () => {
    provider.claims = KIM;
    const [one, other] = [browser(), browser()];
    const back = await provider.authorize(await begin(one));
    await begin(other);
    expect(await comeBack(other, back)).toBe(PROBLEM.void);
    expect(await comeBack(browser(), back)).toBe(PROBLEM.void);
    const wrong = new URL(back);
    wrong.searchParams.set('state', 'x'.repeat(43));
    const third = browser();
    await begin(third);
    expect(await comeBack(third, wrong)).toBe(PROBLEM.void);
    wrong.searchParams.delete('state');
    await begin(third);
    expect(await comeBack(third, wrong)).toBe(PROBLEM.void);
    for (const someone of [one, other, third]) expect(await who(someone)).toBeUndefined();
    // The one who began it still comes through.
    expect(await comeBack(one, back)).toBe('/');
  });

  test('the same way back twice', async () => {
    provider.claims = KIM;
    const someone = browser();
    const back = await provider.authorize(await begin(someone));
    const cookies = new Map(someone.cookies);
    expect(await comeBack(someone, back)).toBe('/');
    const thief = browser();
    for (const [name, value] of cookies) thief.cookies.set(name, value);
    expect(await comeBack(thief, back)).toBe(PROBLEM.void);
    expect(await who(thief)).toBeUndefined();
  });

  test('the provider says no', async () => {
    const someone = browser();
    const begun = new URL(await begin(someone));
    const state = begun.searchParams.get('state') ?? '';
    const query = new URLSearchParams({ error: 'access_denied', state, iss: provider.issuer });
    const back = new URL(`${hotdesk.http}/api/v1/provider/callback?${query}`);
    expect(await comeBack(someone, back)).toBe(PROBLEM.void);
  });

  test('a cookie of somebody’s own making, and odd queries', async () => {
    for (const value of ['', 'x', 'p1:AAAA', '%', 'p1:'.repeat(500)]) {
      const someone = browser();
      someone.cookies.set('hotdesk-provider', value);
      const path = '/provider/callback?state=x&state=y&code=%00&iss[]=1&__proto__=1';
      const answer = await someone.ask('GET', path);
      expect([answer.status, answer.headers.get('location')]).toEqual([303, PROBLEM.void]);
    }
  });

  test('another site cannot begin it', async () => {
    const answer = await new Browser(hotdesk.http, { 'sec-fetch-site': 'cross-site' }).ask(
      'POST',
      '/provider',
      {},
    );
    expect(answer.status).toBe(403);
  });
});

test('the provider is told the configured address, whatever the request says', async () => {
  const location = new URL(await beginThrough('evil.example'));
  expect(location.searchParams.get('redirect_uri')).toBe(`${hotdesk.http}/api/v1/provider/callback`);
  expect(location.searchParams.get('code_challenge_method')).toBe('S256');
  expect(location.href).not.toContain(CLIENT.secret);
});

test('with the provider away one hears so, and passwords go on', async () => {
  provider.silent = true;
  provider.claims = KIM;
  const someone = browser();
  // What it has said of itself is still known; its word is not to be had.
  const begun = new URL(await begin(someone));
  const query = new URLSearchParams({
    ...{ code: 'x', state: begun.searchParams.get('state') ?? '', iss: provider.issuer },
  });
  const page = await comeBack(someone, new URL(`${hotdesk.http}/api/v1/provider/callback?${query}`));
  expect(page).toBe('/sign-in?problem=providerUnavailable');
  await someone.signIn(KIM.email, 'a lamp in the harbour');
  expect(await who(someone)).toMatchObject({ email: KIM.email });
}, 20_000);

test('no secret of the client and none of a sign-in is in the log', () => {
  expect(hotdesk.log.text).not.toContain(CLIENT.secret);
  expect(hotdesk.log.text).not.toMatch(/code_verifier|id_token|eyJ/);
});

/** `fetch` says by itself which host it asks. */
function beginThrough(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host, 'content-type': 'application/json', 'x-forwarded-host': host };
    const asked = httpRequest(`${hotdesk.http}/api/v1/provider`, { method: 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text).location));
    });
    asked.on('error', reject);
    asked.end('{}');
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
