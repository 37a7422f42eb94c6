import { z } from 'zod';
import { CHARGE_KEYS, ORDER_KINDS, ORDER_LIMITS, ORDER_STATES } from '../domain/order.ts';
import { addressWish, civicAddress, host, rest, time } from './schemas.ts';

/** What the API takes and gives about the price list and orders of phones. Amounts are in the smallest unit (pence). */

const id = z.string().min(1).max(64);
const text = (max: number) => z.string().trim().min(1).max(max);
const amount = z.int().min(0).describe('In the currency’s smallest unit, such as pence.');
const money = z.object({ once: amount, monthly: amount });

export const catalogue = z
  .object({
    currency: z.string().describe('ISO 4217.'),
    minorUnits: z.int().describe('Decimals of the currency: 2 for GBP, where 8900 is £89.00.'),
    models: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        expansionModule: z.enum(['none', 'optional']),
        phone: money.describe('For each phone.'),
        module: money.describe('For each expansion module.'),
      }),
    ),
    licence: z.object({ monthly: amount }).describe('For each phone.'),
    shipping: z.array(z.object({ id: z.string(), name: z.string(), once: amount })),
    limits: z
      .object({ items: z.int(), quantity: z.int(), phones: z.int() })
      .describe('Of one order: items, phones of one item, phones in all.'),
  })
  .meta({ id: 'Catalogue' });

export const charges = z
  .object({
    lines: z.array(
      z.object({
        key: z.enum(CHARGE_KEYS),
        item: z.string().nullable().describe('Id of the model or the shipping method; null: of neither.'),
        quantity: z.int(),
        once: amount,
        monthly: amount,
      }),
    ),
    once: amount,
    monthly: amount,
    currency: z.string(),
  })
  .meta({ id: 'Charges', description: 'Of each line for its whole quantity, and in all.' });

const itemWish = z.strictObject({
  model: id.describe('Id in the catalogue.'),
  expansionModule: z.boolean().default(false),
  quantity: z.int().min(1).max(ORDER_LIMITS.quantity),
  site: id,
  address: addressWish.describe('Where the phones will stand (A6).'),
  nicknames: z
    .exactOptional(z.array(text(100)).max(ORDER_LIMITS.quantity))
    .describe('Of the first phones of this item; the others get one made up.'),
});

const deliveryWish = z.strictObject({
  address: addressWish,
  attention: z.exactOptional(text(100).nullable()),
  shippingMethod: id.describe('Id in the catalogue.'),
});

const note = z.string().trim().max(1_000);
const items = z.array(itemWish).min(1).max(ORDER_LIMITS.items);
const total = z
  .strictObject({ once: amount, monthly: amount, currency: z.string().max(3) })
  .describe('As the customer saw it: refused when the price list gives another by now.');

export const quoteWish = z.strictObject({ items, delivery: deliveryWish, note: z.exactOptional(note) });
export const orderWish = quoteWish.extend({
  acknowledged: z.literal(true, 'the charges must be acknowledged'),
  total,
});
export type OrderWishBody = z.output<typeof orderWish>;

/** With a conversion. */
export const conversionDelivery = deliveryWish.extend({
  note: z.exactOptional(note),
  total: z.exactOptional(total),
});
/** The phone, and the order that was made with it. */
export const convertedHost = host
  .extend({ order: z.string().nullable().describe('Id of the order; null: nothing is to be delivered.') })
  .meta({ id: 'ConvertedHost' });

export const order = z
  .object({
    id: z.string(),
    number: z.string().describe('For people: HD-1001.'),
    kind: z.enum(ORDER_KINDS),
    state: z.enum(ORDER_STATES),
    items: z.array(
      z.object({
        id: z.string(),
        model: z.string(),
        expansionModule: z.boolean(),
        quantity: z.int(),
        site: z.string(),
        address: civicAddress,
        nicknames: z.array(z.string()),
        macs: z
          .array(z.object({ host: z.string(), mac: z.string() }))
          .describe('Phones made of this item so far.'),
      }),
    ),
    delivery: z.object({
      address: civicAddress,
      attention: z.string().nullable(),
      shippingMethod: z.string(),
    }),
    charges,
    createdAt: time,
    createdBy: z.string().describe('As the change log names them.'),
    changedAt: time,
    trackingReference: z.string().nullable(),
    note: z.string().nullable(),
    phones: z.array(z.string()).describe('Ids of the hosts that a conversion is about; otherwise empty.'),
  })
  .meta({ id: 'Order' });
export const orders = z.object({ orders: z.array(order), ...rest });

export const orderPath = z.object({ id: id.describe('Order id.') });

const SORTS = ['createdAt', 'changedAt', 'number', 'state'] as const;
export type OrderSort = (typeof SORTS)[number];
const sorts = SORTS.flatMap((sort) => [`-${sort}`, sort] as const);

const found = {
  q: z
    .exactOptional(z.string().min(1).max(100))
    .describe('Words, or how words begin: in numbers, notes, models, names, addresses, references.'),
  state: z.exactOptional(z.enum(ORDER_STATES)),
  kind: z.exactOptional(z.enum(ORDER_KINDS)),
  site: z.exactOptional(id).describe('Orders with something for this site.'),
};

export const orderQuery = z.strictObject({
  ...found,
  sort: z
    .enum(sorts as [(typeof sorts)[number]])
    .default('-createdAt')
    .describe('With a minus: the other way round.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .exactOptional(z.string().min(1).max(1_000))
    .describe('`next` of the page before; with the same sort.'),
});
export const orderCsvQuery = z.strictObject(found);

export const orderChange = z
  .strictObject({
    state: z
      .exactOptional(z.enum(ORDER_STATES))
      .describe('Forwards only: submitted, dispatched, received; cancelled until it is received.'),
    trackingReference: z.exactOptional(z.string().trim().max(100).nullable()).describe('null: none.'),
    note: z.exactOptional(note.nullable()).describe('null: none.'),
  })
  .refine((change) => Object.keys(change).length > 0, 'expected something to change');
export type OrderChangeBody = z.output<typeof orderChange>;

export const receivedPhones = z.strictObject({
  phones: z
    .array(
      z.strictObject({
        item: id.describe('Id of the item of the order.'),
        mac: z.string().max(32).describe('Twelve hex digits, with colons, dashes, dots or without.'),
        id: z.exactOptional(id).describe('SIP user; absent: cp<mac>.'),
        nickname: z.exactOptional(text(100)).describe('Absent: the next one of the item.'),
      }),
    )
    .min(1)
    .max(ORDER_LIMITS.phones),
});
export const readyPhones = z
  .object({
    order,
    phones: z.array(
      z.object({
        host,
        item: z.string(),
        sipPassword: z.string().describe('Shown here and never again.'),
      }),
    ),
  })
  .meta({ id: 'ReadyPhones' });
export const csvText = z.string().describe('CSV, UTF-8.');
