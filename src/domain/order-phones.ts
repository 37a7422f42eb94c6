import type { Directory } from './directory.ts';
import { heldBy } from './holder.ts';
import { macOf } from './mac.ts';
import type { Order, OrderItem } from './order.ts';
import { phonesThere } from './order-rules.ts';

/** A phone that has come, and what it is to be. */
export interface ReceivedPhone {
  /** Of the order. */
  readonly item: string;
  readonly mac: string;
  readonly id?: string | undefined;
  readonly nickname?: string | undefined;
}

/** A phone to be made. */
export interface PlannedPhone {
  readonly item: OrderItem;
  readonly id: string;
  readonly mac: string;
  readonly nickname: string;
}

export interface PhonePlan {
  readonly phones: readonly PlannedPhone[];
  /** With the phones in them. */
  readonly items: readonly OrderItem[];
}

/** Which phones an order becomes; or everything that is wrong, row by row: `order:phones.0.mac: …`. */
export function planPhones(
  order: Order,
  rows: readonly ReceivedPhone[],
  { hosts }: Pick<Directory, 'hosts'>,
): PhonePlan | { readonly problems: readonly string[] } {
  const items = order.items.map((item) => ({ ...item, macs: phonesThere(item, { hosts }) }));
  const checked = new Rows(order, { items, hosts });
  const found = rows.map((row, i) => checked.take(row, `order:phones.${i}`));
  const problems = found.flatMap((one) => ('problems' in one ? one.problems : []));
  if (problems.length > 0) return { problems };
  const phones = found.flatMap((one) => ('problems' in one ? [] : [one]));
  return { phones, items: items.map((item) => withPhones(item, phones)) };
}

function withPhones(item: OrderItem, phones: readonly PlannedPhone[]): OrderItem {
  const own = phones.filter((phone) => phone.item.id === item.id);
  return { ...item, macs: [...item.macs, ...own.map(({ id, mac }) => ({ host: id, mac }))] };
}

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Row after row, each held against the directory and the rows before it. */
class Rows {
  readonly #order: Order;
  readonly #items: ReadonlyMap<string, OrderItem>;
  readonly #hosts: Directory['hosts'];
  readonly #holders: Map<string, string>;
  readonly #ids = new Set<string>();
  /** How many phones of each item there are, with those of these rows. */
  readonly #counts: Map<string, number>;

  constructor(
    order: Order,
    { items, hosts }: { readonly items: readonly OrderItem[]; readonly hosts: Directory['hosts'] },
  ) {
    this.#order = order;
    this.#items = new Map(items.map((item) => [item.id, item]));
    this.#hosts = hosts;
    this.#counts = new Map(items.map(({ id, macs }) => [id, macs.length]));
    this.#holders = new Map(
      [...hosts.values()].flatMap(({ id, mac }) => (mac === undefined ? [] : [[mac, id] as const])),
    );
  }

  take(row: ReceivedPhone, path: string): PlannedPhone | { readonly problems: readonly string[] } {
    const item = this.#items.get(row.item);
    const mac = macOf(row.mac);
    const id = row.id ?? (mac === undefined ? undefined : `cp${mac}`);
    const problems = [
      ...(item ? this.#countProblems(item, path) : [`${path}.item: no such item in this order`]),
      ...this.#macProblems(mac, path),
      ...this.#idProblems(row, id, path),
    ];
    if (mac !== undefined && !this.#holders.has(mac)) this.#holders.set(mac, id ?? 'another row');
    if (id !== undefined) this.#ids.add(id);
    if (problems.length > 0 || !item || mac === undefined || id === undefined) return { problems };
    return { item, id, mac, nickname: row.nickname ?? this.#nickname(item) };
  }

  #countProblems(item: OrderItem, path: string): string[] {
    const count = (this.#counts.get(item.id) ?? 0) + 1;
    this.#counts.set(item.id, count);
    return count > item.quantity ? [`${path}.item: is complete: ${item.quantity} ordered`] : [];
  }

  #macProblems(mac: string | undefined, path: string): string[] {
    if (mac === undefined) return [`${path}.mac: is no MAC address; twelve hex digits are needed`];
    const holder = this.#holders.get(mac);
    return holder === undefined ? [] : [`${path}.mac: ${heldBy('MAC', holder)}`];
  }

  /** An id made of a MAC says the same as the MAC does. */
  #idProblems(row: ReceivedPhone, id: string | undefined, path: string): string[] {
    if (id !== undefined && !ID.test(id))
      return [`${path}.id: must be letters, digits, dots, dashes or underscores`];
    const isTaken = id !== undefined && (this.#hosts.has(id) || this.#ids.has(id));
    if (!isTaken || (row.id === undefined && this.#holders.has(id.slice(2)))) return [];
    return [`${path}.id: ${id} is taken already`];
  }

  #nickname(item: OrderItem): string {
    const count = this.#counts.get(item.id) ?? 1;
    return item.nicknames?.[count - 1] ?? `${this.#order.id} ${item.id}-${count}`;
  }
}
