import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { useAdministrator } from '../support/administrator.ts';
import { PHONES } from '../support/demo.ts';
import { ADMIN_TOKEN } from '../support/hotdesk.ts';
import { Phone } from '../support/phone.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

/** From the order to a phone that makes a call, as a customer and an operator's fulfilment meet it (A6, A7). */

const hotdesk = useHotdesk();
const admin = useAdministrator(hotdesk);

const address = {
  ...{ customerName: 'Hotdesk Demo', houseNumber: '10', street: 'Example Street', city: 'London' },
  ...{ postcode: 'EC1A 1AA', country: 'GB' },
};
const item = { model: 'vvx-411', expansionModule: true, quantity: 2, site: 'london', address };
const delivery = { address: { ...address, customerName: 'Post room' }, shippingMethod: 'express' };
const wish = { items: [item], delivery };

async function call(
  method: string,
  path: string,
  { body, token = ADMIN_TOKEN, headers = {} }: { body?: unknown; token?: string; headers?: object } = {},
) {
  const response = await fetch(`${hotdesk().http}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : text };
}

async function order(more: object = {}, headers: object = {}) {
  const quoted = await call('POST', '/order-quotes', { body: { ...wish, ...more } });
  expect(quoted.status).toBe(200);
  const { once, monthly, currency } = quoted.body;
  const body = { ...wish, ...more, acknowledged: true, total: { once, monthly, currency } };
  return call('POST', '/orders', { body, headers });
}

test('a customer orders, the operator sends, and the phones make calls', async () => {
  const { body: list } = await call('GET', '/catalogue');
  expect(list.models.map(({ name }: { name: string }) => name)).toEqual(['VVX 301', 'VVX 411', 'VVX 601']);
  const made = await order({ note: 'Second floor' }, { 'idempotency-key': 'order-1' });
  expect(made).toMatchObject({ status: 201, body: { state: 'submitted', createdBy: 'admin:api' } });
  const { id } = made.body;
  expect(made.body.charges).toMatchObject({ once: 2 * (14_500 + 11_900) + 1_500, currency: 'GBP' });
  const again = await order({ note: 'Second floor' }, { 'idempotency-key': 'order-1' });
  expect(again).toMatchObject({ status: 201, body: { id } });
  expect((await call('GET', '/orders?q=second%20floor')).body).toMatchObject({ total: 1, next: null });

  const phones = [
    { item: '1', mac: '00:04:f2:0a:00:01', nickname: 'Desk A' },
    { item: '1', mac: '0004f20a0002' },
  ];
  expect((await call('POST', `/orders/${id}/phones`, { body: { phones } })).body.reason).toBe(
    'wrongOrderState',
  );
  const etag = (await call('GET', `/orders/${id}`)).headers.get('etag') ?? '';
  const change = (body: object, headers: object = {}) => call('PATCH', `/orders/${id}`, { body, headers });
  const sent = await change({ state: 'dispatched', trackingReference: 'T-1' }, { 'if-match': etag });
  expect(sent).toMatchObject({ status: 200, body: { state: 'dispatched', trackingReference: 'T-1' } });
  expect((await change({ note: 'x' }, { 'if-match': etag })).status).toBe(412);
  expect((await change({ state: 'submitted' })).body.reason).toBe('wrongOrderState');
  expect((await change({ state: 'received' })).status).toBe(200);

  const wrong = await call('POST', `/orders/${id}/phones`, {
    body: { phones: [phones[0], { item: '1', mac: '0004f2000001' }] },
  });
  expect(wrong).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'body.phones.1.mac', message: expect.stringContaining(PHONES.reception) }] },
  });
  expect((await call('GET', '/hosts/cp0004f20a0001')).status).toBe(404);

  const assign = () =>
    call('POST', `/orders/${id}/phones`, { body: { phones }, headers: { 'idempotency-key': 'phones-1' } });
  const ready = await assign();
  // Who has lost the answer would have phones without passwords.
  expect((await assign()).body.phones).toEqual(ready.body.phones);
  expect(ready).toMatchObject({ status: 201, body: { phones: [{ item: '1' }, { item: '1' }] } });
  const [first] = ready.body.phones;
  expect(first.host).toMatchObject({
    ...{ id: 'cp0004f20a0001', nickname: 'Desk A', enabled: true },
    address,
  });
  const told = [
    await call('GET', `/orders/${id}`),
    await call('GET', '/hosts'),
    await call('GET', '/directory'),
  ];
  for (const { text } of told) expect(text).not.toContain(first.sipPassword);

  const { sip } = hotdesk();
  const phone = await Phone.plugIn({
    ...{ server: sip.udp, domain: 'hotdesk.example', user: first.host.id, password: first.sipPassword },
  });
  expect((await phone.register()).status).toBe(200);
  await phone.unregister();
  await phone.unplug();
  for (const { host } of ready.body.phones)
    expect((await call('DELETE', `/hosts/${host.id}`)).status).toBe(204);
});

test('a total that is not that of the price list is refused, and nothing is ordered', async () => {
  const before = (await call('GET', '/orders')).body.total;
  const body = { ...wish, acknowledged: true, total: { once: 1, monthly: 0, currency: 'GBP' } };
  expect((await call('POST', '/orders', { body })).body).toMatchObject({
    ...{ status: 409, reason: 'priceChanged', detail: expect.stringContaining('54300') },
  });
  expect((await call('GET', '/orders')).body.total).toBe(before);
});

test('the operator’s fulfilment reads CSV', async () => {
  const { body } = await order({ note: '=HYPERLINK("x")' });
  const one = await call('GET', `/orders/${body.id}.csv`);
  expect(one.headers.get('content-type')).toContain('text/csv');
  expect(one.text).toContain(`${body.id},submitted,newPhones,`);
  expect(one.text).toContain(`"'=HYPERLINK(""x"")"`);
  const all = await call('GET', '/orders.csv?state=submitted');
  expect(all.text.startsWith(one.text.slice(0, one.text.indexOf('\r\n')))).toBe(true);
  expect(all.text).toContain(body.id);
  expect((await call('GET', '/orders/HD-9.csv')).body.reason).toBe('unknownOrder');
});

test('a phone is taken from its user and sent away as a hot desk phone (A7)', async () => {
  const number = (await hotdesk().user('1003')).numbers;
  await admin.must(hotdesk().api('/api/v1/hosts/u1003/unassign', { method: 'POST', json: { address } }));
  const convert = (more: object) =>
    call('POST', '/hosts/u1003/convert', {
      body: { nickname: 'Hot desk', address, delivery: { ...delivery, ...more } },
    });
  const wrong = await convert({ shippingMethod: 'pigeon' });
  expect(wrong.body.errors).toMatchObject([{ path: 'body.delivery.shippingMethod' }]);
  expect((await call('GET', '/hosts/u1003')).body.kind).toBe('unassigned');
  const done = await convert({ attention: 'Ann' });
  expect(done).toMatchObject({ status: 200, body: { kind: 'commonArea', nickname: 'Hot desk' } });
  expect((await call('GET', `/orders/${done.body.order}`)).body).toMatchObject({
    ...{ kind: 'conversion', phones: ['u1003'], delivery: { attention: 'Ann' } },
    charges: { once: 1_500 },
  });
  expect((await hotdesk().user('1003')).numbers).toEqual(number);
});

test('a token of one site orders for it, and sees nothing of others', async () => {
  const of = (sites: string[]) =>
    call('POST', '/tokens', { body: { name: sites.join(), scopes: ['phones', 'read'], sites } });
  const token: string = (await of(['leeds'])).body.secret;
  const { body: london } = await order();
  const { body: both } = await order({ items: [item, { ...item, site: 'leeds' }] });
  for (const { id } of [london, both]) {
    for (const [method, path, body] of [
      ['GET', `/orders/${id}`, undefined],
      ['GET', `/orders/${id}.csv`, undefined],
      ['PATCH', `/orders/${id}`, { note: 'mine' }],
      ['POST', `/orders/${id}/phones`, { phones: [{ item: '1', mac: '0004f20a0009' }] }],
    ] as const)
      expect((await call(method, path, { body, token })).body.reason, `${method} ${path}`).toBe(
        'unknownOrder',
      );
  }
  expect((await call('GET', '/orders?kind=newPhones', { token })).body).toMatchObject({
    orders: [],
    total: 0,
  });
  expect((await call('GET', '/orders.csv?kind=newPhones', { token })).text).not.toContain('HD-');
  const { once, monthly, currency } = london.charges;
  const body = { ...wish, acknowledged: true, total: { once, monthly, currency } };
  expect((await call('POST', '/orders', { body, token })).body.reason).toBe('notPermitted');
  const own = { ...body, items: [{ ...item, site: 'leeds' }] };
  expect((await call('POST', '/orders', { body: own, token })).status).toBe(201);
  expect((await call('GET', '/orders?kind=newPhones', { token })).body.total).toBe(1);
});

describe('what is told', () => {
  const receiver = new WebhookReceiver();
  let webhook = '';

  beforeEach(async () => {
    const url = await receiver.start();
    const json = { url };
    const { body } = await hotdesk().api('/api/v1/webhooks', { method: 'POST', json });
    receiver.secret = body.secret;
    webhook = body.id;
    await eventually('the webhook is served', async () => {
      await hotdesk().api('/api/v1/users/1003/unlock', { method: 'POST' });
      return receiver.events.length > 0;
    });
    await hotdesk().api(`/api/v1/webhooks/${webhook}`, {
      method: 'PATCH',
      json: { events: ['order.created'] },
    });
    receiver.events.length = 0;
  });

  afterEach(async () => {
    await hotdesk().api(`/api/v1/webhooks/${webhook}`, { method: 'DELETE' });
    await receiver.stop();
  });

  test('webhooks get orders and their changes, and the audit names who did it', async () => {
    const { body } = await order();
    await call('PATCH', `/orders/${body.id}`, { body: { state: 'cancelled' } });
    await eventually(
      'two events',
      () => receiver.types.filter((type) => type.startsWith('order.')).length >= 2,
      10_000,
    );
    const told = receiver.events.filter(({ message }) => message.type.startsWith('order.'));
    expect(told.every(({ isGenuine }) => isGenuine)).toBe(true);
    const about = { actor: 'admin:api', order: body.id, orderKind: 'newPhones', sites: ['london'] };
    expect(told.map(({ message }) => [message.type, message.data])).toEqual([
      ['order.created', { ...about, state: 'submitted' }],
      ['order.changed', { ...about, state: 'cancelled' }],
    ]);
    const { body: audit } = await call('GET', '/audit?kind=order.created&kind=order.changed&limit=2');
    expect(audit.entries).toMatchObject([
      { kind: 'order.changed', reason: 'cancelled', actor: 'admin:api', entries: [`order:${body.id}`] },
      { kind: 'order.created', reason: 'submitted', site: 'london' },
    ]);
    const { body: document } = await call('GET', '/openapi.json');
    expect(JSON.stringify(document.components.schemas.WebhookMessage)).toContain('order.created');
  });
});
