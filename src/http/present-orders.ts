import { stringify } from 'csv-stringify/sync';
import type { z } from 'zod';
import type { Catalogue, Charges, Order, OrderItem } from '../domain/order.ts';
import { ORDER_LIMITS } from '../domain/order.ts';
import { modelIn } from '../domain/order-rules.ts';
import type * as schemas from './order-schemas.ts';
import { presentAddress } from './present.ts';

/** The price list as the API tells it. */
export function presentCatalogue(from: Catalogue): z.output<typeof schemas.catalogue> {
  const { currency, models, licence, shipping } = from;
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return {
    currency,
    minorUnits: format.resolvedOptions().maximumFractionDigits ?? 2,
    models: models.map((model) => ({ ...model })),
    licence,
    shipping: shipping.map((method) => ({ ...method })),
    limits: ORDER_LIMITS,
  };
}

/** What something costs, as the API tells it. */
export function presentCharges({ lines, ...rest }: Charges): z.output<typeof schemas.charges> {
  return { ...rest, lines: lines.map(({ item, ...line }) => ({ ...line, item: item ?? null })) };
}

/** An order as the API tells it. */
export function presentOrder(from: Order): z.output<typeof schemas.order> {
  const { sites: _, items, delivery, charges, createdAt, changedAt, ...order } = from;
  return {
    ...order,
    number: order.id,
    items: items.map(presentItem),
    delivery: {
      address: presentAddress(delivery.address),
      attention: delivery.attention ?? null,
      shippingMethod: delivery.shippingMethod,
    },
    charges: presentCharges(charges),
    createdAt: new Date(createdAt).toISOString(),
    changedAt: new Date(changedAt).toISOString(),
    trackingReference: order.trackingReference ?? null,
    note: order.note ?? null,
    phones: [...order.phones],
  };
}

function presentItem({ address, nicknames = [], macs, ...item }: OrderItem) {
  return { ...item, address: presentAddress(address), nicknames: [...nicknames], macs: [...macs] };
}

const ADDRESS = [
  ...(['customerName', 'houseNumber', 'street', 'city', 'state', 'postcode', 'country'] as const),
  ...(['floor', 'room'] as const),
];

const COLUMNS = [
  ...['order', 'orderState', 'kind', 'createdAt', 'createdBy'],
  ...['item', 'model', 'modelName', 'expansionModule', 'quantity', 'site', 'nicknames', 'hosts', 'macs'],
  ...ADDRESS.map((field) => `emergency.${field}`),
  ...['shippingMethod', 'shippingName', 'attention'],
  ...ADDRESS.map((field) => `delivery.${field}`),
  ...['trackingReference', 'note', 'orderOnce', 'orderMonthly', 'currency'],
];

/** Line breaks are quoted (RFC 4180), and what a spreadsheet would run as a formula becomes text. */
const CSV = { record_delimiter: 'windows', escape_formulas: true, quoted_match: /[\r\n]/ } as const;

/** The first line of the export. */
export function orderCsvHeader(): string {
  return stringify([COLUMNS], CSV);
}

/** Orders as lines of CSV, one for each item; times in UTC, amounts as decimal numbers. */
export function orderCsv(orders: readonly Order[], catalogue: Catalogue): string {
  return stringify(
    orders.flatMap((order) => order.items.map((item) => csvRow(order, item, catalogue))),
    CSV,
  );
}

function csvRow(order: Order, item: OrderItem, catalogue: Catalogue): unknown[] {
  const { delivery, charges } = order;
  return [
    ...[order.id, order.state, order.kind, new Date(order.createdAt).toISOString(), order.createdBy],
    ...[item.id, item.model, modelIn(catalogue, item.model)?.name, item.expansionModule ? 'yes' : 'no'],
    ...[item.quantity, item.site, item.nicknames?.join('; ')],
    ...[item.macs.map(({ host }) => host).join(' '), item.macs.map(({ mac }) => mac).join(' ')],
    ...ADDRESS.map((field) => item.address[field]),
    ...[delivery.shippingMethod, catalogue.shipping.find(({ id }) => id === delivery.shippingMethod)?.name],
    ...[delivery.attention, ...ADDRESS.map((field) => delivery.address[field])],
    ...[order.trackingReference, order.note],
    ...[decimal(charges.once, charges.currency), decimal(charges.monthly, charges.currency)],
    charges.currency,
  ];
}

/** 8900 pence as 89.00. */
function decimal(amount: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return (amount / 10 ** digits).toFixed(digits);
}
