import type { CivicAddress } from './directory.ts';

/** Orders of phones (A6, A7): what was asked for, where it is to stand, what it costs, and how far it has got. */

export const ORDER_STATES = ['submitted', 'dispatched', 'received', 'cancelled'] as const;
export type OrderState = (typeof ORDER_STATES)[number];
/** `newPhones`: bought; `conversion`: a phone that was somebody's becomes a common area phone and is sent. */
export const ORDER_KINDS = ['newPhones', 'conversion'] as const;
export type OrderKind = (typeof ORDER_KINDS)[number];
export const CHARGE_KEYS = ['phone', 'expansionModule', 'licence', 'shipping'] as const;
export type ChargeKey = (typeof CHARGE_KEYS)[number];

/** What one order may hold. */
export const ORDER_LIMITS = { items: 50, quantity: 500, phones: 500 } as const;

/** In the currency's smallest unit. */
export interface Money {
  readonly once: number;
  readonly monthly: number;
}

/** A phone on the price list. */
export interface CatalogueModel {
  readonly id: string;
  readonly name: string;
  readonly expansionModule: 'none' | 'optional';
  readonly phone: Money;
  readonly module: Money;
}

export interface ShippingMethod {
  readonly id: string;
  readonly name: string;
  readonly once: number;
}

/** The price list. */
export interface Catalogue {
  /** ISO 4217. */
  readonly currency: string;
  readonly models: readonly CatalogueModel[];
  /** For each phone, each month. */
  readonly licence: { readonly monthly: number };
  readonly shipping: readonly ShippingMethod[];
}

export interface ItemWish {
  /** Id in the catalogue. */
  readonly model: string;
  readonly expansionModule: boolean;
  readonly quantity: number;
  readonly site: string;
  /** Where the phones will stand (A6). */
  readonly address: CivicAddress;
  readonly nicknames?: readonly string[] | undefined;
}

export interface OrderItem extends ItemWish {
  /** `1`, `2` … in this order. */
  readonly id: string;
  /** Phones made of it so far. */
  readonly macs: readonly { readonly host: string; readonly mac: string }[];
}

export interface Delivery {
  readonly address: CivicAddress;
  readonly attention?: string | undefined;
  /** Id in the catalogue. */
  readonly shippingMethod: string;
}

export interface ChargeLine extends Money {
  readonly key: ChargeKey;
  /** Id of a model or shipping method. */
  readonly item?: string | undefined;
  readonly quantity: number;
}

export interface Charges extends Money {
  readonly lines: readonly ChargeLine[];
  readonly currency: string;
}

export interface Order {
  /** `HD-1001`, which people read out. */
  readonly id: string;
  readonly kind: OrderKind;
  readonly state: OrderState;
  readonly items: readonly OrderItem[];
  readonly delivery: Delivery;
  readonly charges: Charges;
  /** ms since 1970. */
  readonly createdAt: number;
  /** As the change log names them. */
  readonly createdBy: string;
  readonly changedAt: number;
  readonly trackingReference?: string | undefined;
  readonly note?: string | undefined;
  /** Ids of the hosts a conversion is about. */
  readonly phones: readonly string[];
  /** Sites it is for: who administers all of them may see it. */
  readonly sites: readonly string[];
}

/** What the change log says of an order. */
export type OrderFacts = Pick<Order, 'kind' | 'state' | 'sites'>;
