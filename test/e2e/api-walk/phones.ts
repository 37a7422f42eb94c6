import { describe, expect, test } from 'vitest';
import type { ApiWalk } from '../../support/api-walk.ts';
import { PEOPLE, PHONES } from '../../support/demo.ts';
import { ADDRESS } from './samples.ts';

const DESK = { nickname: 'Stair desk', site: 'leeds', model: 'VVX 411', mac: '00:04:F2:00:00:99' };

/** A phone from its first day to its last, and phones by order. */
export function phoneStory(walk: ApiWalk): void {
  const path = { id: 'cp0004f2000099' };

  describe('a phone', () => {
    test('is plugged in', async () => {
      const made = await walk.call('POST /hosts', { body: { ...DESK, address: ADDRESS } });
      expect(made.body).toMatchObject({ host: { id: path.id, enabled: true } });
      expect(made.body.sipPassword.length).toBeGreaterThan(20);
      const read = await walk.call('GET /hosts/{id}', { path });
      expect(read.body).toEqual(made.body.host);
      expect(JSON.stringify(read.body)).not.toContain(made.body.sipPassword);
      const query = { q: 'stair', site: 'leeds', kind: 'commonArea', status: 'free', registered: 'false' };
      expect((await walk.call('GET /hosts', { query })).body).toMatchObject({ total: 1, next: null });
      const own = await walk.call('GET /hosts', { query: { owner: PEOPLE.second.extension } });
      expect(own.body).toMatchObject({ total: 1, hosts: [{ id: PHONES.own }] });
    });

    test('is named, limited and found where it is', async () => {
      const { headers } = await walk.call('GET /hosts/{id}', { path });
      const etag = headers.get('etag') ?? '';
      const body = { nickname: 'Landing desk', associationLimitHours: 4, accessLevel: 'site' };
      const change = { path, body, headers: { 'if-match': etag } };
      expect((await walk.call('PATCH /hosts/{id}', change)).body).toMatchObject(body);
      await walk.refused('PATCH /hosts/{id}', 'changedMeanwhile', change);
      const verified = await walk.call('POST /hosts/{id}/address/verification', { path });
      expect(verified.body.address.street).toBe(ADDRESS.street);
    });

    test('has somebody at it, and nobody again', async () => {
      const guest = PEOPLE.leeds.extension;
      const sat = await walk.call('PUT /hosts/{id}/association', { path, body: { guest } });
      expect(sat.body.association.guest.extension).toBe(guest);
      await walk.refused('PATCH /hosts/{id}', 'associationRunning', { path, body: { enabled: false } });
      await walk.call('DELETE /hosts/{id}/association', { path });
      expect((await walk.call('GET /hosts/{id}', { path })).body.association).toBeNull();
    });

    test('is taken from its user, given to another, taken again and converted (A7)', async () => {
      const own = { id: PHONES.ownLeeds };
      const owner = { owner: PEOPLE.first.extension, address: ADDRESS };
      await walk.call('POST /hosts/{id}/unassign', { path: own, body: { address: ADDRESS } });
      const given = await walk.call('POST /hosts/{id}/assign', { path: own, body: owner });
      expect(given.body).toMatchObject({ kind: 'user', owner: { extension: owner.owner } });
      const taken = await walk.call('POST /hosts/{id}/unassign', { path: own, body: { address: ADDRESS } });
      expect(taken.body).toMatchObject({ kind: 'unassigned', reservedFor: { extension: owner.owner } });
      expect((await walk.ask('PATCH /hosts/{id}', { path: own, body: { enabled: true } })).status).toBe(422);
      const wish = { nickname: 'Hot desk', address: ADDRESS };
      const converted = await walk.call('POST /hosts/{id}/convert', { path: own, body: wish });
      expect(converted.body).toMatchObject({ kind: 'commonArea', enabled: true, order: null });
    });

    test('is taken away', async () => {
      const { headers } = await walk.call('GET /hosts/{id}', { path });
      const etag = headers.get('etag') ?? '';
      await walk.call('DELETE /hosts/{id}', {
        ...{ path, query: { release: 'true' }, headers: { 'if-match': etag } },
      });
      await walk.refused('GET /hosts/{id}', 'unknownHost', { path });
    });
  });

  describe('lists', () => {
    test.each(['hosts', 'users', 'sites'])('%s come page by page', async (list) => {
      const { body } = await walk.call(`GET /${list}`, { query: { limit: '1' } });
      expect(body).toMatchObject({ next: expect.any(String), total: expect.any(Number) });
      expect(body[list]).toHaveLength(1);
      const query = { limit: '200', cursor: body.next };
      expect((await walk.call(`GET /${list}`, { query })).body[list]).toHaveLength(body.total - 1);
      await walk.refused(`GET /${list}`, 'invalidCursor', { query: { cursor: 'nowhere' } });
    });
  });
}

/** From the price list to phones that are ready. */
export function orderStory(walk: ApiWalk): void {
  let path = { id: '' };

  describe('an order', () => {
    test('has its price, and is placed once', async () => {
      const { body: catalogue } = await walk.call('GET /catalogue');
      const [model] = catalogue.models.filter((one: { id: string }) => one.id === 'vvx-411');
      const [shipping] = catalogue.shipping;
      const item = {
        model: model.id,
        quantity: 1,
        site: 'london',
        address: ADDRESS,
        nicknames: ['Post desk'],
      };
      const delivery = { address: ADDRESS, attention: 'Post room', shippingMethod: shipping.id };
      const { body: quote } = await walk.call('POST /order-quotes', { body: { items: [item], delivery } });
      expect(quote.once).toBe(model.phone.once + shipping.once);
      const { once, monthly, currency } = quote;
      const wish = { items: [item], delivery, acknowledged: true, total: { once, monthly, currency } };
      const given = { body: { ...wish, note: 'By the lift' }, headers: { 'idempotency-key': 'walk-2' } };
      const { body } = await walk.call('POST /orders', given);
      expect(body).toMatchObject({ state: 'submitted', note: 'By the lift', charges: quote });
      expect((await walk.call('POST /orders', given)).body.id).toBe(body.id);
      path = { id: body.id };
    });

    test('is found, alone and in a list, as JSON and as a table', async () => {
      const { body } = await walk.call('GET /orders/{id}', { path });
      const query = { q: 'lift', state: 'submitted', kind: body.kind, site: 'london' };
      const listed = await walk.call('GET /orders', { query: { ...query, sort: 'number', limit: '3' } });
      expect(listed.body).toMatchObject({ total: 1, next: null, orders: [body] });
      const all = await walk.call('GET /orders.csv', { query });
      expect(all.body).toContain(body.number);
      expect((await walk.call('GET /orders/{id}.csv', { path })).body).toContain('Post desk');
    });

    test('is sent, received, and becomes phones', async () => {
      const { headers } = await walk.call('GET /orders/{id}', { path });
      const etag = headers.get('etag') ?? '';
      const sent = { state: 'dispatched', trackingReference: 'T-1' };
      const change = { path, body: sent, headers: { 'if-match': etag } };
      expect((await walk.call('PATCH /orders/{id}', change)).body).toMatchObject(sent);
      await walk.refused('PATCH /orders/{id}', 'changedMeanwhile', change);
      const { body: order } = await walk.call('PATCH /orders/{id}', { path, body: { state: 'received' } });
      const phones = [{ item: order.items[0].id, mac: '0004f20a0001' }];
      const ready = { path, body: { phones }, headers: { 'idempotency-key': 'walk-3' } };
      const { body } = await walk.call('POST /orders/{id}/phones', ready);
      expect(body.phones).toMatchObject([{ host: { nickname: 'Post desk', registered: false } }]);
      expect((await walk.call('POST /orders/{id}/phones', ready)).body.phones).toEqual(body.phones);
    });
  });
}
