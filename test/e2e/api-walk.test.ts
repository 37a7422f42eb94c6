import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { ADMIN_TOKEN } from '../support/hotdesk.ts';
import { useHotdesk } from '../support/suite.ts';

/** Every operation of the document, with what it cannot take; and what the portal does with people, phones and sites. */

const hotdesk = useHotdesk();
const ADDRESS = {
  ...{ customerName: 'Hotdesk Demo', houseNumber: '10', street: 'Example Street', city: 'London' },
  ...{ postcode: 'EC1A 1AA', country: 'GB' },
};
const SITE = { id: 'york', name: 'York', timeZone: 'Europe/London', callbackNumber: '+441904960100' };
const PERSON = { extension: '1050', name: 'Nia Ash', site: 'york', callerId: '+441904960150' };
const PHONE = {
  nickname: 'York desk',
  site: 'york',
  model: 'VVX 411',
  mac: '00:04:F2:00:00:99',
  address: ADDRESS,
};

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${hotdesk().http}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

interface Operation {
  /** Empty: open to all. */
  readonly security?: readonly unknown[];
  readonly requestBody?: unknown;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
}

async function operations(): Promise<[method: string, path: string, operation: Operation][]> {
  const { body } = await hotdesk().api('/api/v1/openapi.json', { token: undefined });
  return Object.entries(body.paths as Record<string, Record<string, Operation>>).flatMap(([path, item]) =>
    Object.entries(item).map(([method, one]): [string, string, Operation] => [
      method.toUpperCase(),
      path,
      one,
    ]),
  );
}

describe('every operation of the document', () => {
  test('wants to know who asks', async () => {
    const all = (await operations()).filter(([, path, { security }]) => path.startsWith('/api') && !security);
    expect(all.length).toBeGreaterThan(40);
    for (const [method, path] of all) {
      const { status } = await fetch(hotdesk().http + path.replace(/\{\w+\}/g, 'x'), { method });
      expect(status, `${method} ${path}`).toBeGreaterThanOrEqual(400);
      expect(status, `${method} ${path}`).toBeLessThan(500);
    }
  });

  test('refuses what it cannot take with a problem, and never breaks', async () => {
    for (const [method, path, operation] of await operations()) {
      const place = path.replace(/\{\w+\}/g, 'no-such-thing').replace('/api/v1', '');
      const takesQuery = operation.parameters?.some((one) => one.in === 'query');
      if (!path.startsWith('/api/v1')) continue;
      if (operation.requestBody === undefined && !path.includes('{') && !takesQuery) continue;
      const query = takesQuery ? '?no-such-parameter=1' : '';
      const body = operation.requestBody === undefined ? undefined : { 'no-such-field': 1 };
      const answer = await call(method, place + query, body);
      expect(answer.status, `${method} ${path}`).toBeGreaterThanOrEqual(400);
      expect(answer.status, `${method} ${path}`).toBeLessThan(500);
      expect(answer.body, `${method} ${path}`).toMatchObject({ status: answer.status });
    }
  });

  test('that only reads a list gives one', async () => {
    for (const list of ['hosts', 'users', 'sites']) {
      const { status, body } = await call('GET', `/${list}?limit=1`);
      expect(status).toBe(200);
      expect(body).toMatchObject({ next: expect.any(String), total: expect.any(Number) });
      expect(body[list]).toHaveLength(1);
      const second = await call('GET', `/${list}?limit=200&cursor=${body.next}`);
      expect(second.body[list]).toHaveLength(body.total - 1);
      expect((await call('GET', `/${list}?cursor=nowhere`)).body.reason).toBe('invalidCursor');
    }
  });
});

test('a site, a person and a phone come, change and go', async () => {
  expect((await call('POST', '/sites', SITE)).status).toBe(201);
  const added = await call('POST', '/users', PERSON, { 'idempotency-key': 'walk-1' });
  expect(added).toMatchObject({ status: 201, body: { extension: '1050', hasPasscode: false } });
  const again = await call('POST', '/users', PERSON, { 'idempotency-key': 'walk-1' });
  expect(again).toMatchObject({ status: 201, body: added.body });
  expect(
    (await call('POST', '/users', { ...PERSON, name: 'Other' }, { 'idempotency-key': 'walk-1' })).status,
  ).toBe(422);
  expect((await call('POST', '/users', PERSON)).body.reason).toBe('alreadyExists');
  expect((await call('GET', '/users?q=ash&site=york')).body.total).toBe(1);

  const etag = added.headers.get('etag') ?? '';
  const renamed = await call('PATCH', '/users/1050', { name: 'Nia Oak' }, { 'if-match': etag });
  expect(renamed).toMatchObject({ status: 200, body: { name: 'Nia Oak' } });
  expect((await call('PATCH', '/users/1050', { name: 'X' }, { 'if-match': etag })).status).toBe(412);
  const fresh = (await call('GET', '/users/1050')).headers.get('etag');
  expect(fresh).toBe(renamed.headers.get('etag'));

  const phone = await call('POST', '/hosts', PHONE);
  expect(phone).toMatchObject({ status: 201, body: { host: { id: 'cp0004f2000099', enabled: true } } });
  expect(phone.body.sipPassword.length).toBeGreaterThan(20);
  expect(JSON.stringify((await call('GET', '/hosts/cp0004f2000099')).body)).not.toContain(
    phone.body.sipPassword,
  );
  expect((await call('DELETE', '/sites/york')).body.reason).toBe('inUse');
  expect((await call('DELETE', '/hosts/cp0004f2000099')).status).toBe(204);
  expect((await call('DELETE', '/users/1050')).status).toBe(204);
  expect((await call('DELETE', '/sites/york')).status).toBe(204);
});

test('a phone is taken from its user and converted (A7)', async () => {
  const taken = await call('POST', '/hosts/u1003/unassign', { address: ADDRESS });
  expect(taken).toMatchObject({ status: 200, body: { kind: 'unassigned', enabled: false } });
  expect(taken.body.reservedFor.extension).toBe('1003');
  expect((await call('PATCH', '/hosts/u1003', { enabled: true })).status).toBe(422);
  const converted = await call('POST', '/hosts/u1003/convert', { nickname: 'Hot desk', address: ADDRESS });
  expect(converted).toMatchObject({ status: 200, body: { kind: 'commonArea', enabled: true } });
});

test('changes as they happen, and again from where one left off', async () => {
  const read = async (headers: Record<string, string>, pattern: RegExp): Promise<string> => {
    const stop = new AbortController();
    const given = { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers };
    const response = await fetch(`${hotdesk().http}/api/v1/events`, { headers: given, signal: stop.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    if (headers['last-event-id'] === undefined)
      await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk);
      if (pattern.test(text)) break;
    }
    stop.abort();
    return text;
  };
  const text = await read({}, /event: start\ndata: .*\n\n/);
  const [, id = '', data = ''] = /id: (\d+)\nevent: start\ndata: (.*)\n/.exec(text) ?? [];
  expect(JSON.parse(data)).toMatchObject({
    kind: 'association.started',
    guest: { extension: PEOPLE.first.extension },
  });
  const again = await read({ 'last-event-id': String(Number(id) - 1) }, /event: start\n/);
  expect(again).toContain(`id: ${id}\n`);
});
