import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { ADMIN_TOKEN } from '../support/hotdesk.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';

/** The admin API as an administrator's script meets it. */

const hotdesk = useHotdesk();
const { first, second } = PEOPLE;
const ASSOCIATION = `/api/v1/hosts/${PHONES.reception}/association`;

describe('who may', () => {
  test.each([
    ['no token', undefined],
    ['a wrong token', 'not-the-token-of-anybody'],
    ['a token that begins right', ADMIN_TOKEN.slice(0, -1)],
  ])('%s: 401 as problem+json', async (_what, token) => {
    const answer = await hotdesk().api('/api/v1/hosts', { token });
    expect(answer.status).toBe(401);
    expect(answer.type).toContain('application/problem+json');
  });

  test('health needs no token', async () => {
    expect(await hotdesk().api('/healthz', { token: undefined })).toMatchObject({ status: 200 });
    const ready = await hotdesk().api('/readyz', { token: undefined });
    expect(ready).toMatchObject({ status: 200, body: { ready: true, store: true, sip: true } });
  });
});

describe('hosts, users, company', () => {
  test('lists the demo’s phones with who sits there', async () => {
    await hotdesk().seat(first.extension, PHONES.reception);
    const { body } = await hotdesk().api('/api/v1/hosts');
    const ids = body.hosts.map(({ id }: { id: string }) => id);
    expect(ids.toSorted()).toEqual(Object.values(PHONES).toSorted());
    const [reception] = body.hosts.filter(({ id }: { id: string }) => id === PHONES.reception);
    expect(reception.association.guest.extension).toBe(first.extension);
    expect(Date.parse(reception.association.startedAt)).toBeCloseTo(Date.now(), -5);
  });

  test('tells which phones are registered, and from where', async () => {
    const phone = await hotdesk().phone(PHONES.leeds, { protocol: 'tcp' });
    const { body } = await hotdesk().api(`/api/v1/hosts/${PHONES.leeds}`);
    expect(body.registered).toBe(true);
    expect(body.bindings).toMatchObject([{ protocol: 'tcp', port: phone.wire.local.port }]);
    expect(body.association).toBeNull();
  });

  test('lists people without a trace of their PINs', async () => {
    const { body } = await hotdesk().api('/api/v1/users');
    expect(body.users).toHaveLength(4);
    expect(JSON.stringify(body)).not.toMatch(/argon2|passcodeHash|583914/i);
  });

  test('unknown host: 404 with a reason for programs', async () => {
    const answer = await hotdesk().api('/api/v1/hosts/nowhere');
    expect(answer).toMatchObject({ status: 404, body: { reason: 'unknownHost', status: 404 } });
  });

  test('the association limit can be set to what rule A4 offers, and to nothing else', async () => {
    const set = (associationLimit: unknown): Promise<{ status: number }> =>
      hotdesk().api('/api/v1/company', { method: 'PATCH', json: { associationLimit } });
    expect((await set(8)).status).toBe(200);
    expect((await hotdesk().api('/api/v1/company')).body.associationLimit).toBe(8);
    for (const wrong of [7, '8', 0, null]) expect((await set(wrong)).status).toBe(400);
    expect((await set(12)).status).toBe(200);
  });
});

describe('putting people at phones', () => {
  test('associate, read, release', async () => {
    const put = await hotdesk().api(ASSOCIATION, { method: 'PUT', json: { guest: first.extension } });
    expect(put).toMatchObject({
      status: 200,
      body: { association: { guest: { extension: first.extension } } },
    });
    const away = await hotdesk().api(ASSOCIATION, { method: 'DELETE' });
    expect(away.status).toBe(204);
    await hotdesk().expectGuest(PHONES.reception, undefined);
  });

  test.each([
    ['a taken phone', second.extension, 409, 'occupied'],
    ['nobody of that name', '1999', 404, 'unknownUser'],
    ['no licence', PEOPLE.unlicensed.extension, 403, 'notLicensed'],
  ])('%s is refused with its reason', async (_what, guest, status, reason) => {
    await hotdesk().seat(first.extension, PHONES.reception);
    const answer = await hotdesk().api(ASSOCIATION, { method: 'PUT', json: { guest } });
    expect(answer).toMatchObject({ status, body: { reason } });
    expect(await hotdesk().guestAt(PHONES.reception)).toBe(first.extension);
  });

  test('a free phone cannot be released', async () => {
    const answer = await hotdesk().api(ASSOCIATION, { method: 'DELETE' });
    expect(answer).toMatchObject({ status: 404, body: { reason: 'nobodyHere' } });
  });

  test('a body with a word too many is refused and says where', async () => {
    const json = { guest: first.extension, force: true };
    const answer = await hotdesk().api(ASSOCIATION, { method: 'PUT', json });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.length).toBeGreaterThan(0);
  });
});

describe('the directory as YAML', () => {
  test('exported and imported again, nothing is lost: people can still log in', async () => {
    // A phone that has registered is marked with its network a moment later.
    await hotdesk().phone(PHONES.leeds);
    const leeds = () => hotdesk().api(`/api/v1/hosts/${PHONES.leeds}`);
    await eventually('the mark', async () => (await leeds()).body.location !== null);
    const { body: yaml, type } = await hotdesk().api('/api/v1/directory');
    expect(type).toContain('yaml');
    expect(yaml).toContain('Reception desk');
    for (const { pin } of Object.values(PEOPLE)) expect(yaml).not.toContain(pin);
    const response = await fetch(`${hotdesk().http}/api/v1/directory`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/yaml' },
      body: yaml,
    });
    expect(response.status).toBe(204);
    expect((await hotdesk().api('/api/v1/directory')).body).toBe(yaml);
    await hotdesk().phone(PHONES.reception);
    await hotdesk().seat(first.extension, PHONES.reception);
  });

  test('a directory that makes no sense is refused as a whole', async () => {
    const before = (await hotdesk().api('/api/v1/directory')).body;
    const response = await fetch(`${hotdesk().http}/api/v1/directory`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/yaml' },
      body: before.replace('site: leeds', 'site: nowhere'),
    });
    expect(response.status).toBe(422);
    expect((await hotdesk().api('/api/v1/directory')).body).toBe(before);
  });
});

test('the OpenAPI document is served and names every path', async () => {
  const { status, body } = await hotdesk().api('/api/v1/openapi.json', { token: undefined });
  expect(status).toBe(200);
  const paths = Object.keys(body.paths);
  for (const path of [
    '/api/v1/hosts',
    '/api/v1/hosts/{id}/association',
    '/api/v1/company',
    '/api/v1/directory',
  ])
    expect(paths).toContain(path);
});
