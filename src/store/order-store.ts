import type { OrderFacts } from '../domain/order.ts';

/** An order of phones as it is to be. Orders are beside the directory: nobody follows them, and it does not grow. */
export interface OrderWrite {
  /** Absent: a new one, which gets the next id: `HD-1001`. */
  readonly id?: string;
  /** Of one there is: write only if this is still its revision. */
  readonly ifRevision?: number;
  /** Of a new one, `[A-Za-z0-9-]{1,64}`, for writeOrder: the same again gives the order it made, for a day. */
  readonly opId?: string | undefined;
  /** JSON, without the id. */
  readonly value: unknown;
  /** For the log. */
  readonly facts: OrderFacts;
  /** Nothing is left to do: may be forgotten, the oldest first, when there are too many. */
  readonly finished: boolean;
}

export type OrderWritten =
  | { readonly outcome: 'written'; readonly id: string; readonly revision: number }
  /** Somebody else has changed it, or there is none. */
  | { readonly outcome: 'changed' }
  /** There are too many, and none is finished. */
  | { readonly outcome: 'full' };

export interface StoredOrder {
  readonly id: string;
  /** Of any two changes of orders the later has the higher. */
  readonly revision: number;
  readonly value: unknown;
}

/** Orders of a company. */
export const MOST_ORDERS = 10_000;

/** Orders of a company; part of the store. */
export interface OrderStore {
  /** Puts one order and logs one `order` event; the directory stays as it is. */
  writeOrder(write: OrderWrite, actor: string): Promise<OrderWritten>;
  /** These orders, as far as they are there. */
  orders(ids: readonly string[]): Promise<readonly StoredOrder[]>;
  /** Orders changed after this revision, the first changed first, at most `limit`; and how many orders there are. */
  changedOrders(
    after: number,
    limit: number,
  ): Promise<{ readonly orders: readonly StoredOrder[]; readonly total: number }>;
}
