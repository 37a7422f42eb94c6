import { addressToKeep } from '../../domain/address.ts';
import type { CivicAddress, Host } from '../../domain/directory.ts';
import type { Catalogue, Charges, Delivery, ItemWish, Money, Order, OrderState } from '../../domain/order.ts';
import { type PhonePlan, planPhones, type ReceivedPhone } from '../../domain/order-phones.ts';
import {
  chargesOf,
  conversionCharges,
  deliveryProblems,
  isSameTotal,
  itemsOf,
  mayBecome,
  modelIn,
  type OrderedThings,
  orderProblems,
  sitesOf,
} from '../../domain/order-rules.ts';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import type { View } from '../../domain/view.ts';
import type { OrderWrite, Store } from '../../store/store.ts';
import { controlProblems } from '../control-characters.ts';
import type { DirectoryRefusal } from '../directory-service.ts';
import type { EditOptions } from '../edits-while-free.ts';
import { isOtherTag } from '../entry-tag.ts';
import type { AddedPhone, NewPhone, Phones } from '../phones.ts';
import type { Log } from '../ports.ts';
import { whileStoreAnswers } from '../while-store-answers.ts';
import { changedOrderWrite, newOrderWrite, orderFrom } from './order-document.ts';

export interface OrdersDependencies {
  readonly store: Pick<Store, 'writeOrder' | 'orders'>;
  readonly phones: Pick<Phones, 'addAll' | 'convert'>;
  readonly view: Pick<View, 'directory'> & { now(): number };
  readonly catalogue: Catalogue;
  readonly log: Log;
}

/** What the customer saw. */
export type Total = Money & { readonly currency: string };

export interface OrderWish {
  readonly items: readonly ItemWish[];
  readonly delivery: Delivery;
  readonly note?: string | undefined;
  readonly total: Total;
}

export interface ConversionWish {
  readonly nickname: string;
  readonly address: CivicAddress;
  readonly delivery: Delivery;
  readonly note?: string | undefined;
  /** Absent: whatever it costs. */
  readonly total?: Total | undefined;
}

/** undefined clears what may be absent, and what is not there stays. */
export interface OrderChange {
  readonly state?: OrderState;
  readonly trackingReference?: string | undefined;
  readonly note?: string | undefined;
}

/** A phone that is ready, and the item it came from. */
export interface ReadyPhone extends AddedPhone {
  readonly item: string;
}

interface Read {
  readonly order: Order;
  readonly revision: number;
}

/** How often an edit is made anew because somebody else was first. */
const TRIES = 3;

/** Orders of phones: what the customer asks for, the operator sends, and becomes common area phones (A6, A7). */
export class Orders {
  readonly #deps: OrdersDependencies;

  constructor(deps: OrdersDependencies) {
    this.#deps = deps;
  }

  /** The price list. */
  get catalogue(): Catalogue {
    return this.#deps.catalogue;
  }

  /** What it would cost. Refused with invalidOrder or stateUnknown. */
  quote(things: OrderedThings & Pick<OrderWish, 'note'>): Charges | DirectoryRefusal {
    return this.#refusal(things) ?? chargesOf(things, this.#deps.catalogue);
  }

  /**
   * `opId`: the same for each try of one order, which is made once however often its answer gets lost. Refused with
   * invalidOrder, priceChanged, tooManyOrders, stateUnknown or storeUnavailable.
   */
  async create(
    { total, ...wish }: OrderWish,
    actor: string,
    opId?: string,
  ): Promise<Order | DirectoryRefusal> {
    const charges = this.quote(wish);
    if (isRefusal(charges)) return charges;
    const no = refuseTotal(total, charges);
    if (no) return no;
    const items = itemsOf(wish.items);
    const made = this.#newOrder(actor, { ...wish, kind: 'newPhones', items, charges, phones: [] });
    return this.#write({ ...newOrderWrite(made), opId }, { order: made, actor });
  }

  /** Refused with unknownOrder or storeUnavailable. */
  async get(id: string): Promise<Order | Refusal> {
    const read = await this.#read(id);
    return isRefusal(read) ? read : read.order;
  }

  /** Refused with invalidOrder, wrongOrderState, changedMeanwhile, unknownOrder or storeUnavailable. */
  async change(
    id: string,
    change: OrderChange,
    { actor, ifTag }: { readonly actor: string; readonly ifTag?: string | undefined },
  ): Promise<Order | DirectoryRefusal> {
    const problems = textProblems(change);
    if (problems.length > 0) return invalid(problems);
    return this.#again(async () => {
      const read = await this.#read(id);
      if (isRefusal(read)) return read;
      const { order, revision } = read;
      if (isOtherTag(order, ifTag)) return { refused: 'changedMeanwhile' };
      const { state = order.state } = change;
      if (!mayBecome(order.state, state))
        return { refused: 'wrongOrderState', detail: `it is ${order.state}` };
      // The same request once more is nothing that anybody is to be told of.
      if (isSo(order, change)) return order;
      const changed = { ...order, ...change, changedAt: this.#deps.view.now() };
      return this.#write(changedOrderWrite(changed, revision), { order: changed, actor });
    }, ifTag);
  }

  /**
   * Makes phones of an order that has come, all or none; each SIP password is told here and never again. Refused with
   * wrongOrderState, invalidOrder (row by row), unknownOrder, or what the directory refuses.
   */
  async ready(
    id: string,
    rows: readonly ReceivedPhone[],
    actor: string,
  ): Promise<{ readonly order: Order; readonly phones: readonly ReadyPhone[] } | DirectoryRefusal> {
    return this.#again(async () => {
      const { directory } = this.#deps.view;
      const read = await this.#read(id);
      if (isRefusal(read)) return read;
      if (!directory) return { refused: 'stateUnknown' };
      const { order, revision } = read;
      const no = refuseReady(order);
      if (no) return no;
      const plan = planPhones(order, rows, directory);
      if ('problems' in plan) return invalid(plan.problems);
      const changed = { ...order, items: plan.items, changedAt: this.#deps.view.now() };
      const added = await this.#add(plan, { actor, order: changedOrderWrite(changed, revision) });
      if (isRefusal(added)) return added;
      const phones = added.map((phone, i) => ({ ...phone, item: plan.phones[i]?.item.id ?? '' }));
      return { order: changed, phones };
    });
  }

  /**
   * Makes an unassigned phone a common area phone, and the order for its delivery, in one step (A7). Refused with
   * invalidOrder, priceChanged, tooManyOrders, or as Phones.convert is.
   */
  async convert(
    id: string,
    wish: ConversionWish,
    options: EditOptions,
  ): Promise<{ readonly host: Host; readonly order: string } | DirectoryRefusal> {
    const { catalogue, phones, log } = this.#deps;
    const problems = [...deliveryProblems(wish.delivery, catalogue), ...textProblems(wish)];
    if (problems.length > 0) return invalid(problems);
    const charges = conversionCharges(wish.delivery, catalogue);
    const no = wish.total && refuseTotal(wish.total, charges);
    if (no) return no;
    const { actor } = options;
    let ordered: string | undefined;
    const order = (host: Host): OrderWrite => newOrderWrite(this.#conversion(host, wish, { charges, actor }));
    const whenOrdered = (made: { readonly id: string }): void => {
      ordered = made.id;
    };
    const host = await phones.convert(id, wish, { ...options, order, whenOrdered });
    if (isRefusal(host)) {
      // Taken back because somebody sat there after all.
      if (ordered !== undefined) await this.change(ordered, { state: 'cancelled' }, { actor });
      return host;
    }
    log.info({ order: ordered, host: id, actor }, 'order created');
    return { host, order: ordered ?? '' };
  }

  #refusal(things: OrderedThings & Pick<OrderWish, 'note'>): DirectoryRefusal | undefined {
    const { catalogue, view } = this.#deps;
    if (!view.directory) return { refused: 'stateUnknown' };
    const problems = [
      ...orderProblems(things, { catalogue, directory: view.directory }),
      ...textProblems(things),
    ];
    return problems.length > 0 ? invalid(problems) : undefined;
  }

  #newOrder(
    actor: string,
    about: Pick<Order, 'kind' | 'items' | 'delivery' | 'charges' | 'phones'> & {
      readonly note?: string | undefined;
    },
  ): Omit<Order, 'id'> {
    const now = this.#deps.view.now();
    const delivery = { ...about.delivery, address: addressToKeep(about.delivery.address) };
    const times = { createdAt: now, createdBy: actor, changedAt: now };
    return { ...about, delivery, ...times, state: 'submitted', sites: sitesOf(about.items) };
  }

  #conversion(
    host: Host,
    { nickname, address, delivery, note }: ConversionWish,
    { charges, actor }: { readonly charges: Charges; readonly actor: string },
  ): Omit<Order, 'id'> {
    const { id, expansionModule, site, mac } = host;
    const { models } = this.#deps.catalogue;
    const model = models.find(({ name }) => name === host.model)?.id ?? host.model;
    const item = { id: '1', model, expansionModule, quantity: 1, site, nicknames: [nickname] };
    const macs = mac === undefined ? [] : [{ host: id, mac }];
    const items = [{ ...item, address: addressToKeep(address), macs }];
    return this.#newOrder(actor, { kind: 'conversion', items, delivery, charges, phones: [id], note });
  }

  #add(
    { phones }: PhonePlan,
    options: { readonly actor: string; readonly order: OrderWrite },
  ): Promise<readonly AddedPhone[] | DirectoryRefusal> {
    const { catalogue } = this.#deps;
    const wishes = phones.map(({ item, id, mac, nickname }): NewPhone & { readonly id: string } => ({
      ...{ id, mac, nickname, kind: 'commonArea', enabled: true, accessLevel: 'company' },
      ...{ site: item.site, address: item.address, expansionModule: item.expansionModule },
      model: modelIn(catalogue, item.model)?.name ?? item.model,
    }));
    return this.#deps.phones.addAll(wishes, options).then((added) => {
      if (!isRefusal(added) || added.problems === undefined) return added;
      return { ...added, problems: added.problems.map((text) => byRow(text, wishes)) };
    });
  }

  async #read(id: string): Promise<Read | Refusal> {
    return whileStoreAnswers(async () => {
      const [stored] = await this.#deps.store.orders([id]);
      const order = stored && orderFrom(stored);
      return order ? { order, revision: stored.revision } : { refused: 'unknownOrder' };
    });
  }

  #write(
    write: OrderWrite,
    { order, actor }: { readonly order: Omit<Order, 'id'>; readonly actor: string },
  ): Promise<Order | Refusal> {
    return whileStoreAnswers(async () => {
      const written = await this.#deps.store.writeOrder(write, actor);
      if (written.outcome === 'full') return { refused: 'tooManyOrders' };
      if (written.outcome === 'changed') return { refused: 'changedMeanwhile' };
      const { id } = written;
      this.#deps.log.info({ order: id, state: order.state, actor }, 'order written');
      return { ...order, id };
    });
  }

  /** Who does not say what they have read does not mind what others have changed meanwhile. */
  async #again<T>(work: () => Promise<T | DirectoryRefusal>, ifTag?: string): Promise<T | DirectoryRefusal> {
    for (let attempt = 1; ; attempt++) {
      const result = await work();
      const isLate = isRefusal(result) && result.refused === 'changedMeanwhile';
      if (!isLate || ifTag !== undefined || attempt >= TRIES) return result;
    }
  }
}

/** Signs that no name of a phone may have, so that none can be made of what came; a note may have lines. */
function textProblems(given: Partial<OrderedThings> & Omit<OrderChange, 'state'>): string[] {
  const { items = [], delivery, note = '', trackingReference } = given;
  const texts = {
    items: items.map(({ nicknames }) => ({ nicknames })),
    delivery: { attention: delivery?.attention },
    note: note.replace(/[\r\n\t]/g, ' '),
    trackingReference,
  };
  return Object.entries(texts).flatMap(([name, part]) => controlProblems(`order:${name}`, part));
}

function isSo(order: Order, change: OrderChange): boolean {
  const { state = order.state } = change;
  const isSame = (key: 'trackingReference' | 'note'): boolean =>
    !(key in change) || change[key] === order[key];
  return state === order.state && isSame('trackingReference') && isSame('note');
}

function refuseTotal(seen: Total, now: Charges): Refusal | undefined {
  if (isSameTotal(seen, now)) return undefined;
  const { once, monthly, currency } = now;
  return {
    refused: 'priceChanged',
    detail: `now ${once} once and ${monthly} monthly, in the smallest unit of ${currency}`,
  };
}

function refuseReady({ kind, state }: Order): Refusal | undefined {
  if (kind === 'conversion') return { refused: 'wrongOrderState', detail: 'its phone is known already' };
  return state === 'received' ? undefined : { refused: 'wrongOrderState', detail: `it is ${state}` };
}

function invalid(problems: readonly string[]): DirectoryRefusal {
  return { refused: 'invalidOrder', detail: problems[0] ?? 'not valid', problems };
}

/** What the directory says of a phone, by the row it came from. */
function byRow(text: string, wishes: readonly { readonly id: string }[]): string {
  const row = wishes.findIndex(({ id }) => text.startsWith(`host:${id}.`) || text.startsWith(`host:${id}:`));
  const host = wishes[row];
  return host ? text.replace(`host:${host.id}`, `order:phones.${row}`) : text;
}
