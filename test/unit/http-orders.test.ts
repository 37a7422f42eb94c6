import { beforeEach, describe, expect, test } from 'vitest';
import type { Order } from '../../src/domain/order.ts';
import type { OrderFilter } from '../../src/services/orders/order-book.ts';
import { expectProblem, reception, request, world } from './http-world.ts';

/** Orders over HTTP: what is taken, what is told, and to whom. */

const { address } = reception;
const SECRET = 'csrf-of-the-test';
const COOKIE = { cookie: 'hotdesk=whoever', 'x-csrf-token': SECRET };
const item = { model: 'vvx-411', quantity: 2, site: 'london', address };
const delivery = { address, shippingMethod: 'standard', attention: null };
const total = { once: 29_500, monthly: 0, currency: 'GBP' };
const wish = { items: [item], delivery, total, acknowledged: true };

const order: Order = {
  ...{ id: 'HD-1001', kind: 'newPhones', state: 'received', createdBy: 'admin:kim@example.com' },
  ...{ createdAt: Date.UTC(2031, 4, 6), changedAt: Date.UTC(2031, 4, 7), phones: [], sites: ['london'] },
  items: [
    {
      ...{ ...item, id: '1', expansionModule: true, nicknames: ['=1+1', 'Two\r\nlines'] },
      macs: [{ host: 'cp0004f2000001', mac: '0004f2000001' }],
    },
  ],
  delivery: { address: { ...address, room: '@home' }, shippingMethod: 'standard', attention: '+cmd|x' },
  charges: {
    lines: [{ key: 'phone', item: 'vvx-411', quantity: 2, once: 29_000, monthly: 0 }],
    ...{ once: 29_500, monthly: 0, currency: 'GBP' },
  },
};
const elsewhere: Order = { ...order, sites: ['leeds', 'london'] };

function signInAs(role: 'siteAdministrator' | 'readOnly' | 'user'): void {
  const who = role === 'user' ? { extension: '1001' } : { sites: ['london'] };
  const account = { id: 'a1', email: 'kim@example.com', name: 'Kim', role, disabled: false, ...who };
  world.session = { id: 'x', account, csrf: SECRET };
}

const ask = (method: string, path: string, body?: object) =>
  request(method, `/api/v1${path}`, {
    ...(world.session && { token: '', headers: COOKIE }),
    ...(body && { body }),
  });

beforeEach(() => {
  world.answer = order;
});

test('the price list says how to write its amounts', async () => {
  const { json } = await ask('GET', '/catalogue');
  expect(json).toMatchObject({
    ...{ currency: 'GBP', minorUnits: 2, licence: { monthly: 0 } },
    models: [{ id: 'vvx-411', expansionModule: 'optional', phone: { once: 14_500 } }],
    shipping: [{ id: 'standard', once: 500 }],
    limits: { items: 50, quantity: 500, phones: 500 },
  });
});

describe('an order', () => {
  test('is told with everything but what is inside', async () => {
    const { json, headers } = await ask('GET', '/orders/HD-1001');
    expect(headers.get('etag')).toMatch(/^"[\w-]{22}"$/);
    expect(json).toMatchObject({
      ...{ id: 'HD-1001', number: 'HD-1001', kind: 'newPhones', state: 'received', note: null },
      ...{ createdAt: '2031-05-06T00:00:00.000Z', trackingReference: null, phones: [] },
      items: [{ id: '1', nicknames: ['=1+1', 'Two\r\nlines'], address: { floor: null } }],
    });
    expect(json).not.toHaveProperty('sites');
  });

  test('is made of what was sent, once for each key', async () => {
    const { status, headers, json } = await request('POST', '/api/v1/orders', {
      body: wish,
      headers: { 'idempotency-key': 'k1' },
    });
    expect({ status, id: json.id }).toEqual({ status: 201, id: 'HD-1001' });
    expect(headers.get('location')).toBe('/api/v1/orders/HD-1001');
    expect(world.calls).toEqual([
      ['replay', 'k1', 'POST /api/v1/orders'],
      [
        'createOrder',
        {
          items: [{ ...item, expansionModule: false }],
          ...{ delivery: { address, shippingMethod: 'standard' }, total },
        },
        'admin:api',
        expect.stringMatching(/^[0-9a-f]{64}$/),
      ],
      ['getOrder', 'HD-1001'],
    ]);
  });

  test.each([
    ['not acknowledged', { acknowledged: false }, 'body.acknowledged'],
    ['without a total', { total: undefined }, 'body.total'],
    ['of nothing', { items: [] }, 'body.items'],
    ['of no phone', { items: [{ ...item, quantity: 0 }] }, 'body.items.0.quantity'],
    ['of half a phone', { items: [{ ...item, quantity: 1.5 }] }, 'body.items.0.quantity'],
    ['of too many items', { items: Array(51).fill(item) }, 'body.items'],
    ['with something unknown', { price: 1 }, 'body'],
  ])('%s is refused', async (_, differs, path) => {
    const answer = await ask('POST', '/orders', { ...wish, ...differs });
    expectProblem(answer, 400);
    expect(answer.json.errors).toMatchObject([{ path }]);
    expect(world.calls).toEqual([]);
  });

  test('fifty addresses are not too long, and more than that is', async () => {
    const long = { ...item, nicknames: Array(20).fill('x'.repeat(80)) };
    const items = Array(50).fill(long);
    expect((await ask('POST', '/orders', { ...wish, items })).status).toBe(201);
    const body = { ...wish, note: 'x'.repeat(200_000) };
    expectProblem(await ask('POST', '/orders', body), 413);
  });

  test('what is wrong is named by where it stands in the body', async () => {
    world.answer = { refused: 'invalidOrder', problems: ['order:items.0.model: is not on the price list'] };
    const answer = await ask('POST', '/orders', wish);
    expectProblem(answer, 422, { reason: 'invalidOrder' });
    expect(answer.json.errors).toEqual([{ path: 'body.items.0.model', message: 'is not on the price list' }]);
    world.answer = { refused: 'priceChanged', detail: 'now 1' };
    expectProblem(await ask('POST', '/orders', wish), 409, { reason: 'priceChanged', detail: 'now 1' });
  });

  test('is changed by who has read it; null clears', async () => {
    const etag = (await ask('GET', '/orders/HD-1001')).headers.get('etag') ?? '';
    world.calls.length = 0;
    const body = { state: 'received', trackingReference: null };
    await request('PATCH', '/api/v1/orders/HD-1001', { body, headers: { 'if-match': etag } });
    const ifTag = etag.replaceAll('"', '');
    expect(world.calls.at(-1)).toEqual([
      ...['changeOrder', 'HD-1001', { state: 'received', trackingReference: undefined }],
      { actor: 'admin:api', ifTag },
    ]);
    expectProblem(await ask('PATCH', '/orders/HD-1001', {}), 400);
    expectProblem(await ask('PATCH', '/orders/HD-1001', { state: 'lost' }), 400);
  });
});

describe('who sees and does what', () => {
  const phones = { phones: [{ item: '1', mac: '0004f2000009' }] };
  const routes = [
    ['GET', '/orders/HD-1001', undefined],
    ['GET', '/orders/HD-1001.csv', undefined],
    ['PATCH', '/orders/HD-1001', { note: 'x' }],
    ['POST', '/orders/HD-1001/phones', phones],
  ] as const;

  test.each(routes)('%s %s of another site is as if it were not there', async (method, path, body) => {
    signInAs('siteAdministrator');
    world.answer = elsewhere;
    const other = await ask(method, path, body);
    expectProblem(other, 404, { reason: 'unknownOrder' });
    world.answer = { refused: 'unknownOrder' };
    expect((await ask(method, path, body)).text).toBe(other.text);
    expect(world.calls.map((call) => (call as unknown[])[0])).toEqual(['getOrder', 'getOrder']);
  });

  test('a site administrator orders for their sites alone', async () => {
    signInAs('siteAdministrator');
    const items = [item, { ...item, site: 'leeds' }];
    for (const path of ['/orders', '/order-quotes']) {
      const { acknowledged, total: seen, ...quote } = { ...wish, items };
      const body = path === '/orders' ? { ...quote, acknowledged, total: seen } : quote;
      expectProblem(await ask('POST', path, body), 403, { reason: 'notPermitted' });
    }
    expect(world.calls).toEqual([]);
    expect((await ask('POST', '/orders', wish)).status).toBe(201);
  });

  test.each(['siteAdministrator', 'readOnly'] as const)('%s: lists hold what is theirs', async (role) => {
    signInAs(role);
    world.answer = { orders: [order], next: undefined, total: 1 };
    expect((await ask('GET', '/orders?q=x&state=received')).json).toMatchObject({ total: 1, next: null });
    const [, query] = world.calls.at(-1) as [string, OrderFilter];
    expect(query).toMatchObject({
      q: 'x',
      state: 'received',
      sort: 'createdAt',
      descending: true,
      limit: 50,
    });
    expect([order, elsewhere].map((one) => query.maySee?.(one))).toEqual([true, false]);
  });

  test('who may only read reads, and a user sees nothing', async () => {
    signInAs('readOnly');
    expect((await ask('GET', '/orders/HD-1001')).status).toBe(200);
    expectProblem(await ask('POST', '/orders', wish), 403);
    signInAs('user');
    for (const [method, path, body] of [...routes, ['GET', '/orders', undefined] as const])
      expectProblem(await ask(method, path, body), 403);
  });

  test('a token for phones orders, one that reads does not', async () => {
    const token = { id: 't', name: 't', hash: '', createdBy: 'x', createdAt: 0 };
    world.tokens.set('hdt_p_x', { ...token, scopes: ['phones'] });
    world.tokens.set('hdt_r_x', { ...token, scopes: ['read'] });
    const use = (text: string) => request('POST', '/api/v1/orders', { token: text, body: wish });
    expect((await use('hdt_p_x')).status).toBe(201);
    expectProblem(await use('hdt_r_x'), 403);
  });
});

describe('CSV', () => {
  test('a line for each item, and nothing a spreadsheet runs', async () => {
    const { type, text, headers } = await ask('GET', '/orders/HD-1001.csv');
    expect(type).toContain('text/csv');
    expect(headers.get('content-disposition')).toBe('attachment; filename="hotdesk-hd-1001.csv"');
    expect(world.calls).toEqual([['getOrder', 'HD-1001']]);
    const [head = '', ...rows] = text.split(/\r\n(?=HD-|$)/);
    expect(head.split(',').slice(0, 8)).toEqual([
      ...['order', 'orderState', 'kind', 'createdAt', 'createdBy', 'item', 'model', 'modelName'],
    ]);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toContain('HD-1001,received,newPhones,2031-05-06T00:00:00.000Z');
    expect(rows[0]).toContain(',yes,2,london,');
    expect(rows[0]).toContain(',cp0004f2000001,0004f2000001,');
    expect(rows[0]).toMatch(/,295\.00,0\.00,GBP$/);
    for (const formula of [`"'=1+1; Two\r\nlines"`, `'+cmd|x`, `'@home`]) expect(rows[0]).toContain(formula);
  });

  test('of all orders comes in portions', async () => {
    world.answer = (async function* () {
      yield [order];
      yield [{ ...order, id: 'HD-1000' }];
    })();
    const { text, headers } = await ask('GET', '/orders.csv?state=received');
    expect(headers.get('content-disposition')).toContain('hotdesk-orders.csv');
    expect(text.match(/^HD-\d+/gm)).toEqual(['HD-1001', 'HD-1000']);
    expect(world.calls.at(-1)).toMatchObject(['allOrders', { state: 'received' }]);
  });
});

describe('phones of an order', () => {
  test('are told with their passwords, this once', async () => {
    const rows = { phones: [{ item: '1', mac: '00:04:f2:00:00:01', nickname: 'Desk' }] };
    const phones = [{ host: reception, sipPassword: 'told-once', item: '1' }];
    world.answer = order;
    const first = await ask('GET', '/orders/HD-1001');
    expect(first.text).not.toContain('told-once');
    world.ready = { order, phones };
    const { status, json } = await ask('POST', '/orders/HD-1001/phones', rows);
    expect(status).toBe(201);
    expect(json).toMatchObject({
      order: { id: 'HD-1001' },
      phones: [{ item: '1', sipPassword: 'told-once', host: { id: reception.id } }],
    });
    expect(world.calls.at(-1)).toEqual(['readyPhones', 'HD-1001', rows.phones, 'admin:api']);
  });

  test('and told again to who asks with the same key, and of this order alone', async () => {
    const phones = [{ host: reception, sipPassword: 'told-twice', item: '1' }];
    world.answer = order;
    world.ready = { order, phones };
    const rows = { phones: [{ item: '1', mac: '00:04:f2:00:00:01' }] };
    const headers = { 'idempotency-key': 'k1' };
    const send = (id: string) => request('POST', `/api/v1/orders/${id}/phones`, { body: rows, headers });
    const { json, headers: told } = await send('HD-1001');
    expect(json).toMatchObject({ order: { id: 'HD-1001' }, phones: [{ sipPassword: 'told-twice' }] });
    expect(told.get('etag')).toMatch(/^".+"$/);
    await send('HD-1002');
    const replays = world.calls.filter((call) => Array.isArray(call) && call[0] === 'replay');
    expect(replays).toEqual([
      ['replay', 'k1', 'POST /api/v1/orders/HD-1001/phones'],
      ['replay', 'k1', 'POST /api/v1/orders/HD-1002/phones'],
    ]);
  });

  test('each row that is wrong is named', async () => {
    world.ready = { refused: 'invalidOrder', problems: ['order:phones.3.mac: is no MAC address'] };
    const answer = await ask('POST', '/orders/HD-1001/phones', { phones: [{ item: '1', mac: 'x' }] });
    expectProblem(answer, 422);
    expect(answer.json.errors).toEqual([{ path: 'body.phones.3.mac', message: 'is no MAC address' }]);
    expectProblem(await ask('POST', '/orders/HD-1001/phones', { phones: [] }), 400);
  });
});

test('a phone is given to a user, if it is as it was read', async () => {
  world.answer = undefined;
  const wish = { owner: '1002', nickname: 'Hers', address };
  const headers = { 'if-match': '"as-read"' };
  const path = `/api/v1/hosts/${reception.id}/assign`;
  const answer = await request('POST', path, { body: wish, headers });
  expect(answer).toMatchObject({ status: 200, json: { kind: 'user', owner: { extension: '1002' } } });
  expect(answer.headers.get('etag')).toMatch(/^".+"$/);
  const options = { actor: 'admin:api', release: false, ifTag: 'as-read' };
  expect(world.calls).toMatchObject([
    ['assignPhone', reception.id, { owner: '1002', nickname: 'Hers' }, options],
  ]);
  world.answer = { refused: 'wrongKind', detail: 'it is somebody’s phone' };
  expectProblem(await ask('POST', `/hosts/${reception.id}/assign`, wish), 409, { reason: 'wrongKind' });
  expectProblem(await ask('POST', `/hosts/${reception.id}/assign`, { owner: '1002' }), 400);
  expectProblem(await ask('POST', '/hosts/nobodys/assign', wish), 404, { reason: 'unknownHost' });
});

describe('a conversion', () => {
  const body = { nickname: 'Hot', address };

  test('without delivery makes no order', async () => {
    world.answer = undefined;
    const { json } = await ask('POST', `/hosts/${reception.id}/convert`, body);
    expect(json).toMatchObject({ id: reception.id, order: null });
    expect(world.calls).toMatchObject([['convert', reception.id, { nickname: 'Hot' }, {}]]);
  });

  test('with delivery makes one', async () => {
    world.answer = { host: reception, order: 'HD-1002' };
    const sent = { ...body, delivery: { ...delivery, attention: 'Ann', note: 'n' } };
    const { status, json } = await ask('POST', `/hosts/${reception.id}/convert`, sent);
    expect({ status, order: json.order }).toEqual({ status: 200, order: 'HD-1002' });
    expect(world.calls).toMatchObject([
      ['convertWithOrder', reception.id, { delivery: { attention: 'Ann', shippingMethod: 'standard' } }, {}],
    ]);
    world.answer = { refused: 'invalidOrder', problems: ['order:delivery.shippingMethod: is none'] };
    const refused = await ask('POST', `/hosts/${reception.id}/convert`, sent);
    expect(refused.json.errors).toEqual([{ path: 'body.delivery.shippingMethod', message: 'is none' }]);
  });
});
