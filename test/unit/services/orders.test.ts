import { beforeEach, describe, expect, test } from 'vitest';
import type { Catalogue, Order } from '../../../src/domain/order.ts';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { digestSecrets } from '../../../src/services/digest-secrets.ts';
import { EditsWhileFree } from '../../../src/services/edits-while-free.ts';
import { tagOf } from '../../../src/services/entry-tag.ts';
import { OrderBook, type OrderQuery } from '../../../src/services/orders/order-book.ts';
import { Orders, type OrderWish } from '../../../src/services/orders/orders.ts';
import { Phones } from '../../../src/services/phones.ts';
import { Removals } from '../../../src/services/removals.ts';
import { host } from '../domain/example.ts';
import { ACTOR, guestOffice, reason } from './guest-office.ts';

/** Orders from the wish to phones that are ready (A6, A7). */

const { address } = host('d1');
const catalogue: Catalogue = {
  currency: 'GBP',
  licence: { monthly: 0 },
  models: [
    {
      ...{ id: 'vvx-411', name: 'VVX 411', expansionModule: 'optional' },
      ...{ phone: { once: 14_500, monthly: 0 }, module: { once: 11_900, monthly: 0 } },
    },
  ],
  shipping: [{ id: 'standard', name: 'Standard', once: 500 }],
};
const item = { model: 'vvx-411', expansionModule: true, quantity: 2, site: 'london', address };
const delivery = { address: { ...address, postcode: 'ec1a1bb' }, shippingMethod: 'standard' };
const total = { once: 2 * (14_500 + 11_900) + 500, monthly: 0, currency: 'GBP' };
const wish: OrderWish = { items: [item], delivery, total };
const by = { actor: ACTOR };
const mac = (n: number) => `0004f2aa${n.toString(16).padStart(4, '0')}`;

async function office() {
  const made = await guestOffice();
  const { store, view, service: directory, harness } = made;
  const { log, random } = harness;
  const removals = new Removals({ store, directory, view, random, log });
  const edits = new EditsWhileFree({ store, directory, view, random, log });
  let drawn = 0;
  const former: string[] = [];
  const bytes = (count: number) => new Uint8Array(count).fill(++drawn);
  const registrar = { forgetFormer: async (id: string) => void former.push(id) };
  const phones = new Phones({ directory, edits, removals, registrar, view, realm: 'test', bytes, log });
  const orders = new Orders({ store, phones, view, catalogue, log });
  return { ...made, former, phones, orders, book: new OrderBook(store), directory };
}

let it: Awaited<ReturnType<typeof office>>;
beforeEach(async () => {
  it = await office();
});

async function ordered(more: Partial<OrderWish> = {}): Promise<Order> {
  return must(await it.orders.create({ ...wish, ...more }, ACTOR));
}

async function received(more: Partial<OrderWish> = {}): Promise<Order> {
  const { id } = await ordered(more);
  return must(await it.orders.change(id, { state: 'received' }, by));
}

function must<T>(result: T): Exclude<T, { refused: unknown }> {
  if (isRefusal(result)) throw new Error(JSON.stringify(result));
  return result as Exclude<T, { refused: unknown }>;
}

const orderEvents = () => it.store.log.filter(({ kind }) => kind === 'order');

describe('an order', () => {
  test('is kept as it was wished for, at the price that was seen', async () => {
    const order = await ordered({ note: 'ring twice' });
    expect(order).toMatchObject({
      ...{ id: 'HD-1001', kind: 'newPhones', state: 'submitted', createdBy: ACTOR, note: 'ring twice' },
      ...{ sites: ['london'], phones: [], charges: { once: total.once, monthly: 0, currency: 'GBP' } },
      items: [{ ...item, id: '1', macs: [] }],
      delivery: { shippingMethod: 'standard', address: { postcode: 'EC1A 1BB' } },
    });
    expect(tagOf(must(await it.orders.get(order.id)))).toBe(tagOf(order));
    expect(orderEvents()).toMatchObject([{ change: 'created', order: 'HD-1001', actor: ACTOR }]);
  });

  test('is no part of the directory: its version stays, and what it exports', async () => {
    const before = [it.view.directoryVersion, await it.directory.exportYaml()];
    await ordered();
    expect([it.view.directoryVersion, await it.directory.exportYaml()]).toEqual(before);
    const yaml = String(before[1]);
    expect(await it.directory.importYaml(yaml, by)).toMatchObject({ written: true });
    expect(await it.orders.get('HD-1001')).toMatchObject({ state: 'submitted' });
  });

  test('is made once, also when the answer to the first try got lost', async () => {
    it.store.loseReplies = 1;
    expect(reason(await it.orders.create(wish, ACTOR, 'op-1'))).toBe('storeUnavailable');
    expect(await it.orders.create(wish, ACTOR, 'op-1')).toMatchObject({ id: 'HD-1001' });
    expect(orderEvents()).toHaveLength(1);
  });

  test('for another price than was seen is refused, and says the price', async () => {
    const result = await it.orders.create({ ...wish, total: { ...total, once: 1 } }, ACTOR);
    expect(result).toMatchObject({ refused: 'priceChanged', detail: expect.stringContaining('53300') });
    expect(orderEvents()).toEqual([]);
  });

  test('that is wrong is refused as its quote is', async () => {
    const bad = { ...wish, items: [{ ...item, site: 'atlantis' }] };
    expect(it.orders.quote(bad)).toMatchObject({ problems: ['order:items.0.site: no such site'] });
    expect(reason(await it.orders.create(bad, ACTOR))).toBe('invalidOrder');
    expect(it.orders.quote(wish)).toMatchObject(total);
    expect(orderEvents()).toEqual([]);
  });

  test.each([
    ['a NUL', '\0'],
    ['a turned line', '\u202e'],
    ['half a sign', '\ud800'],
  ])('has no text with %s: no phone can be called so', async (_name, sign) => {
    const odd = `Desk${sign}`;
    const problem = (path: string) => `order:${path}: must not have control characters`;
    const bad = { items: [{ ...item, nicknames: ['Desk', odd] }], delivery: { ...delivery, attention: odd } };
    expect(await it.orders.create({ ...wish, ...bad, note: odd }, ACTOR)).toMatchObject({
      refused: 'invalidOrder',
      problems: [problem('items.0.nicknames.1'), problem('delivery.attention'), problem('note')],
    });
    const { id } = await ordered({ note: 'ring twice,\r\n\tthen wait' });
    const change = { note: odd, trackingReference: odd };
    expect(await it.orders.change(id, change, by)).toMatchObject({
      refused: 'invalidOrder',
      problems: [problem('note'), problem('trackingReference')],
    });
  });

  test('goes forwards, with what is known of its way', async () => {
    const { id } = await ordered();
    const sent = must(await it.orders.change(id, { state: 'dispatched', trackingReference: 'T1' }, by));
    expect(sent).toMatchObject({ state: 'dispatched', trackingReference: 'T1' });
    expect(await it.orders.change(id, { state: 'submitted' }, by)).toMatchObject({
      ...{ refused: 'wrongOrderState', detail: 'it is dispatched' },
    });
    must(await it.orders.change(id, { trackingReference: undefined, note: 'lost' }, by));
    expect(must(await it.orders.get(id)).trackingReference).toBeUndefined();
    must(await it.orders.change(id, { state: 'cancelled' }, by));
    expect(reason(await it.orders.change(id, { state: 'received' }, by))).toBe('wrongOrderState');
    expect(reason(await it.orders.change('HD-9', { note: 'x' }, by))).toBe('unknownOrder');
    expect(orderEvents().map((event) => event.kind === 'order' && event.facts.state)).toEqual([
      ...['submitted', 'dispatched', 'dispatched', 'cancelled'],
    ]);
  });

  test('the same change once more changes nothing, and nobody is told', async () => {
    const { id } = await ordered();
    const change = { state: 'dispatched', trackingReference: 'T1' } as const;
    const first = must(await it.orders.change(id, change, by));
    it.harness.now += 1_000;
    expect(must(await it.orders.change(id, change, by))).toEqual(first);
    expect(must(await it.orders.change(id, { state: 'dispatched', note: undefined }, by))).toEqual(first);
    expect(orderEvents()).toHaveLength(2);
    must(await it.orders.change(id, { trackingReference: undefined }, by));
    expect(orderEvents()).toHaveLength(3);
  });

  test('is edited only as it was read, by who says what they have read', async () => {
    const order = await ordered();
    const ifTag = tagOf(order);
    must(await it.orders.change(order.id, { note: 'one' }, { ...by, ifTag }));
    expect(reason(await it.orders.change(order.id, { note: 'two' }, { ...by, ifTag }))).toBe(
      'changedMeanwhile',
    );
    must(await it.orders.change(order.id, { note: 'three' }, by));
  });

  test('is nobody’s while the store is away', async () => {
    await ordered();
    it.store.down = true;
    for (const result of [
      await it.orders.create(wish, ACTOR),
      await it.orders.get('HD-1001'),
      await it.orders.change('HD-1001', { note: 'x' }, by),
      await it.book.page({ sort: 'number', limit: 5 }),
    ])
      expect(reason(result)).toBe('storeUnavailable');
  });

  test('has no room when there are too many, and none is finished', async () => {
    it.store.mostOrders = 2;
    const { id } = await ordered();
    await ordered();
    expect(reason(await it.orders.create(wish, ACTOR))).toBe('tooManyOrders');
    must(await it.orders.change(id, { state: 'cancelled' }, by));
    await ordered();
    expect(reason(await it.orders.get(id))).toBe('unknownOrder');
  });
});

describe('phones of an order', () => {
  test('are ready to provision, each with a password that is told once', async () => {
    const order = await received();
    const rows = [
      { item: '1', mac: '00:04:f2:aa:00:01', nickname: 'Desk A' },
      { item: '1', mac: mac(2) },
    ];
    const made = must(await it.orders.ready(order.id, rows, ACTOR));
    expect(made.phones.map(({ host: { id }, item: of }) => [id, of])).toEqual([
      ['cp0004f2aa0001', '1'],
      ['cp0004f2aa0002', '1'],
    ]);
    expect(it.former).toEqual(['cp0004f2aa0001', 'cp0004f2aa0002']);
    const [first, second] = made.phones;
    expect(first?.sipPassword).not.toBe(second?.sipPassword);
    const kept = it.hostNow('cp0004f2aa0001');
    expect(kept).toMatchObject({
      ...{ kind: 'commonArea', enabled: true, nickname: 'Desk A', site: 'london', model: 'VVX 411', address },
      ...{ expansionModule: true, digest: digestSecrets('cp0004f2aa0001', 'test', first?.sipPassword ?? '') },
    });
    const known = must(await it.orders.get(order.id));
    expect(known.items[0]?.macs).toEqual([
      { host: 'cp0004f2aa0001', mac: mac(1) },
      { host: 'cp0004f2aa0002', mac: mac(2) },
    ]);
    const all = JSON.stringify([known, it.harness.log.lines, it.store.log, [...it.store.directory]]);
    for (const { sipPassword } of made.phones) expect(all).not.toContain(sipPassword);
    expect(it.store.log.slice(-2)).toMatchObject([
      { kind: 'directory', actor: ACTOR },
      { kind: 'order', order: order.id, actor: ACTOR },
    ]);
    expect(await it.orders.ready(order.id, [{ item: '1', mac: mac(3) }], ACTOR)).toMatchObject({
      problems: ['order:phones.0.item: is complete: 2 ordered'],
    });
  });

  test('come with the order alone', async () => {
    const { id } = await ordered();
    const rows = [{ item: '1', mac: mac(1) }];
    expect(await it.orders.ready(id, rows, ACTOR)).toMatchObject({
      ...{ refused: 'wrongOrderState', detail: 'it is submitted' },
    });
    expect(it.hostNow(`cp${mac(1)}`)).toBeUndefined();
  });

  test('are all made, or none', async () => {
    const { id } = await received();
    const rows = [
      { item: '1', mac: mac(1) },
      { item: '1', mac: 'nonsense' },
    ];
    expect(await it.orders.ready(id, rows, ACTOR)).toMatchObject({
      ...{ refused: 'invalidOrder', problems: [expect.stringMatching(/^order:phones\.1\.mac: /)] },
    });
    expect(it.hostNow(`cp${mac(1)}`)).toBeUndefined();
    expect(must(await it.orders.get(id)).items[0]?.macs).toEqual([]);
  });

  test('what the directory says of a phone is said of its row', async () => {
    const { id } = await received();
    const rows = [
      { item: '1', mac: mac(1) },
      { item: '1', mac: mac(2), nickname: ' ' },
    ];
    const result = await it.orders.ready(id, rows, ACTOR);
    expect(result).toMatchObject({ problems: [expect.stringMatching(/^order:phones\.1\.nickname: /)] });
    expect(it.hostNow(`cp${mac(1)}`)).toBeUndefined();
  });

  test('are made once, whoever else does it at the same moment', async () => {
    const { id } = await received({ items: [{ ...item, quantity: 1 }], total: { ...total, once: 26_900 } });
    const both = await Promise.all(
      [1, 2].map((n) => it.orders.ready(id, [{ item: '1', mac: mac(n) }], ACTOR)),
    );
    expect(both.filter(isRefusal)).toMatchObject([{ refused: 'invalidOrder' }]);
    expect([1, 2].filter((n) => it.hostNow(`cp${mac(n)}`))).toHaveLength(1);
  });
});

describe('a conversion with delivery (A7)', () => {
  const conversion = { nickname: 'Hot', address, delivery, note: 'for Ann' };

  test('makes the order in the same step', async () => {
    must(await it.phones.unassign('u1002', address, by));
    const done = must(await it.orders.convert('u1002', conversion, by));
    expect(done).toMatchObject({ order: 'HD-1001', host: { kind: 'commonArea', enabled: true } });
    expect(it.hostNow('u1002')).toMatchObject({ nickname: 'Hot', enabled: true });
    expect(await it.orders.get('HD-1001')).toMatchObject({
      ...{ kind: 'conversion', state: 'submitted', phones: ['u1002'], note: 'for Ann', sites: ['london'] },
      charges: { once: 500, lines: [{ key: 'shipping' }] },
      items: [{ model: 'vvx-411', quantity: 1, nicknames: ['Hot'], address }],
    });
    must(await it.orders.change('HD-1001', { state: 'received' }, by));
    expect(await it.orders.ready('HD-1001', [{ item: '1', mac: mac(1) }], ACTOR)).toMatchObject({
      refused: 'wrongOrderState',
    });
  });

  test.each([
    ['of a phone that is somebody’s', {}, 'wrongKind', false],
    ['to nowhere', { delivery: { ...delivery, shippingMethod: 'pigeon' } }, 'invalidOrder', true],
    ['at another price', { total }, 'priceChanged', true],
    ['without a good address (A6)', { address: { ...address, city: '' } }, 'invalidDirectory', true],
  ])('%s: neither', async (_, differs, why, isFree) => {
    if (isFree) must(await it.phones.unassign('u1002', address, by));
    const before = it.hostNow('u1002');
    expect(reason(await it.orders.convert('u1002', { ...conversion, ...differs }, by))).toBe(why);
    expect(it.hostNow('u1002')).toEqual(before);
    expect(orderEvents()).toEqual([]);
  });

  test('has no room when there are too many orders: neither', async () => {
    must(await it.phones.unassign('u1002', address, by));
    it.store.mostOrders = 0;
    expect(reason(await it.orders.convert('u1002', conversion, by))).toBe('tooManyOrders');
    expect(it.hostNow('u1002')).toMatchObject({ reservedFor: '1002', enabled: false });
  });
});

describe('the list', () => {
  const page = async (query: Partial<OrderQuery> = {}) =>
    must(await it.book.page({ sort: 'number', limit: 50, ...query }));
  const ids = async (query: Partial<OrderQuery> = {}) => (await page(query)).orders.map(({ id }) => id);

  test('goes on page by page, in every order', async () => {
    for (let n = 0; n < 5; n++) {
      it.harness.now += 1_000;
      await ordered();
    }
    must(await it.orders.change('HD-1002', { state: 'cancelled' }, by));
    const first = await page({ limit: 2, sort: 'createdAt', descending: true });
    expect(first).toMatchObject({ total: 5, orders: [{ id: 'HD-1005' }, { id: 'HD-1004' }] });
    const { next } = first;
    const second = await page({ limit: 2, sort: 'createdAt', descending: true, cursor: next });
    expect(second.orders.map(({ id }) => id)).toEqual(['HD-1003', 'HD-1002']);
    expect(reason(await it.book.page({ sort: 'number', limit: 2, cursor: next }))).toBe('invalidCursor');
    expect((await ids({ sort: 'state' })).at(-1)).toBe('HD-1002');
    it.harness.now += 1_000;
    must(await it.orders.change('HD-1003', { note: 'x' }, by));
    expect((await ids({ sort: 'changedAt', descending: true }))[0]).toBe('HD-1003');
  });

  test('is narrowed by words, state, kind, site and who asks', async () => {
    await ordered({ note: 'Büro Süd' });
    await ordered({ items: [{ ...item, site: 'leeds' }] });
    must(await it.orders.change('HD-1002', { state: 'dispatched', trackingReference: 'TRK-77' }, by));
    expect(await ids({ q: 'buro' })).toEqual(['HD-1001']);
    expect(await ids({ q: 'trk' })).toEqual(['HD-1002']);
    expect(await ids({ q: 'HD-1002' })).toEqual(['HD-1002']);
    expect(await ids({ state: 'submitted' })).toEqual(['HD-1001']);
    expect(await ids({ kind: 'conversion' })).toEqual([]);
    expect(await ids({ site: 'leeds' })).toEqual(['HD-1002']);
    const maySee = ({ sites }: Pick<Order, 'sites'>) => sites.includes('leeds');
    expect(await page({ maySee })).toMatchObject({ total: 1, orders: [{ id: 'HD-1002' }] });
  });

  test('reads what has changed, not everything each time, and what is forgotten is gone', async () => {
    for (let n = 0; n < 3; n++) await ordered();
    expect(await ids()).toHaveLength(3);
    const [asked, changedOrders] = [[] as number[], it.store.changedOrders.bind(it.store)];
    it.store.changedOrders = (after, limit) => {
      asked.push(after);
      return changedOrders(after, limit);
    };
    expect(await ids()).toHaveLength(3);
    expect(asked).toEqual([3]);
    it.store.mostOrders = 3;
    must(await it.orders.change('HD-1001', { state: 'cancelled' }, by));
    await ordered();
    expect(await ids()).toEqual(['HD-1002', 'HD-1003', 'HD-1004']);
  });

  test('is exported in portions, the latest first', async () => {
    for (let n = 0; n < 3; n++) {
      it.harness.now += 1_000;
      await ordered();
    }
    const found: string[] = [];
    for await (const orders of must(await it.book.all({}))) found.push(...orders.map(({ id }) => id));
    expect(found).toEqual(['HD-1003', 'HD-1002', 'HD-1001']);
  });
});
