import { describe, expect, test } from 'vitest';
import { macOf } from '../../../src/domain/mac.ts';
import {
  type Catalogue,
  type ItemWish,
  ORDER_LIMITS,
  ORDER_STATES,
  type Order,
} from '../../../src/domain/order.ts';
import { planPhones } from '../../../src/domain/order-phones.ts';
import {
  chargesOf,
  conversionCharges,
  isFinished,
  isSameTotal,
  itemsOf,
  mayBecome,
  orderProblems,
  sitesOf,
} from '../../../src/domain/order-rules.ts';
import { directory, host } from './example.ts';

/** What may be ordered, what it costs, and how it goes on (A6, A7). */

const { address } = host('d1');
const catalogue: Catalogue = {
  currency: 'GBP',
  licence: { monthly: 100 },
  models: [
    {
      ...{ id: 'small', name: 'Small', expansionModule: 'none' },
      ...{ phone: { once: 1_000, monthly: 0 }, module: { once: 0, monthly: 0 } },
    },
    {
      ...{ id: 'large', name: 'Large', expansionModule: 'optional' },
      ...{ phone: { once: 2_500, monthly: 10 }, module: { once: 700, monthly: 5 } },
    },
  ],
  shipping: [
    { id: 'slow', name: 'Slow', once: 0 },
    { id: 'fast', name: 'Fast', once: 999 },
  ],
};
const large: ItemWish = { model: 'large', expansionModule: false, quantity: 1, site: 'london', address };
const delivery = { address, shippingMethod: 'fast' };
const problems = (items: readonly ItemWish[], to = delivery) =>
  orderProblems({ items, delivery: to }, { catalogue, directory: directory({}) });

describe('charges', () => {
  test('a line for each model, its modules, the licences and the shipping', () => {
    const items = [
      { ...large, quantity: 3 },
      { ...large, quantity: 2, expansionModule: true },
      { ...large, model: 'small', quantity: 4 },
    ];
    expect(chargesOf({ items, delivery }, catalogue)).toEqual({
      lines: [
        { key: 'phone', item: 'large', quantity: 5, once: 12_500, monthly: 50 },
        { key: 'phone', item: 'small', quantity: 4, once: 4_000, monthly: 0 },
        { key: 'expansionModule', item: 'large', quantity: 2, once: 1_400, monthly: 10 },
        { key: 'licence', item: undefined, quantity: 9, once: 0, monthly: 900 },
        { key: 'shipping', item: 'fast', quantity: 1, once: 999, monthly: 0 },
      ],
      ...{ once: 18_899, monthly: 960, currency: 'GBP' },
    });
  });

  test('A9: a licence that costs nothing is no line', () => {
    const free = { ...catalogue, licence: { monthly: 0 } };
    const { lines } = chargesOf({ items: [large], delivery }, free);
    expect(lines.map(({ key }) => key)).toEqual(['phone', 'shipping']);
  });

  test('a converted phone is there already: nobody buys it', () => {
    expect(conversionCharges(delivery, catalogue)).toMatchObject({ once: 999, monthly: 100 });
  });

  test('the same total in another currency is another total', () => {
    const seen = { once: 1, monthly: 2, currency: 'GBP' };
    expect(isSameTotal(seen, { ...seen })).toBe(true);
    for (const other of [{ once: 2 }, { monthly: 1 }, { currency: 'EUR' }])
      expect(isSameTotal(seen, { ...seen, ...other })).toBe(false);
  });
});

describe('a wish', () => {
  test('that is well has no problems', () => {
    expect(problems([large, { ...large, model: 'small', quantity: 12 }])).toEqual([]);
  });

  test.each([
    [{ model: 'huge' }, 'order:items.1.model: is not on the price list'],
    [{ model: 'small', expansionModule: true }, 'order:items.1.expansionModule: does not go with this model'],
    [{ site: 'atlantis' }, 'order:items.1.site: no such site'],
    [{ nicknames: ['a', 'b'] }, 'order:items.1.nicknames: are more than there are phones'],
    [{ address: { ...address, postcode: 'x' } }, /^order:items\.1\.address\.postcode: must be a UK postcode/],
    [
      { address: { ...address, customerName: ' ' } },
      /^order:items\.1\.address\.customerName: must not be empty/,
    ],
  ])('%o is refused', (differs, words) => {
    expect(problems([large, { ...large, ...differs }])).toEqual([
      typeof words === 'string' ? words : expect.stringMatching(words),
    ]);
  });

  test('of too many phones, and one that goes nowhere, are refused', () => {
    const many = { ...large, quantity: ORDER_LIMITS.phones };
    expect(problems([many, large])).toEqual([expect.stringMatching(/^order:items: at most \d+ phones/)]);
    const nowhere = { address: { ...address, city: '' }, shippingMethod: 'pigeon' };
    expect(problems([large], nowhere)).toEqual([
      'order:delivery.shippingMethod: is no shipping method on the price list',
      'order:delivery.address.city: must not be empty',
    ]);
  });
});

describe('an order', () => {
  test('goes forwards only', () => {
    const steps = ORDER_STATES.flatMap((from) => ORDER_STATES.map((to) => [from, to] as const));
    const taken = steps.filter(([from, to]) => from !== to && mayBecome(from, to));
    expect(taken).toEqual([
      ['submitted', 'dispatched'],
      ['submitted', 'received'],
      ['submitted', 'cancelled'],
      ['dispatched', 'received'],
      ['dispatched', 'cancelled'],
    ]);
  });

  test('is finished when nothing is left to do', () => {
    const items = itemsOf([large]);
    const full = items.map((item) => ({ ...item, macs: [{ host: 'h', mac: '0004f2000001' }] }));
    const about = { kind: 'newPhones', items } as const;
    expect(isFinished({ ...about, state: 'submitted' })).toBe(false);
    expect(isFinished({ ...about, state: 'cancelled' })).toBe(true);
    expect(isFinished({ ...about, state: 'received' })).toBe(false);
    expect(isFinished({ ...about, state: 'received', items: full })).toBe(true);
    expect(isFinished({ ...about, state: 'received', kind: 'conversion' })).toBe(true);
  });

  test('is for each site once', () => {
    expect(sitesOf([{ site: 'leeds' }, { site: 'ealing' }, { site: 'leeds' }])).toEqual(['ealing', 'leeds']);
  });
});

describe('phones of an order', () => {
  const order = {
    id: 'HD-1001',
    items: itemsOf([{ ...large, quantity: 2, nicknames: ['Desk one'] }, large]),
  } as unknown as Order;
  const taken = { ...host('d9'), mac: '0004f2999999' };
  const hosts = new Map([[taken.id, taken]]);
  const plan = (rows: Parameters<typeof planPhones>[1], more = order) => planPhones(more, rows, { hosts });

  test('have their names, ids and MACs, and stand in the items', () => {
    const made = plan([
      { item: '1', mac: '00:04:F2:00:00:01' },
      { item: '1', mac: '0004.f200.0002' },
      { item: '2', mac: '00-04-f2-00-00-03', id: 'lobby', nickname: 'Lobby' },
    ]);
    if ('problems' in made) throw new Error(made.problems.join());
    expect(made.phones).toMatchObject([
      { id: 'cp0004f2000001', mac: '0004f2000001', nickname: 'Desk one' },
      { id: 'cp0004f2000002', mac: '0004f2000002', nickname: 'HD-1001 1-2' },
      { id: 'lobby', mac: '0004f2000003', nickname: 'Lobby' },
    ]);
    expect(made.items.map(({ macs }) => macs.length)).toEqual([2, 1]);
  });

  test('every row that is wrong is named', () => {
    expect(
      plan([
        { item: '1', mac: 'nothing' },
        { item: '1', mac: '0004f2999999' },
        { item: '7', mac: '0004f2000004' },
        { item: '2', mac: '0004f2000005', id: 'd9' },
        { item: '2', mac: '0004F2000005' },
        { item: '1', mac: '0004f2000006' },
        { item: '2', mac: '0004f2000007', id: 'no id' },
      ]),
    ).toEqual({
      problems: [
        'order:phones.0.mac: is no MAC address; twelve hex digits are needed',
        'order:phones.1.mac: is the MAC of d9 already',
        'order:phones.2.item: no such item in this order',
        'order:phones.3.id: d9 is taken already',
        'order:phones.4.item: is complete: 1 ordered',
        'order:phones.4.mac: is the MAC of d9 already',
        'order:phones.5.item: is complete: 2 ordered',
        'order:phones.6.item: is complete: 1 ordered',
        'order:phones.6.id: must be letters, digits, dots, dashes or underscores',
      ],
    });
  });

  test('one that has gone from the directory makes room for another', () => {
    const [item] = order.items;
    const heldBy = (id: string) => ({
      ...order,
      items: [{ ...item, quantity: 1, macs: [{ host: id, mac: '0004f2999999' }] }] as Order['items'],
    });
    expect(plan([{ item: '1', mac: '0004f2000001' }], heldBy('d9'))).toHaveProperty('problems');
    expect(plan([{ item: '1', mac: '0004f2000001' }], heldBy('gone'))).toMatchObject({
      items: [{ macs: [{ host: 'cp0004f2000001' }] }],
    });
  });
});

test.each([
  ['0004F2AABBCC', '0004f2aabbcc'],
  [' 00:04:f2:aa:bb:cc ', '0004f2aabbcc'],
  ['0004.f2aa.bbcc', '0004f2aabbcc'],
  ['0004f2aabbc', undefined],
  ['0004f2aabbccd', undefined],
  ['0004f2aabbcg', undefined],
  ['000000000000', undefined],
  ['0104f2aabbcc', undefined],
  ['ffffffffffff', undefined],
])('the MAC %j', (text, mac) => {
  expect(macOf(text)).toBe(mac);
});
