import { z } from 'zod';
import { CHARGE_KEYS, ORDER_KINDS, ORDER_STATES, type Order } from '../../domain/order.ts';
import { isFinished } from '../../domain/order-rules.ts';
import type { OrderWrite, StoredOrder } from '../../store/store.ts';

/** Orders as the store keeps them; checked when they are read, since other hands may have written them. */

const text = z.string();
const whole = z.int().min(0);

const address = z.object({
  ...{ customerName: text, houseNumber: text, street: text, city: text, postcode: text, country: text },
  ...{ state: text.optional(), floor: text.optional(), room: text.optional() },
});

const item = z.object({
  id: text,
  model: text,
  expansionModule: z.boolean(),
  quantity: whole,
  site: text,
  address,
  nicknames: z.array(text).optional(),
  macs: z.array(z.object({ host: text, mac: text })),
});

const order = z.object({
  kind: z.enum(ORDER_KINDS),
  state: z.enum(ORDER_STATES),
  items: z.array(item),
  delivery: z.object({ address, attention: text.optional(), shippingMethod: text }),
  charges: z.object({
    lines: z.array(
      z.object({
        ...{ key: z.enum(CHARGE_KEYS), item: text.optional(), quantity: whole },
        ...{ once: whole, monthly: whole },
      }),
    ),
    ...{ once: whole, monthly: whole, currency: text },
  }),
  createdAt: whole,
  createdBy: text,
  changedAt: whole,
  trackingReference: text.optional(),
  note: text.optional(),
  phones: z.array(text),
  sites: z.array(text),
}) satisfies z.ZodType<Omit<Order, 'id'>>;

/** Undefined for what is no order. */
export function orderFrom({ id, value }: StoredOrder): Order | undefined {
  const parsed = order.safeParse(value);
  return parsed.success ? { id, ...parsed.data } : undefined;
}

/** An order that is new. */
export function newOrderWrite(made: Omit<Order, 'id'>): OrderWrite {
  const { kind, state, sites } = made;
  return { value: made, facts: { kind, state, sites }, finished: isFinished(made) };
}

/** An order that changes, unless somebody else was first. */
export function changedOrderWrite({ id, ...value }: Order, ifRevision: number): OrderWrite {
  return { ...newOrderWrite(value), id, ifRevision };
}
