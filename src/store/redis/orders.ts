import { MOST_ORDERS, type OrderWrite, type Store, type StoredOrder, StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeJson, decodeStrings, decodeValues, decodeWhole } from './decode.ts';
import { type Keys, orderKeys } from './keys.ts';

/** As long as idempotency keys are. */
const REMEMBERED_MS = 24 * 3_600_000;

export interface OrdersOptions {
  readonly link: Link;
  readonly keys: Keys;
  readonly maxOrders: number | undefined;
  readonly onProblem: (text: string) => void;
}

/** Orders of phones: a hash, and who of them has changed since when. No follower reads them. */
export function createOrders(options: OrdersOptions): Pick<Store, 'writeOrder' | 'orders' | 'changedOrders'> {
  const { link, keys } = options;
  return {
    async writeOrder(order, actor) {
      const reply = await link.run({
        script: 'writeOrder',
        keys: [keys.events, keys.seq, keys.history, ...orderKeys(keys), ...operationKey(order, keys)],
        args: [
          actor,
          ...orderArguments(order, options.maxOrders),
          order.opId === undefined ? '' : REMEMBERED_MS,
        ],
      });
      const [outcome, id, revision] = decodeStrings(reply) ?? [];
      if (outcome === 'changed' || outcome === 'full') return { outcome };
      const written = orderWritten(id, revision);
      if (outcome !== 'written' || !written) throw unreadable();
      return { outcome, ...written };
    },
    async orders(ids) {
      if (ids.length === 0) return [];
      const values = decodeValues(await link.send('HMGET', keys.orders, ...ids));
      if (values === undefined) throw unreadable();
      return decodeOrders(
        ids.flatMap((id, i) => [id, values[i] ?? '']),
        options,
      );
    },
    async changedOrders(after, limit) {
      const args = [Math.floor(after), Math.floor(limit)];
      const script = 'changedOrders' as const;
      const reply = await link.run({ script, keys: [keys.orders, keys.orderRevisions], args });
      const [count, ...pairs] = decodeStrings(reply) ?? [];
      const total = decodeWhole(count);
      if (total === undefined) throw unreadable();
      return { orders: decodeOrders(pairs, options), total };
    },
  };
}

function operationKey({ opId }: OrderWrite, keys: Keys): string[] {
  return opId === undefined ? [] : [keys.operation(opId)];
}

/** Arguments that tell a script of an order, or that there is none. */
export function orderArguments(order: OrderWrite | undefined, most = MOST_ORDERS): (string | number)[] {
  if (!order) return ['', '', '', '', '', '', '', most];
  const { id = 'new', ifRevision = '', value, facts, finished } = order;
  const { kind, state, sites } = facts;
  const about = [kind, state, JSON.stringify(sites), finished ? '1' : '0'];
  return [id, ifRevision, JSON.stringify(value), ...about, most];
}

/** What a script says of the order it has written. */
export function orderWritten(
  id: string | undefined,
  revision: string | undefined,
): { readonly id: string; readonly revision: number } | undefined {
  const number = decodeWhole(revision);
  return id === undefined || number === undefined ? undefined : { id, revision: number };
}

/** Id and value of each; an empty value: not there. */
function decodeOrders(pairs: readonly string[], { onProblem }: OrdersOptions): StoredOrder[] {
  const found: StoredOrder[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const [id = '', text = ''] = [pairs[i], pairs[i + 1]];
    if (text === '') continue;
    const blank = text.indexOf(' ');
    const revision = decodeWhole(text.slice(0, blank));
    const value = decodeJson(text.slice(blank + 1));
    if (revision !== undefined && value !== undefined) found.push({ id, revision, value });
    else onProblem(`The order ${JSON.stringify(id.slice(0, 64))} cannot be read and is left out`);
  }
  return found;
}

function unreadable(): StoreUnavailable {
  return new StoreUnavailable('The store gave orders that cannot be read');
}
