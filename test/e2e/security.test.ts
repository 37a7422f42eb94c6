import { request as httpRequest } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type ApiDocument,
  bodyOf,
  nameOf,
  type Operation,
  operationsOf,
  pathOf,
  type Sample,
} from '../support/api-scan.ts';
import { Browser } from '../support/browser.ts';
import { ADMIN_TOKEN } from '../support/hotdesk.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';

/** What a scanner and a nosy colleague try: each operation of the document, by who may not, and with what nobody sends. */

const hotdesk = useHotdesk({
  // Each try may come from an address of its own.
  settings: { http: { trustedProxies: ['127.0.0.0/8'], requestsPerMinute: 1_000_000 } },
});
const PASSWORD = 'a lamp in the harbour';
const MOST_BODY = 16 * 1024;

/** Of London; those who try belong to Leeds. */
const LONDON: Sample = {
  paths: { '/hosts/{id}': 'u1002', '/users/{extension}': '1001', '/sites/{id}': 'london' },
  fields: {
    ...{ guest: '1001', host: 'u1002', owner: '1001', site: 'london', sites: ['london'], extension: '1001' },
    ...{ mailbox: '1001', reservedFor: '1001', phones: ['u1002'], user: '1001', passcode: '583915' },
    ...{ email: 'x@example.com', country: 'GB', timeZone: 'Europe/London', callbackNumber: '+442079460100' },
  },
};
/** Names and numbers of London nobody of Leeds is to read. */
const LONDON_PEOPLE = /Amelia Clarke|Oliver Hughes|\+44207946010[12]/;
const SECRETS = /\$argon2|passwordHash|passcodeHash|sealedSecret|digest"|hotelingSecret|token-of-the-e2e/;

let document: ApiDocument;
let operations: readonly Operation[];
const people: Record<string, Browser> = {};

beforeAll(async () => {
  document = (await hotdesk().api('/api/v1/openapi.json', { token: undefined })).body;
  operations = operationsOf(document);
  expect(operations.length).toBeGreaterThan(60);
  for (const wish of [
    { role: 'administrator' },
    { role: 'siteAdministrator', sites: ['leeds'] },
    { role: 'readOnly', sites: ['leeds'] },
    { role: 'user', extension: '1003' },
  ])
    people[wish.role] = await signedIn(wish);
}, 30_000);

async function signedIn(wish: { readonly role: string }): Promise<Browser> {
  const json = { name: wish.role, email: `${wish.role}-${nextSource()}@example.com`.toLowerCase(), ...wish };
  const made = await hotdesk().api('/api/v1/accounts', { method: 'POST', json });
  expect(made.status).toBe(201);
  const set = { token: made.body.link.token, password: PASSWORD };
  expect((await hotdesk().api('/api/v1/password', { method: 'POST', json: set })).status).toBe(204);
  const browser = new Browser(hotdesk().http);
  await browser.signIn(json.email, PASSWORD);
  return browser;
}

let sources = 0;
function nextSource(): string {
  sources += 1;
  return `10.0.${sources >> 8}.${sources & 255}`;
}

interface Wish {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** As it stands: nothing is put right on the way. */
function raw(method: string, path: string, { headers = {}, body }: Wish = {}): Promise<Answer> {
  const { hostname, port } = new URL(hotdesk().http);
  return new Promise((resolve, reject) => {
    const given = { 'x-forwarded-for': nextSource(), ...headers };
    const asked = httpRequest({ hostname, port, method, path, headers: given }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const JSON_TYPE = { 'content-type': 'application/json' };
const AS_TOKEN = { authorization: `Bearer ${ADMIN_TOKEN}` };

/** As text: what a directory is with everybody in it. */
async function everything(): Promise<string> {
  return (await hotdesk().api('/api/v1/directory')).body;
}

/** A stream does not end. */
function isStream({ template }: Operation): boolean {
  return template === '/events';
}

function isExport({ template }: Operation): boolean {
  return template === '/directory';
}

function expectNoBreak(what: unknown, { status, text }: Answer): void {
  expect([what, status]).toEqual([what, expect.toSatisfy((given: number) => given < 500 || given === 503)]);
  expect([what, SECRETS.exec(text)?.[0]]).toEqual([what, undefined]);
}

describe('without credentials, or with wrong ones', () => {
  test.each([
    ['none', {}],
    ['a token nobody has', { authorization: `Bearer ${'x'.repeat(40)}` }],
    ['a token as it might be', { authorization: `Bearer hdt_${'a'.repeat(36)}_${'b'.repeat(43)}` }],
    ['another scheme', { authorization: `Basic ${Buffer.from(`admin:${ADMIN_TOKEN}`).toString('base64')}` }],
    ['two tokens', { authorization: `Bearer ${ADMIN_TOKEN} ${ADMIN_TOKEN}` }],
    ['a cookie of nobody', { cookie: `hotdesk=${'A'.repeat(43)}` }],
    ['the cookie for TLS', { cookie: '__Host-hotdesk=x; hotdesk=__proto__' }],
    ['another method in a header', { 'x-http-method-override': 'OPTIONS', 'x-http-method': 'GET' }],
  ])('%s: 401 on every guarded operation', async (_name, headers) => {
    const before = await everything();
    for (const operation of operations.filter(({ isOpen }) => !isOpen)) {
      const path = `/api/v1${pathOf(operation, LONDON)}`;
      const answer = await raw(operation.method, path, { headers });
      expect([nameOf(operation), answer.status]).toEqual([nameOf(operation), 401]);
    }
    expect(await everything()).toBe(before);
  });

  test('HEAD is no way around, OPTIONS tells nothing, other methods are none', async () => {
    for (const operation of operations.filter(({ isOpen }) => !isOpen)) {
      const path = `/api/v1${pathOf(operation, LONDON)}`;
      if (operation.method === 'GET') expect((await raw('HEAD', path)).status).toBe(401);
      const preflight = await raw('OPTIONS', path, { headers: { origin: 'https://evil.example' } });
      expect(preflight.status).toBe(404);
      expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    for (const method of ['TRACE', 'PROPFIND', 'SEARCH', 'LOCK'])
      expect((await raw(method, '/api/v1/hosts')).status).toBeGreaterThanOrEqual(400);
  });

  test('no spelling of a path leads around', async () => {
    const tricks = [
      ...['//api/v1/hosts', '/api/v1//hosts', '/api/v1/./hosts', '/api//v1/hosts', '/API/V1/HOSTS'],
      ...['/api/v1/setup/../hosts', '/api/v1/%2e%2e/v1/hosts', '/api/v1/hosts%2f', '/api/v1/hosts;x=1'],
      ...['/api/v1/hosts/', '/api/v1/%68osts', '/api/v1/hosts%00', '/api/v1/hosts%20', '/api/v1/hosts?x#y'],
      ...[
        '/api/v1/setup%2f..%2fhosts',
        '/api/v1\\hosts',
        '/assets/../../package.json',
        '/phones/%2e%2e/api/v1/hosts',
      ],
      ...['/assets/..%2f..%2f..%2fpackage.json', '/assets/%2e%2e/%2e%2e/package.json', '/assets/', '/assets'],
      ...['/%', '/%zz', '/%c0%ae%c0%ae/', '/api/v1/users/%00', '/.env', '/.git/config', '/package.json'],
    ];
    for (const path of tricks) {
      const { status, text } = await raw('GET', path);
      expect([path, status, /registered|"hosts"|dependencies/.test(text)]).toEqual([
        path,
        expect.toSatisfy((given: number) => given >= 400 && given < 500),
        false,
      ]);
    }
  });
});

describe('somebody of another site', () => {
  test.each(['siteAdministrator', 'readOnly', 'user'])(
    '%s reads and changes nothing of London',
    async (role) => {
      const before = await everything();
      for (const operation of operations.filter(
        ({ isOpen, template }) => !isOpen && !/^\/(session|events)/.test(template),
      )) {
        const name = nameOf(operation);
        const body = bodyOf(operation, LONDON, document);
        const someone = people[role];
        if (!someone) throw new Error(role);
        const answer = await someone.ask(operation.method, pathOf(operation, LONDON), body);
        const text = JSON.stringify(answer.body);
        expect([name, answer.status]).toEqual([name, expect.toSatisfy((status: number) => status < 500)]);
        expect([name, LONDON_PEOPLE.exec(text)?.[0], SECRETS.exec(text)?.[0]]).toEqual([
          name,
          undefined,
          undefined,
        ]);
        const isAbout = /^\/(hosts|users|sites)\/\{/.test(operation.template);
        if (isAbout) expect([name, answer.status]).toEqual([name, expect.toSatisfy(isNo)]);
        if (operation.method !== 'GET') expect([name, await everything()]).toEqual([name, before]);
      }
    },
    60_000,
  );

  test('names nobody of London in a change of their own', async () => {
    const someone = people.siteAdministrator;
    if (!someone) throw new Error('nobody');
    const contacts = { emails: [], phones: ['u1002'] };
    for (const [method, path, body] of [
      ['PUT', '/hosts/u1003/association', { guest: '1001' }],
      ['PUT', '/users/1003/association', { host: 'u1002' }],
      ['PATCH', '/users/1003', { site: 'london' }],
      ['PATCH', '/users/1003/calls', { mailbox: '1001' }],
      ['PATCH', '/sites/leeds', { emergencyContacts: contacts }],
      ['PATCH', '/sites/leeds', { emergencyContacts: { emails: [], phones: ['1001'] } }],
    ] as const) {
      const answer = await someone.ask(method, path, body);
      expect([path, answer.status, answer.body.reason]).toEqual([path, 403, 'notPermitted']);
    }
  });
});

function isNo(status: number): boolean {
  return status === 400 || status === 403 || status === 404;
}

test('every change by a cookie needs the token of the session, from a page of ours', async () => {
  const before = await everything();
  const admin = people.administrator;
  if (!admin) throw new Error('nobody');
  const cookie = `hotdesk=${admin.session}`;
  const ours = { 'sec-fetch-site': 'same-origin', 'x-csrf-token': admin.csrf };
  const wrong: Record<string, string>[] = [
    { 'sec-fetch-site': 'same-origin' },
    { ...ours, 'x-csrf-token': 'x' },
    { ...ours, 'x-csrf-token': people.user?.csrf ?? '' },
    { ...ours, 'sec-fetch-site': 'cross-site' },
    { 'x-csrf-token': admin.csrf, origin: 'https://evil.example' },
    { 'x-csrf-token': admin.csrf, origin: 'null' },
  ];
  for (const operation of operations.filter(({ isOpen, method }) => !isOpen && method !== 'GET'))
    for (const headers of wrong) {
      const body = JSON.stringify(bodyOf(operation, LONDON, document) ?? {});
      const given = { headers: { cookie, ...JSON_TYPE, ...headers }, ...(operation.schema && { body }) };
      const answer = await raw(operation.method, `/api/v1${pathOf(operation, LONDON)}`, given);
      expect([nameOf(operation), answer.status]).toEqual([nameOf(operation), 403]);
    }
  expect(await everything()).toBe(before);
  expect((await admin.ask('GET', '/session')).status).toBe(200);
});

describe('odd requests', () => {
  const deep = `${'['.repeat(7_000)}${']'.repeat(7_000)}`;
  const ODD: readonly (readonly [string, string | Buffer])[] = [
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '1e999'],
    ['a text', '"x"'],
    ['a list', '[{}]'],
    ['very deep', deep],
    ['half of it', '{"name":'],
    ['a prototype', '{"__proto__":{"role":"administrator"}}'],
    ['a constructor', '{"constructor":{"prototype":{"x":1}}}'],
    ['twice the same', '{"name":"a","name":{"$ne":1}}'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
  ];

  test.each(ODD)('a body that is %s', async (_name, body) => {
    for (const operation of operations.filter(({ schema }) => schema !== undefined)) {
      const path = `/api/v1${pathOf(operation, { ...LONDON, paths: {} })}`;
      const answer = await raw(operation.method, path, { headers: { ...AS_TOKEN, ...JSON_TYPE }, body });
      expectNoBreak(nameOf(operation), answer);
      expect([nameOf(operation), answer.status]).toEqual([
        nameOf(operation),
        expect.toSatisfy((n) => n >= 400),
      ]);
    }
    expect(({} as { role?: string }).role).toBeUndefined();
  });

  test('a body that is too large, of another type, or in parts that never end', async () => {
    for (const operation of operations.filter(({ schema }) => schema !== undefined)) {
      const path = `/api/v1${pathOf(operation, { ...LONDON, paths: {} })}`;
      const large = JSON.stringify({ name: 'x'.repeat(40 * MOST_BODY) });
      const ask = (headers: Record<string, string>, body: string) =>
        raw(operation.method, path, { headers: { ...AS_TOKEN, ...headers }, body }).catch(() => undefined);
      // The connection may be closed while it is still being sent.
      const answer = await ask(JSON_TYPE, large);
      if (answer)
        expect([nameOf(operation), answer.status]).toEqual([
          nameOf(operation),
          expect.toSatisfy((n) => n === 413 || n === 400),
        ]);
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'x',
      ]) {
        const other = await ask({ 'content-type': type }, 'name=x');
        if (other)
          expect([nameOf(operation), type, other.status]).toEqual([
            nameOf(operation),
            type,
            expect.toSatisfy((n) => n >= 400 && n < 500),
          ]);
      }
    }
  });

  test('fields of wrong types, with NUL, of great length', async () => {
    const values = ['\0', 'x'.repeat(10_000), -1, null, ['__proto__']];
    for (const operation of operations) {
      const body = bodyOf(operation, LONDON, document);
      if (typeof body !== 'object' || body === null) continue;
      for (const field of Object.keys(body))
        for (const value of values) {
          const path = `/api/v1${pathOf(operation, { ...LONDON, paths: {} })}`;
          const text = JSON.stringify({ ...body, [field]: value });
          const answer = await raw(operation.method, path, {
            headers: { ...AS_TOKEN, ...JSON_TYPE },
            body: text,
          });
          expectNoBreak([nameOf(operation), field, value], answer);
        }
    }
  }, 60_000);

  test('queries nobody sends, and cursors nobody was given', async () => {
    const odd = ['%00', '../../etc', '-1', '1e9', '%F0%9F%A6%8A', 'x'.repeat(3_000)];
    for (const operation of operations.filter(
      (one) => one.method === 'GET' && !one.isOpen && !isStream(one),
    )) {
      const path = `/api/v1${pathOf(operation, LONDON)}`;
      const ask = (query: string) => raw('GET', `${path}?${query}`, { headers: AS_TOKEN });
      for (const name of operation.query)
        for (const value of odd)
          if (!isExport(operation))
            expectNoBreak([path, name, value], await ask(`${name}=${value}&${name}=${value}`));
      if (isExport(operation)) continue;
      expectNoBreak(path, await ask('__proto__[x]=1&constructor=1&toString=1'));
      expectNoBreak(
        path,
        await ask(`x=${'y'.repeat(20_000)}`).catch(() => ({ status: 431, headers: {}, text: '' })),
      );
    }
  }, 60_000);

  test('tags nobody was given', async () => {
    for (const operation of operations.filter(({ takesIfMatch }) => takesIfMatch))
      for (const tag of ['"', 'W/"x"', '""', 'x'.repeat(199), 'x'.repeat(5_000), '"a", "b"', '\t']) {
        const path = `/api/v1${pathOf(operation, LONDON)}`;
        const headers = { ...AS_TOKEN, ...JSON_TYPE, 'if-match': tag };
        const body = JSON.stringify(bodyOf(operation, LONDON, document) ?? {});
        const answer = await raw(operation.method, path, { headers, ...(operation.schema && { body }) });
        expectNoBreak([nameOf(operation), tag], answer);
        expect([nameOf(operation), tag, answer.status]).toEqual([
          nameOf(operation),
          tag,
          expect.toSatisfy((n) => n >= 400),
        ]);
      }
  });

  test('ids of all kinds', async () => {
    for (const id of [
      '%00',
      '..%2f..',
      '__proto__',
      'constructor',
      '%F0%9F%A6%8A',
      'x'.repeat(300),
      '%ff',
      '*',
      '%7B%7D',
    ])
      for (const operation of operations.filter(({ template }) => template.includes('{'))) {
        const path = `/api/v1${operation.template.replace(/\{\w+\}/g, id)}`;
        const body = JSON.stringify(bodyOf(operation, LONDON, document) ?? {});
        const given = { ...AS_TOKEN, ...(operation.schema && JSON_TYPE) };
        const answer = await raw(operation.method, path, {
          headers: given,
          ...(operation.schema && { body }),
        });
        expectNoBreak([nameOf(operation), id], answer);
        expect([nameOf(operation), id, answer.status]).toEqual([
          nameOf(operation),
          id,
          expect.toSatisfy((n) => n >= 400),
        ]);
      }
  });
});

describe('streams', () => {
  async function follow(someone: Browser) {
    const stop = new AbortController();
    const headers = { cookie: `hotdesk=${someone.session}` };
    const response = await fetch(`${hotdesk().http}/api/v1/events`, { headers, signal: stop.signal });
    const ended = { is: false };
    const read = async (): Promise<void> => {
      for await (const _chunk of response.body ?? []);
    };
    void read()
      .catch(() => undefined)
      .then(() => {
        ended.is = true;
      });
    return { status: response.status, headers: response.headers, ended, stop: () => stop.abort() };
  }

  test('an account has ten at most, and others still get theirs', async () => {
    const [one, other] = [await signedIn({ role: 'readOnly' }), await signedIn({ role: 'readOnly' })];
    const open = [];
    for (let i = 0; i < 10; i++) open.push(await follow(one));
    expect(open.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const refused = await follow(one);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
    const theirs = await follow(other);
    expect(theirs.status).toBe(200);
    open.pop()?.stop();
    const again = await eventually('a place that is free again', async () => {
      const next = await follow(one);
      return next.status === 200 && next;
    });
    for (const each of [...open, theirs, again]) each.stop();
  });

  test('ends when the account is disabled', async () => {
    const someone = await signedIn({ role: 'readOnly' });
    const stream = await follow(someone);
    expect(stream.status).toBe(200);
    const { account } = (await someone.ask('GET', '/session')).body;
    await hotdesk().api(`/api/v1/accounts/${account.id}`, { method: 'PATCH', json: { disabled: true } });
    await eventually('the end of the stream', () => stream.ended.is);
  });

  test('ends with the session, whoever ends it; others go on', async () => {
    const [one, other, third] = [
      await signedIn({ role: 'readOnly' }),
      await signedIn({ role: 'readOnly' }),
      await signedIn({ role: 'readOnly' }),
    ];
    const streams = [await follow(one), await follow(other), await follow(third)];
    const stays = await follow(await signedIn({ role: 'readOnly' }));
    await one.ask('DELETE', '/session');
    await other.ask('DELETE', '/session/others');
    const { account } = (await third.ask('GET', '/session')).body;
    await hotdesk().api(`/api/v1/accounts/${account.id}/sessions`, { method: 'DELETE' });
    await eventually('the end of the streams', () => streams.every(({ ended }) => ended.is));
    expect(stays.ended.is).toBe(false);
    stays.stop();
  });
});

test('failed sign-ins are in the change log, once a minute for each account', async () => {
  const json = { name: 'Target', email: 'target@example.com', role: 'readOnly' };
  await hotdesk().api('/api/v1/accounts', { method: 'POST', json });
  for (let i = 0; i < 4; i++)
    for (const email of ['target@example.com', 'nobody@example.com'])
      await new Browser(hotdesk().http).ask('POST', '/session', { email, password: 'not the password' });
  const failures = async (): Promise<string[]> => {
    const { body } = await hotdesk().api('/api/v1/audit?limit=100');
    const entries: { reason: string | null; actor: string }[] = body.entries;
    return entries.filter(({ reason }) => reason === 'signInFailed').map(({ actor }) => actor);
  };
  await eventually('both in the log', async () => (await failures()).length >= 2);
  expect((await failures()).sort()).toEqual(['admin:target@example.com', 'system']);
});
