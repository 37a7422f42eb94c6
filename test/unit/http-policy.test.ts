import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Account, Role, Scope } from '../../src/domain/account.ts';
import type { Directory } from '../../src/domain/directory.ts';
import { POLICY } from '../../src/http/policy.ts';
import { ROLES } from '../../src/http/principal.ts';
import { tableOf } from '../../src/services/directory-document.ts';
import { hashOf } from '../../src/services/secret-texts.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { alice, base, directory, london, reception, request, world } from './http-world.ts';

/** Every route of the OpenAPI document, by every role, about what is theirs and what is not. */

const CSRF = 'csrf-of-the-test';
/** `S` `R` `U`: a site administrator, who may only read, a user; small letters: about what is theirs. */
const EXPECTED: Readonly<Record<string, string>> = {
  'GET /company': 'SRU',
  'PATCH /company': '',
  'GET /company/licences': 'SR',
  'GET /hosts': 'sru',
  'POST /hosts': 's',
  'GET /hosts/{id}': 'sru',
  'PATCH /hosts/{id}': 'su',
  'DELETE /hosts/{id}': 's',
  'POST /hosts/{id}/unassign': 's',
  'POST /hosts/{id}/convert': 's',
  'POST /hosts/{id}/assign': 's',
  'POST /hosts/{id}/address/verification': 's',
  'PUT /hosts/{id}/association': 's',
  'DELETE /hosts/{id}/association': 'su',
  'GET /catalogue': 'SR',
  'POST /order-quotes': 's',
  'GET /orders': 'sr',
  'POST /orders': 's',
  'GET /orders.csv': 'sr',
  'GET /orders/{id}': 'sr',
  'PATCH /orders/{id}': 's',
  'GET /orders/{id}.csv': 'sr',
  'POST /orders/{id}/phones': 's',
  'GET /sites': 'sr',
  'POST /sites': '',
  'GET /sites/{id}': 'sr',
  'PATCH /sites/{id}': 's',
  'DELETE /sites/{id}': '',
  'GET /users': 'sru',
  'POST /users': 's',
  'POST /users/import': 's',
  'GET /users/{extension}': 'sru',
  'PATCH /users/{extension}': 's',
  'DELETE /users/{extension}': 's',
  'POST /users/{extension}/unlock': 's',
  'PUT /users/{extension}/passcode': 'su',
  'POST /users/{extension}/passcode': 's',
  'PATCH /users/{extension}/guest': 'su',
  'PATCH /users/{extension}/calls': 'su',
  'GET /users/{extension}/hosts': 'sru',
  'PUT /users/{extension}/association': 'su',
  'DELETE /users/{extension}/association': 'su',
  'GET /directory': '',
  'PUT /directory': '',
  'GET /webhooks': '',
  'POST /webhooks': '',
  'GET /webhooks/dead-letters': '',
  'GET /webhooks/{id}': '',
  'PATCH /webhooks/{id}': '',
  'DELETE /webhooks/{id}': '',
  'POST /webhooks/{id}/secret': '',
  'POST /webhooks/{id}/test': '',
  'GET /webhooks/{id}/deliveries': '',
  'POST /webhooks/{id}/dead-letters/{letter}/delivery': '',
  'GET /audit': 'sr',
  'GET /audit/sessions': 'sr',
  'GET /audit.csv': 'sr',
  'GET /audit/sessions.csv': 'sr',
  'GET /usage': 'sr',
  'GET /emergencies': 'sr',
  'POST /emergencies/{id}/acknowledgement': 's',
  'GET /events': 'sru',
  'GET /session': 'SRU',
  'DELETE /session': 'SRU',
  'DELETE /session/others': 'SRU',
  'PUT /session/password': 'SRU',
  'POST /session/totp': 'SRU',
  'PUT /session/totp': 'SRU',
  'POST /session/totp/removal': 'SRU',
  'GET /sessions': 'SRU',
  'DELETE /sessions/{id}': 'SRU',
  'GET /accounts': '',
  'POST /accounts': '',
  'GET /accounts/{id}': '',
  'PATCH /accounts/{id}': '',
  'DELETE /accounts/{id}': '',
  'POST /accounts/{id}/reset': '',
  'DELETE /accounts/{id}/totp': '',
  'DELETE /accounts/{id}/sessions': '',
  'GET /tokens': '',
  'POST /tokens': '',
  'DELETE /tokens/{id}': '',
};
const OPEN = new Set([
  ...['GET /provider', 'POST /provider', 'GET /provider/callback'],
  ...['GET /setup', 'POST /setup', 'POST /password', 'POST /session', 'GET /web-phone'],
]);

const twoSites: Directory = tableOf([
  { kind: 'company', value: directory.company },
  { kind: 'site', value: london },
  { kind: 'site', value: { ...london, id: 'leeds', name: 'Leeds' } },
  { kind: 'user', value: alice },
  { kind: 'user', value: { ...alice, extension: '1002', site: 'leeds', numbers: [] } },
  { kind: 'host', value: { ...reception, id: 'u1001', kind: 'user', owner: '1001' } },
  { kind: 'host', value: { ...reception, id: 'u1002', kind: 'user', owner: '1002', site: 'leeds' } },
]);

/** What paths name: of London and Alice, and of Leeds and somebody else. */
const OWN = { '/hosts/{id}': 'u1001', '/users/{extension}': '1001', '/sites/{id}': 'london' };
const OTHER = { '/hosts/{id}': 'u1002', '/users/{extension}': '1002', '/sites/{id}': 'leeds' };
const NOBODY = { '/hosts/{id}': 'u9999', '/users/{extension}': '9999', '/sites/{id}': 'nowhere' };

function account(role: Role): Account {
  return {
    ...{ id: 'a1', email: 'kim@example.com', name: 'Kim', role, disabled: false },
    ...(role === 'user' && { extension: '1001' }),
    ...((role === 'siteAdministrator' || role === 'readOnly') && { sites: ['london'] }),
  };
}

function signInAs(role: Role): void {
  world.session = { id: 'x', account: account(role), csrf: CSRF };
}

const COOKIE = { cookie: 'hotdesk=whoever', 'x-csrf-token': CSRF };

async function ask(operation: string, names: Readonly<Record<string, string>>, more: object = {}) {
  const [method = '', template = ''] = operation.split(' ');
  let path = template;
  for (const [start, id] of Object.entries(names))
    if (path.startsWith(start)) path = path.replace(/\{\w+\}/, id);
  path = path.replace(/\{\w+\}/, 'whatever');
  const type = operation === 'PUT /directory' ? 'application/yaml' : 'application/json';
  const body = method === 'GET' || method === 'DELETE' ? {} : { body: type.includes('json') ? {} : 'x: 1' };
  return request(method, `/api/v1${path}`, { token: '', headers: COOKIE, type, ...body, ...more });
}

type Answer = Awaited<ReturnType<typeof ask>>;

function verdict({ status, json }: Answer): 'forbidden' | 'hidden' | 'allowed' | 'unknown' {
  if (status === 401 && json.reason === undefined && !/signed in/.test(json.detail)) return 'unknown';
  if (status === 403 && json.reason === 'notPermitted') return 'forbidden';
  return status === 404 && /^unknown(Host|User|Site)$/.test(json.reason) ? 'hidden' : 'allowed';
}

beforeEach(() => {
  world.view.directory = twoSites;
  // Whoever gets as far as the services is let in.
  world.answer = { refused: 'notReachable' };
});

async function operations(): Promise<string[]> {
  const { json } = await request('GET', '/api/v1/openapi.json', { token: '' });
  return Object.entries(json.paths as Record<string, object>).flatMap(([path, item]) =>
    path.startsWith('/api/v1')
      ? Object.keys(item).map((method) => `${method.toUpperCase()} ${path.slice('/api/v1'.length)}`)
      : [],
  );
}

test('the document, the policy and this table name the same routes', async () => {
  const guarded = (await operations()).filter((operation) => !OPEN.has(operation)).sort();
  const inPolicy = Object.keys(POLICY).map((route) =>
    route.replace('/api/v1', '').replace(/:(\w+)/g, '{$1}'),
  );
  expect(inPolicy.sort()).toEqual(guarded);
  expect(Object.keys(EXPECTED).sort()).toEqual(guarded);
});

test.each(Object.keys(EXPECTED))('%s: nobody without a session or a token', async (operation) => {
  expect((await ask(operation, OWN, { headers: {} })).status).toBe(401);
  expect((await ask(operation, OWN)).status).toBe(401);
  expect(world.calls).toEqual([]);
});

const LETTERS = { siteAdministrator: 's', readOnly: 'r', user: 'u' } as const;
const cases = Object.entries(EXPECTED).flatMap(([operation, who]) =>
  ROLES.map((role) => [operation, role, who] as const),
);

test.each(cases)('%s by %s', async (operation, role, who) => {
  signInAs(role);
  const letter = role === 'administrator' ? undefined : LETTERS[role];
  const hasAll = letter === undefined || who.includes(letter.toUpperCase());
  const hasOwn = hasAll || who.includes(letter);
  const isAbout = Object.keys(OWN).some((start) => operation.split(' ')[1]?.startsWith(start));
  expect(verdict(await ask(operation, OWN))).toBe(hasOwn ? 'allowed' : 'forbidden');
  if (!isAbout) return;
  world.calls.length = 0;
  const other = await ask(operation, OTHER);
  expect(verdict(other)).toBe(hasAll ? 'allowed' : hasOwn ? 'hidden' : 'forbidden');
  if (!hasAll) expect(world.calls).toEqual([]);
  // What is another's looks like what is not there at all.
  if (verdict(other) === 'hidden') expect((await ask(operation, NOBODY)).text).toBe(other.text);
});

describe('what a body names', () => {
  const put = (path: string, body: object) =>
    request('PUT', `/api/v1${path}`, { token: '', headers: COOKIE, body });
  const patch = (path: string, body: object) =>
    request('PATCH', `/api/v1${path}`, { token: '', headers: COOKIE, body });

  test('a site administrator moves nobody of another site, and nobody to another site', async () => {
    signInAs('siteAdministrator');
    for (const answer of [
      await put('/hosts/u1001/association', { guest: '1002' }),
      await put('/users/1001/association', { host: 'u1002' }),
    ])
      expect(verdict(answer)).toBe('forbidden');
    expect(world.calls).toEqual([]);
    expect(verdict(await put('/users/1001/association', { host: 'u1001' }))).toBe('allowed');
  });

  test('a site administrator adds nothing elsewhere, and nobody’s phone of elsewhere', async () => {
    signInAs('siteAdministrator');
    const post = (path: string, body: object) =>
      request('POST', `/api/v1${path}`, { token: '', headers: COOKIE, body });
    const person = { extension: '1003', name: 'Eve', callerId: '+442079460003' };
    expect(verdict(await post('/users', { ...person, site: 'leeds' }))).toBe('forbidden');
    expect(verdict(await post('/users', { ...person, site: 'london' }))).toBe('allowed');
    const { address } = reception;
    const phone = { kind: 'user', nickname: 'X', site: 'london', model: 'VVX 411', address };
    expect(verdict(await post('/hosts', { ...phone, owner: '1002' }))).toBe('forbidden');
    expect(verdict(await post('/hosts', { ...phone, site: 'leeds', owner: '1001' }))).toBe('forbidden');
    expect(verdict(await post('/hosts', { ...phone, owner: '1001' }))).toBe('allowed');
    const at = '/hosts/u1001/assign';
    expect(verdict(await post(at, { owner: '1002', address }))).toBe('forbidden');
    expect(verdict(await post('/hosts/u1002/assign', { owner: '1001', address }))).toBe('hidden');
    expect(verdict(await post(at, { owner: '1001', address }))).toBe('allowed');
  });

  test('a user sets what is theirs to set', async () => {
    signInAs('user');
    expect(verdict(await patch('/users/1001/calls', { mailbox: '1002' }))).toBe('forbidden');
    expect(verdict(await patch('/users/1001/calls', { forwarding: { always: null } }))).toBe('allowed');
    expect(verdict(await patch('/hosts/u1001', { callbackNumber: null }))).toBe('forbidden');
    expect(verdict(await patch('/hosts/u1001', { enabled: true, accessLevel: 'site' }))).toBe('allowed');
    // Any host the rules offer them.
    expect(verdict(await put('/users/1001/association', { host: 'u1002' }))).toBe('allowed');
  });
});

describe('tokens', () => {
  const use = (scopes: Scope[], more: object = {}) => {
    const text = `hdt_${scopes.join('-')}_x`;
    const token = {
      id: 't1',
      name: 'T',
      scopes,
      hash: hashOf(text),
      createdBy: 'admin:kim',
      createdAt: 0,
      ...more,
    };
    world.tokens.set(text, token);
    return { headers: { authorization: `Bearer ${text}` } };
  };
  const MAY: Readonly<Record<Scope, (operation: string) => boolean>> = {
    read: (operation) =>
      operation.startsWith('GET ') && !/webhooks|directory| \/session|accounts|tokens/.test(operation),
    phones: (operation) =>
      /^(POST|PUT|PATCH|DELETE) \/(hosts|emergencies|order)/.test(operation) ||
      operation === 'PATCH /sites/{id}',
    people: (operation) => /^(POST|PUT|PATCH|DELETE) \/users/.test(operation),
    write: (operation) => !/ \/(sessions?|accounts|tokens)/.test(operation) && operation !== 'PUT /directory',
  };

  test.each(Object.keys(MAY) as Scope[])('with the scope %s', async (scope) => {
    for (const operation of Object.keys(EXPECTED)) {
      const answer = await ask(operation, OWN, use([scope]));
      expect([operation, verdict(answer)]).toEqual([
        operation,
        MAY[scope](operation) ? 'allowed' : 'forbidden',
      ]);
    }
  });

  test('for one site sees nothing of another', async () => {
    const leeds = use(['write'], { sites: ['leeds'] });
    expect(verdict(await ask('GET /hosts/{id}', OTHER, leeds))).toBe('allowed');
    expect(verdict(await ask('GET /hosts/{id}', OWN, leeds))).toBe('hidden');
    const { json } = await ask('GET /hosts', OWN, leeds);
    expect(json.hosts.map(({ id }: { id: string }) => id)).toEqual(['u1002']);
    expect(verdict(await ask('PATCH /company', OWN, leeds))).toBe('forbidden');
  });

  test('names itself in the log of changes', async () => {
    await ask('POST /users/{extension}/unlock', OWN, use(['people']));
    expect(world.calls).toEqual([['unlock', '1001', 'token:t1']]);
  });
});

describe('lists', () => {
  test.each([
    ['administrator', ['u1001', 'u1002'], ['1001', '1002']],
    ['siteAdministrator', ['u1001'], ['1001']],
    ['readOnly', ['u1001'], ['1001']],
    ['user', ['u1001'], ['1001']],
  ] as const)('%s sees theirs', async (role, hosts, users) => {
    signInAs(role);
    const seen = await ask('GET /hosts', OWN);
    expect(seen.json).toMatchObject({ total: hosts.length, hosts: hosts.map((id) => ({ id })) });
    const people = await ask('GET /users', OWN);
    expect(people.json).toMatchObject({
      total: users.length,
      users: users.map((extension) => ({ extension })),
    });
  });

  test('the log tells a site administrator of their sites', async () => {
    signInAs('siteAdministrator');
    const event = (seq: number, site: string) => ({
      ...{ kind: 'start', seq, at: 0, actor: 'guest', reason: 'logIn', previousHost: undefined },
      association: {
        host: 'h',
        guest: '1',
        site,
        generation: seq,
        startedAt: 0,
        expiresAt: 1,
        idleLimitMs: 'never',
      },
    });
    const directoryChange = { kind: 'directory', seq: 3, at: 0, actor: 'admin:kim', entries: 'all' };
    const about = { kind: 'notice', at: 0, actor: 'x', notice: 'unlocked', host: undefined };
    const notices = [
      { ...about, seq: 4, extension: '1001' },
      { ...about, seq: 5, extension: '1002' },
      { ...about, seq: 6, extension: undefined },
    ];
    world.answer = {
      events: [event(1, 'london'), event(2, 'leeds'), directoryChange, ...notices],
      next: undefined,
    };
    const { json } = await ask('GET /audit', OWN);
    expect(json.entries.map(({ seq }: { seq: number }) => seq)).toEqual([1, 4]);
  });

  test('nobody is told from which desk of another site somebody has come', async () => {
    const stay = (guest: string) => ({
      host: 'h',
      ...{ guest, site: 'london', generation: 1, startedAt: 0, expiresAt: 1, idleLimitMs: 'never' },
    });
    const moved = (seq: number, guest: string, previousHost: string) => ({
      ...{ kind: 'start', seq, at: 0, actor: 'guest', reason: 'move', previousHost },
      association: stay(guest),
    });
    const left = async (role: Role) => {
      signInAs(role);
      const events = [moved(1, '1002', 'u1002'), moved(2, '1001', 'u1002'), moved(3, '1002', 'u1001')];
      world.answer = { events, next: undefined };
      const { json } = await ask('GET /audit', OWN);
      const stays = [
        { association: stay('1002'), endedAt: 1, reason: 'expired', movedFrom: 'u1002' },
        { association: stay('1001'), endedAt: 1, reason: 'expired', movedFrom: 'u1002' },
      ];
      world.answer = { stays, next: undefined };
      const { json: told } = await ask('GET /audit/sessions', OWN);
      return [
        ...json.entries.map(({ previousHost }: { previousHost: { id: string } | null }) => previousHost?.id),
        ...told.sessions.map(({ movedFrom }: { movedFrom: { id: string } | null }) => movedFrom?.id),
      ];
    };
    expect(await left('siteAdministrator')).toEqual([undefined, 'u1002', 'u1001', undefined, 'u1002']);
    expect(await left('administrator')).toEqual(['u1002', 'u1002', 'u1001', 'u1002', 'u1002']);
  });
});

test('a store that goes away while a session is renewed is said, and no fault of ours', async () => {
  signInAs('administrator');
  world.answer = account('administrator');
  world.fails = new StoreUnavailable('gone');
  const body = { password: 'a lamp in the harbour', newPassword: 'another lamp in the bay' };
  for (const operation of ['DELETE /session/others', 'PUT /session/password']) {
    const answer = await ask(operation, OWN, operation.startsWith('PUT') ? { body } : {});
    expect([operation, answer.status, answer.json.reason]).toEqual([operation, 503, 'storeUnavailable']);
    expect(world.logged).toEqual([]);
  }
});

test.each([
  ['another role', () => signInAs('readOnly'), 403],
  ['other sites', () => moveTo('leeds'), 403],
  ['the same', () => signInAs('siteAdministrator'), 409],
])('who has %s by the time the body is there is judged by that', async (_name, change, status) => {
  signInAs('siteAdministrator');
  const headers = { ...COOKIE, 'content-type': 'application/json', expect: '100-continue' };
  const asked = httpRequest(`${base}/api/v1/users/1001`, { method: 'PATCH', headers });
  asked.flushHeaders();
  await once(asked, 'continue');
  change();
  asked.end('{"name":"Alice"}');
  const [response] = await once(asked, 'response');
  response.resume();
  expect([response.statusCode, world.calls.length]).toEqual([status, status === 403 ? 0 : 1]);
});

function moveTo(site: string): void {
  world.session = { id: 'x', account: { ...account('siteAdministrator'), sites: [site] }, csrf: CSRF };
}
