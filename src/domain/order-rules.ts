import { ADDRESS_WORDS, addressProblems, addressToKeep } from './address.ts';
import type { CivicAddress, Directory } from './directory.ts';
import {
  type Catalogue,
  type CatalogueModel,
  type ChargeLine,
  type Charges,
  type Delivery,
  type ItemWish,
  type Money,
  ORDER_LIMITS,
  type Order,
  type OrderItem,
  type OrderState,
} from './order.ts';

/** What may be ordered, what it costs, and how an order goes on (A6, A7). */

export interface OrderedThings {
  readonly items: readonly ItemWish[];
  readonly delivery: Delivery;
}

/** Everything that is wrong with a wish, a sentence each: `order:items.0.model: is not on the price list`. */
export function orderProblems(
  { items, delivery }: OrderedThings,
  { catalogue, directory }: { readonly catalogue: Catalogue; readonly directory: Pick<Directory, 'sites'> },
): string[] {
  const total = items.reduce((sum, { quantity }) => sum + quantity, 0);
  return [
    ...items.flatMap((item, i) => itemProblems(`order:items.${i}`, item, { catalogue, directory })),
    ...problem(total > ORDER_LIMITS.phones, 'order:items', `at most ${ORDER_LIMITS.phones} phones at a time`),
    ...deliveryProblems(delivery, catalogue),
  ];
}

/** What is wrong with where an order is to go. */
export function deliveryProblems({ address, shippingMethod }: Delivery, { shipping }: Catalogue): string[] {
  return [
    ...problem(
      !shipping.some(({ id }) => id === shippingMethod),
      'order:delivery.shippingMethod',
      'is no shipping method on the price list',
    ),
    ...addressSentences('order:delivery.address', address),
  ];
}

function itemProblems(
  path: string,
  item: ItemWish,
  { catalogue, directory }: { readonly catalogue: Catalogue; readonly directory: Pick<Directory, 'sites'> },
): string[] {
  const model = modelIn(catalogue, item.model);
  const cannotHave = item.expansionModule && model?.expansionModule === 'none';
  return [
    ...problem(!model, `${path}.model`, 'is not on the price list'),
    ...problem(cannotHave, `${path}.expansionModule`, 'does not go with this model'),
    ...problem(!directory.sites.has(item.site), `${path}.site`, 'no such site'),
    ...problem(
      (item.nicknames?.length ?? 0) > item.quantity,
      `${path}.nicknames`,
      'are more than there are phones',
    ),
    ...addressSentences(`${path}.address`, item.address),
  ];
}

function addressSentences(path: string, address: CivicAddress): string[] {
  return addressProblems(address).map(({ field, reason }) => `${path}.${field}: ${ADDRESS_WORDS[reason]}`);
}

function problem(isWrong: boolean, path: string, words: string): string[] {
  return isWrong ? [`${path}: ${words}`] : [];
}

export function modelIn({ models }: Catalogue, id: string): CatalogueModel | undefined {
  return models.find((model) => model.id === id);
}

/** What this costs: a line for each model, its expansion modules, the licences and the shipping. */
export function chargesOf({ items, delivery }: OrderedThings, catalogue: Catalogue): Charges {
  const phones = items.reduce((sum, { quantity }) => sum + quantity, 0);
  const modules = items.filter(({ expansionModule }) => expansionModule);
  const lines = [
    ...perModel(items, (id, quantity) =>
      line('phone', { item: id, quantity }, modelIn(catalogue, id)?.phone),
    ),
    ...perModel(modules, (id, quantity) =>
      line('expansionModule', { item: id, quantity }, modelIn(catalogue, id)?.module),
    ),
    ...licenceLine(phones, catalogue),
    shippingLine(delivery, catalogue),
  ];
  return { ...summed(lines), currency: catalogue.currency };
}

/** What the delivery of a converted phone costs: it is there already. */
export function conversionCharges(delivery: Delivery, catalogue: Catalogue): Charges {
  const lines = [...licenceLine(1, catalogue), shippingLine(delivery, catalogue)];
  return { ...summed(lines), currency: catalogue.currency };
}

function licenceLine(quantity: number, { licence }: Catalogue): ChargeLine[] {
  return licence.monthly > 0 ? [line('licence', { quantity }, { once: 0, monthly: licence.monthly })] : [];
}

function shippingLine({ shippingMethod }: Delivery, { shipping }: Catalogue): ChargeLine {
  const once = shipping.find(({ id }) => id === shippingMethod)?.once ?? 0;
  return line('shipping', { item: shippingMethod, quantity: 1 }, { once, monthly: 0 });
}

function perModel(
  items: readonly ItemWish[],
  lineOf: (model: string, quantity: number) => ChargeLine,
): ChargeLine[] {
  const counts = new Map<string, number>();
  for (const { model, quantity } of items) counts.set(model, (counts.get(model) ?? 0) + quantity);
  return [...counts].map(([model, quantity]) => lineOf(model, quantity));
}

function line(
  key: ChargeLine['key'],
  { item, quantity }: Pick<ChargeLine, 'item' | 'quantity'>,
  { once, monthly }: Money = { once: 0, monthly: 0 },
): ChargeLine {
  return { key, item, quantity, once: once * quantity, monthly: monthly * quantity };
}

function summed(lines: readonly ChargeLine[]): Omit<Charges, 'currency'> {
  const sum = (of: keyof Money): number => lines.reduce((total, each) => total + each[of], 0);
  return { lines, once: sum('once'), monthly: sum('monthly') };
}

export function isSameTotal(
  one: Money & { readonly currency: string },
  other: Money & { readonly currency: string },
): boolean {
  return one.once === other.once && one.monthly === other.monthly && one.currency === other.currency;
}

/** Items as they are kept. */
export function itemsOf(wishes: readonly ItemWish[]): OrderItem[] {
  return wishes.map((wish, i) => ({
    ...wish,
    id: String(i + 1),
    address: addressToKeep(wish.address),
    macs: [],
  }));
}

/** Sites an order is for, each once. */
export function sitesOf(items: readonly Pick<ItemWish, 'site'>[]): string[] {
  return [...new Set(items.map(({ site }) => site))].sort();
}

const NEXT: Readonly<Record<OrderState, readonly OrderState[]>> = {
  submitted: ['dispatched', 'received', 'cancelled'],
  dispatched: ['received', 'cancelled'],
  received: [],
  cancelled: [],
};

/** Orders go forwards only. */
export function mayBecome(from: OrderState, to: OrderState): boolean {
  return from === to || NEXT[from].includes(to);
}

/** Whether nothing is left to do: cancelled, or received with every phone made ready. */
export function isFinished({ state, kind, items }: Pick<Order, 'state' | 'kind' | 'items'>): boolean {
  if (state !== 'received') return state === 'cancelled';
  return kind === 'conversion' || items.every(({ macs, quantity }) => macs.length >= quantity);
}

/** Phones made of an item that are still there: a phone that was removed makes room for another. */
export function phonesThere(
  { macs }: Pick<OrderItem, 'macs'>,
  { hosts }: Pick<Directory, 'hosts'>,
): OrderItem['macs'] {
  return macs.filter(({ host, mac }) => hosts.get(host)?.mac === mac);
}
