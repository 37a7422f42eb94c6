import { Listing, matcher, type Row, searchText, sortKey } from '../../domain/listing.ts';
import { ORDER_STATES, type Order, type OrderKind, type OrderState } from '../../domain/order.ts';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import { MOST_ORDERS, type Store, type StoredOrder } from '../../store/store.ts';
import { type Page, readPage } from '../lists/pages.ts';
import { whileStoreAnswers } from '../while-store-answers.ts';
import { orderFrom } from './order-document.ts';

export type OrderSort = 'createdAt' | 'changedAt' | 'number' | 'state';

export interface OrderFilter {
  /** Words, or how words begin. */
  readonly q?: string | undefined;
  readonly state?: OrderState | undefined;
  readonly kind?: OrderKind | undefined;
  /** Orders with something for this site. */
  readonly site?: string | undefined;
  /** Whose orders whoever asks may see; absent: all. */
  readonly maySee?: ((order: Pick<Order, 'sites'>) => boolean) | undefined;
}

export interface OrderQuery extends OrderFilter {
  readonly sort: OrderSort;
  readonly descending?: boolean | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface OrderPage {
  readonly orders: readonly Order[];
  readonly next: string | undefined;
  readonly total: number;
}

/** What of an order this node remembers to find it by. */
type Known = Pick<Order, 'state' | 'kind' | 'sites'>;

const AT_ONCE = 200;

/**
 * Lists of orders. They are not followed as the directory is: a node that is asked for a list reads what has changed
 * since it was last asked, and remembers of each order a line of words. Nodes that nobody asks know nothing of orders.
 */
export class OrderBook {
  readonly #store: Pick<Store, 'orders' | 'changedOrders'>;
  #listing = new Listing<OrderSort>(noRows());
  #known = new Map<string, Known>();
  #revision = 0;
  #reading: Promise<void> | undefined;
  /** Begins when the reading in hand is over, for all who came meanwhile. */
  #next: Promise<void> | undefined;

  constructor(store: Pick<Store, 'orders' | 'changedOrders'>) {
    this.#store = store;
  }

  /** Refused with invalidCursor and storeUnavailable. */
  async page(query: OrderQuery): Promise<OrderPage | Refusal> {
    return whileStoreAnswers(async () => {
      const page = await this.#find(query);
      if (isRefusal(page)) return page;
      const orders = await this.#read(page.ids);
      return { orders, next: page.next, total: page.total };
    });
  }

  /** All orders that fit, the latest first, some at a time. Refused with storeUnavailable; later the iteration rejects. */
  async all(filter: OrderFilter): Promise<AsyncIterable<readonly Order[]> | Refusal> {
    return whileStoreAnswers(async () => {
      const page = await this.#find({
        ...filter,
        ...{ sort: 'createdAt', descending: true, limit: MOST_ORDERS },
      });
      return isRefusal(page) ? page : this.#portions(page.ids);
    });
  }

  async *#portions(ids: readonly string[]): AsyncGenerator<readonly Order[]> {
    for (let from = 0; from < ids.length; from += AT_ONCE)
      yield await this.#read(ids.slice(from, from + AT_ONCE));
  }

  async #read(ids: readonly string[]): Promise<Order[]> {
    return (await this.#store.orders(ids)).flatMap((stored) => orderFrom(stored) ?? []);
  }

  async #find(query: OrderQuery): Promise<Page | Refusal> {
    await this.#catchUp();
    return readPage(this.#listing, query, [this.#wants(query)]);
  }

  #wants({ q, state, kind, site, maySee }: OrderFilter): (row: Row<OrderSort>) => boolean {
    const hasWords = q === undefined ? undefined : matcher(q);
    return ({ id, text }) => {
      const known = this.#known.get(id);
      if (!known || (maySee && !maySee(known))) return false;
      if (state !== undefined && known.state !== state) return false;
      if (kind !== undefined && known.kind !== kind) return false;
      if (site !== undefined && !known.sites.includes(site)) return false;
      return hasWords?.(text) ?? true;
    };
  }

  /** What was written before this was asked for is known when it resolves. */
  #catchUp(): Promise<void> {
    if (!this.#reading) return this.#begin();
    this.#next ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#reading = this.#readChanges().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readChanges(): Promise<void> {
    const total = await this.#readNewer();
    if (total === this.#known.size) return;
    // Some were forgotten: which, nobody says.
    this.#listing = new Listing<OrderSort>(noRows());
    this.#known = new Map();
    this.#revision = 0;
    await this.#readNewer();
  }

  async #readNewer(): Promise<number> {
    for (;;) {
      const { orders, total } = await this.#store.changedOrders(this.#revision, AT_ONCE);
      for (const stored of orders) this.#take(stored);
      if (orders.length < AT_ONCE) return total;
    }
  }

  /** What cannot be read counts, and is in no list. */
  #take(stored: StoredOrder): void {
    const order = orderFrom(stored);
    this.#revision = Math.max(this.#revision, stored.revision);
    const { state, kind, sites } = order ?? { state: 'cancelled', kind: 'newPhones', sites: [] };
    this.#known.set(stored.id, { state, kind, sites });
    if (order) this.#listing.put(rowOf(order));
    else this.#listing.remove(stored.id);
  }
}

function noRows(): Map<OrderSort, Row<OrderSort>[]> {
  return new Map([
    ['createdAt', []],
    ['changedAt', []],
    ['number', []],
    ['state', []],
  ]);
}

function rowOf(order: Order): Row<OrderSort> {
  const { id, state, items, delivery, createdAt, changedAt, createdBy, note, trackingReference } = order;
  const key = sortKey(id, id);
  const words = items.flatMap(({ model, site, address, nicknames = [], macs }) => [
    ...[model, site, ...wordsOf(address), ...nicknames.slice(0, 20)],
    ...macs.slice(0, 50).flatMap(({ host, mac }) => [host, mac]),
  ]);
  const delivered = [delivery.attention, ...wordsOf(delivery.address)];
  return {
    id,
    site: '',
    text: searchText([id, ...new Set(words), ...delivered, createdBy, trackingReference, note]),
    keys: {
      createdAt: `${timeKey(createdAt)} ${key}`,
      changedAt: `${timeKey(changedAt)} ${key}`,
      number: key,
      state: `${ORDER_STATES.indexOf(state)} ${key}`,
    },
  };
}

function wordsOf(address: Order['delivery']['address']): string[] {
  return [address.customerName, address.street, address.city, address.postcode];
}

function timeKey(ms: number): string {
  return String(ms).padStart(15, '0');
}
