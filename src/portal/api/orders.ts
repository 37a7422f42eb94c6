import type { AddressWish } from '../ui/address-fields.tsx';
import { create, get, send } from './client.ts';
import type { Catalogue, Charges, Order, Page, ReadyPhones } from './types.ts';

/** Orders of phones, and what they cost. */

export interface ItemWish {
  readonly model: string;
  readonly expansionModule: boolean;
  readonly quantity: number;
  readonly site: string;
  readonly address: AddressWish;
}

export interface DeliveryWish {
  readonly address: AddressWish;
  readonly attention: string | null;
  readonly shippingMethod: string;
}

export interface QuoteWish {
  readonly items: readonly ItemWish[];
  readonly delivery: DeliveryWish;
  readonly note?: string;
}

export interface OrderQuery {
  readonly q: string;
  readonly state: string;
  readonly site: string;
  readonly sort: string;
  readonly limit: number;
  readonly cursor: string;
}

export function readCatalogue(signal?: AbortSignal): Promise<Catalogue> {
  return get<Catalogue>('/catalogue', signal);
}

/** What an order would cost; refused like the order itself where something is wrong with it. */
export function quote(wish: QuoteWish): Promise<Charges> {
  return send<Charges>('POST', '/order-quotes', wish);
}

/** Orders, with the charges as they were shown. `key`: of this one order. */
export function placeOrder(wish: QuoteWish, shown: Charges, key: string): Promise<Order> {
  const { once, monthly, currency } = shown;
  return create<Order>('/orders', { ...wish, acknowledged: true, total: { once, monthly, currency } }, key);
}

export async function listOrders(query: Partial<OrderQuery>, signal?: AbortSignal): Promise<Page<Order>> {
  const wanted = Object.entries(query).filter(([, value]) => value !== '');
  const search = new URLSearchParams(wanted.map(([name, value]) => [name, String(value)])).toString();
  const { orders, next, total } = await get<{ orders: Order[]; next: string | null; total: number }>(
    `/orders?${search}`,
    signal,
  );
  return { rows: orders, next, total };
}

export function orderPath(id: string): string {
  return `/orders/${encodeURIComponent(id)}`;
}

export interface OrderChange {
  readonly state?: Order['state'];
  readonly trackingReference?: string | null;
  readonly note?: string | null;
}

export function changeOrder(id: string, change: OrderChange): Promise<Order> {
  return send<Order>('PATCH', orderPath(id), change);
}

export interface ReceivedPhone {
  readonly item: string;
  readonly mac: string;
  readonly nickname?: string;
}

/** Makes phones of what has come; their SIP passwords are told in the answer, and never again. */
export function assignPhones(
  id: string,
  phones: readonly ReceivedPhone[],
  key: string,
): Promise<ReadyPhones> {
  return create<ReadyPhones>(`${orderPath(id)}/phones`, { phones }, key);
}
