import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret, TOTP } from 'otpauth';
import { describe, expect, test } from 'vitest';
import type { ApiWalk } from '../../support/api-walk.ts';
import { Browser } from '../../support/browser.ts';
import { PEOPLE } from '../../support/demo.ts';
import type { IdentityProvider } from '../../support/identity-provider.ts';

const KIM = { email: 'kim@example.com', password: 'a lamp in the harbour' };
const ANN = { email: 'ann@example.com', password: 'red bicycle on a hill' };

/** From the first administrator to accounts, sessions, codes and tokens. */
export function accountStory(walk: ApiWalk, data: () => string): void {
  const browser = () => new Browser(walk.hotdesk.http);
  let kim: Browser;
  let ann: Browser;
  let path = { id: '' };

  async function signIn(who: typeof KIM, more: object = {}): Promise<Browser> {
    const as = browser();
    await walk.call('POST /session', { as, body: { ...who, ...more } });
    as.csrf = (await walk.call('GET /session', { as })).body.csrf;
    return as;
  }

  describe('accounts', () => {
    test('begin with the first administrator', async () => {
      expect((await walk.call('GET /setup', { as: 'nobody' })).body).toEqual({ needed: true });
      const token = (await readFile(join(data(), 'first-administrator'), 'utf8')).trim();
      const wish = { as: 'nobody', body: { token, name: 'Kim', ...KIM } } as const;
      const made = await walk.call('POST /setup', wish);
      expect(made).toMatchObject({ status: 201, body: { account: { role: 'administrator' } } });
      await walk.refused('POST /setup', 'linkVoid', wish);
      expect((await walk.call('GET /setup', { as: 'nobody' })).body).toEqual({ needed: false });
      kim = await signIn(KIM);
    });

    test('are made for others, who set their password by a link', async () => {
      const { extension } = PEOPLE.first;
      const body = { email: ANN.email, name: 'Ann', role: 'user', extension };
      const made = await walk.call('POST /accounts', {
        ...{ as: kim, body, headers: { 'idempotency-key': 'walk-4' } },
      });
      path = { id: made.body.account.id };
      const password = { token: made.body.link.token, password: ANN.password };
      await walk.call('POST /password', { as: 'nobody', body: password });
      await walk.refused('POST /password', 'linkVoid', { as: 'nobody', body: password });
      ann = await signIn(ANN);
      const { body: self } = await walk.call('GET /session', { as: ann });
      expect(self.account).toMatchObject({ id: path.id, role: 'user', extension });
      expect(self.site).toEqual({ id: 'london', name: 'London', timeZone: 'Europe/London' });
    });

    test('are found and changed', async () => {
      const listed = await walk.call('GET /accounts', { as: kim, query: { q: 'ann', limit: '5' } });
      expect(listed.body).toMatchObject({ total: 1, accounts: [{ id: path.id, hasPassword: true }] });
      const { headers } = await walk.call('GET /accounts/{id}', { as: kim, path });
      const change = { as: kim, path, headers: { 'if-match': headers.get('etag') ?? '' } };
      const renamed = await walk.call('PATCH /accounts/{id}', { ...change, body: { name: 'Ann Lee' } });
      expect(renamed.body).toMatchObject({ name: 'Ann Lee', disabled: false });
      const again = { ...change, body: { name: 'X' } };
      await walk.refused('PATCH /accounts/{id}', 'changedMeanwhile', again);
    });

    test('ask for codes once one has confirmed them', async () => {
      const proof = { password: ANN.password };
      await walk.refused('POST /session/totp', 'badCredentials', { as: ann, body: { password: 'no' } });
      await walk.call('POST /session/totp', { as: ann, body: proof });
      await walk.call('DELETE /accounts/{id}/totp', { as: kim, path });
      const { body } = await walk.call('POST /session/totp', { as: ann, body: proof });
      const secret = Secret.fromBase32(body.secret);
      const code = (inMs: number) => TOTP.generate({ secret, timestamp: Date.now() + inMs });
      await walk.call('PUT /session/totp', { as: ann, body: { code: code(0) } });
      await walk.refused('POST /session', 'codeNeeded', { as: browser(), body: ANN });
      await walk.call('POST /session/totp/removal', { as: ann, body: { ...proof, code: code(30_000) } });
      expect((await walk.call('GET /session', { as: ann })).body.account.totp).toBe(false);
    });

    test('change their password, and end sessions', async () => {
      const other = await signIn(ANN);
      const newPassword = 'green bicycle in a lake';
      const body = { password: ANN.password, newPassword };
      await walk.call('PUT /session/password', { as: ann, body });
      expect((await walk.ask('GET /session', { as: other })).status).toBe(401);
      ANN.password = newPassword;
      ann.csrf = (await walk.call('GET /session', { as: ann })).body.csrf;
      const third = await signIn(ANN);
      const { sessions } = (await walk.call('GET /sessions', { as: ann })).body;
      expect(sessions.map(({ current }: { current: boolean }) => current)).toEqual([true, false]);
      expect(JSON.stringify(sessions)).not.toContain(third.session);
      const gone = { as: ann, path: { id: sessions[1].id } };
      await walk.call('DELETE /sessions/{id}', gone);
      await walk.refused('DELETE /sessions/{id}', 'unknownSession', gone);
      expect((await walk.ask('GET /session', { as: third })).status).toBe(401);
      const fourth = await signIn(ANN);
      await walk.call('DELETE /session/others', { as: ann });
      expect((await walk.ask('GET /session', { as: fourth })).status).toBe(401);
      ann.csrf = (await walk.call('GET /session', { as: ann })).body.csrf;
      await walk.call('DELETE /session', { as: ann });
      expect((await walk.ask('GET /session', { as: ann })).status).toBe(401);
    });

    test('are reset, signed out and removed by an administrator', async () => {
      const reset = await walk.call('POST /accounts/{id}/reset', { as: kim, path });
      expect(reset.body.path).toBe(`/password#${reset.body.token}`);
      const last = await signIn(ANN);
      await walk.call('DELETE /accounts/{id}/sessions', { as: kim, path });
      expect((await walk.ask('GET /session', { as: last })).status).toBe(401);
      await walk.call('DELETE /accounts/{id}', { as: kim, path });
      await walk.refused('GET /accounts/{id}', 'unknownAccount', { as: kim, path });
    });

    test('let programs in by tokens', async () => {
      const wish = { name: 'Wallboard', scopes: ['read'], sites: ['london'], expiresInDays: 30 };
      const { body } = await walk.call('POST /tokens', { as: kim, body: wish });
      const headers = { authorization: `Bearer ${body.secret}` };
      expect((await walk.call('GET /sites', { headers })).body.total).toBe(1);
      const { body: list } = await walk.call('GET /tokens', { as: kim });
      expect(list.tokens).toEqual([body.token]);
      expect(JSON.stringify(list)).not.toContain(body.secret);
      await walk.call('DELETE /tokens/{id}', { as: kim, path: { id: body.token.id } });
      expect((await walk.ask('GET /sites', { headers })).status).toBe(401);
    });
  });
}

/** In by the door of an identity provider. */
export function providerStory(walk: ApiWalk, provider: () => IdentityProvider): void {
  test('an identity provider says who somebody is', async () => {
    const as = new Browser(walk.hotdesk.http);
    expect((await walk.call('GET /provider', { as: 'nobody' })).body.name).toBe('Example Ltd');
    const { body } = await walk.call('POST /provider', { as, body: { to: '/sites' } });
    provider().claims = { email: KIM.email, email_verified: true, sub: 's-kim', name: 'Kim' };
    const back = await provider().authorize(body.location);
    // The browser is sent to this by another site, with a query the document leaves to OpenID Connect.
    const answer = await as.ask('GET', `/provider/callback${back.search}`, undefined, {
      'sec-fetch-site': 'cross-site',
    });
    expect(answer.headers.get('location')).toBe('/sites');
    await walk.answered('GET /provider/callback', answer);
    expect((await walk.call('GET /session', { as })).body.account.email).toBe(KIM.email);
  });
}
