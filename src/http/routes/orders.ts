import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Catalogue, Delivery, ItemWish, Order } from '../../domain/order.ts';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import type { OrderFilter } from '../../services/orders/order-book.ts';
import type { OrderChange, ReadyPhone } from '../../services/orders/orders.ts';
import { answerOnce, idempotencyKey, operationOf, refusedAs } from '../creation.ts';
import { addressOf } from '../entry-schemas.ts';
import { orderOf } from '../list-schemas.ts';
import * as schemas from '../order-schemas.ts';
import { maySeeOrder } from '../policy.ts';
import type { HttpServices } from '../ports.ts';
import { ifMatch, ifTagOf, tag } from '../preconditions.ts';
import { presentHost } from '../present.ts';
import {
  orderCsv,
  orderCsvHeader,
  presentCatalogue,
  presentCharges,
  presentOrder,
} from '../present-orders.ts';
import { actorOf, principalOf } from '../principal.ts';
import { problemsProblem, refuse, sendProblem } from '../problem.ts';
import { type Api, describe, factsOf } from './route.ts';

/** Fifty addresses, or five hundred phones. */
const MAX_ORDER_BYTES = 128 * 1024;
const CSV_TYPE = 'text/csv; charset=utf-8; header=present';
const EXPORTS_AT_ONCE = 4;

/** The price list, and orders of phones (A6, A7). */
export function orderRoutes(api: Api, services: HttpServices): void {
  api.get(
    '/catalogue',
    describe('Read the price list of phones', { 200: schemas.catalogue }),
    async (_request, reply) => reply.send(presentCatalogue(services.orders.catalogue)),
  );

  const quote = describe(
    'Ask what phones would cost; nothing is stored',
    { 200: schemas.charges },
    { body: schemas.quoteWish },
  );
  api.post('/order-quotes', { ...quote, bodyLimit: MAX_ORDER_BYTES }, async (request, reply) => {
    const charges = services.orders.quote(thingsOf(request.body));
    if (isRefusal(charges)) return sendProblem(reply, problemsProblem(charges, 'order:'));
    return reply.send(presentCharges(charges));
  });

  createRoute(api, services);
  listRoute(api, services);
  oneRoutes(api, services);
  readyRoute(api, services);
  csvRoutes(api, services);
}

function createRoute(api: Api, services: HttpServices): void {
  const given = { headers: idempotencyKey, body: schemas.orderWish };
  const create = describe(
    'Order phones, for the charges the customer has seen',
    { 201: schemas.order },
    given,
  );
  api.post('/orders', { ...create, bodyLimit: MAX_ORDER_BYTES }, async (request, reply) => {
    const { acknowledged: _, total, ...wish } = request.body;
    const expand = async (body: unknown) => {
      const made = await services.orders.get((body as { readonly id: string }).id);
      return isRefusal(made) ? made : { entry: made, body: presentOrder(made) };
    };
    return answerOnce(services, { request, reply, expand }, async () => {
      const things = { ...thingsOf(wish), total };
      const made = await services.orders.create(things, actorOf(request), operationOf(request));
      if (isRefusal(made)) return refusedAs(problemsProblem(made, 'order:'));
      return { status: 201, body: { id: made.id }, headers: { location: `/api/v1/orders/${made.id}` } };
    });
  });
}

function listRoute(api: Api, services: HttpServices): void {
  const list = describe('List the orders', { 200: schemas.orders }, { querystring: schemas.orderQuery });
  api.get('/orders', list, async (request, reply) => {
    const { sort, limit, cursor, ...filter } = request.query;
    const wish = { ...filterOf(request, filter), ...orderOf(sort), limit, cursor };
    const page = await services.orderBook.page(wish);
    if (isRefusal(page)) return refuse(reply, page);
    const { orders, next = null, total } = page;
    return reply.send({ orders: orders.map(presentOrder), next, total });
  });
}

function oneRoutes(api: Api, services: HttpServices): void {
  const at = { params: schemas.orderPath };
  api.get('/orders/:id', describe('Read an order', { 200: schemas.order }, at), async (request, reply) => {
    const order = await orderIn(services, request);
    if (isRefusal(order)) return refuse(reply, order);
    tag(reply, order);
    return reply.send(presentOrder(order));
  });

  const given = { ...at, headers: ifMatch, body: schemas.orderChange };
  const change = describe('Say how far an order has got', { 200: schemas.order }, given);
  api.patch('/orders/:id', change, async (request, reply) => {
    const order = await orderIn(services, request);
    if (isRefusal(order)) return refuse(reply, order);
    const options = { actor: actorOf(request), ifTag: ifTagOf(request) };
    const changed = await services.orders.change(order.id, changeOf(request.body), options);
    if (isRefusal(changed)) return sendProblem(reply, problemsProblem(changed, 'order:'));
    tag(reply, changed);
    return reply.send(presentOrder(changed));
  });
}

function readyRoute(api: Api, services: HttpServices): void {
  const ready = describe(
    'Make phones of what has come, all or none; answers each SIP password, once',
    { 201: schemas.readyPhones },
    { params: schemas.orderPath, headers: idempotencyKey, body: schemas.receivedPhones },
  );
  api.post('/orders/:id/phones', { ...ready, bodyLimit: MAX_ORDER_BYTES }, async (request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    const order = await orderIn(services, request);
    if (isRefusal(order)) return refuse(reply, order);
    let fresh: Order | undefined;
    const expand = async (body: unknown) => {
      const now = fresh ?? (await services.orders.get(order.id));
      if (isRefusal(now)) return now;
      const phones = (body as KeptPhones).phones.map(({ host, ...told }) => ({
        ...told,
        host: presentHost(facts.directory.hosts.get(host.id) ?? host, facts),
      }));
      return { entry: now, body: { order: presentOrder(now), phones } };
    };
    return answerOnce(services, { request, reply, expand }, async () => {
      const made = await services.orders.ready(order.id, request.body.phones, actorOf(request));
      if (isRefusal(made)) return refusedAs(problemsProblem(made, 'order:'));
      fresh = made.order;
      return { status: 201, body: { phones: made.phones } satisfies KeptPhones, headers: {} };
    });
  });
}

/** What cannot be told again from what there is by then. */
interface KeptPhones {
  readonly phones: readonly ReadyPhone[];
}

function csvRoutes(api: Api, services: HttpServices): void {
  const answer = {
    description: 'A line for each item.',
    content: { 'text/csv': { schema: schemas.csvText } },
  };
  const one = describe('Export an order', { 200: answer }, { params: schemas.orderPath });
  api.get('/orders/:id.csv', one, async (request, reply) => {
    const order = await orderIn(services, request);
    if (isRefusal(order)) return refuse(reply, order);
    const text = `${orderCsvHeader()}${orderCsv([order], services.orders.catalogue)}`;
    return reply.header('content-disposition', attachment(order.id)).type(CSV_TYPE).send(text);
  });

  const open = new Set<Readable>();
  // A stop does not wait for somebody who reads slowly.
  api.addHook('preClose', (done) => {
    for (const stream of open) stream.destroy();
    done();
  });
  const out = describe('Export orders', { 200: answer }, { querystring: schemas.orderCsvQuery });
  api.get('/orders.csv', out, async (request, reply) => {
    if (open.size >= EXPORTS_AT_ONCE) return refuse(reply, { refused: 'overloaded' });
    const portions = await services.orderBook.all(filterOf(request, request.query));
    if (isRefusal(portions)) return refuse(reply, portions);
    const stream = Readable.from(csvLines(portions, services.orders.catalogue));
    open.add(stream);
    stream.once('close', () => open.delete(stream));
    return reply
      .header('content-disposition', attachment('orders'))
      .type(CSV_TYPE)
      .send(stream as never);
  });
}

async function* csvLines(
  portions: AsyncIterable<readonly Order[]>,
  catalogue: Catalogue,
): AsyncGenerator<string> {
  yield orderCsvHeader();
  for await (const orders of portions) yield orderCsv(orders, catalogue);
}

function attachment(name: string): string {
  return `attachment; filename="hotdesk-${name.toLowerCase()}.csv"`;
}

/** Orders of other sites are as if they were not there. */
async function orderIn({ orders }: HttpServices, request: FastifyRequest): Promise<Order | Refusal> {
  const { id } = request.params as { readonly id: string };
  const order = await orders.get(id);
  if (isRefusal(order) || maySeeOrder(principalOf(request), order)) return order;
  return { refused: 'unknownOrder' };
}

function filterOf(request: FastifyRequest, query: Omit<OrderFilter, 'maySee'>): OrderFilter {
  const principal = principalOf(request);
  return { ...query, maySee: (order) => maySeeOrder(principal, order) };
}

/** What is ordered, without what is null in it. */
function thingsOf({ items, delivery, note }: z.output<typeof schemas.quoteWish>): {
  readonly items: readonly ItemWish[];
  readonly delivery: Delivery;
  readonly note?: string;
} {
  return {
    items: items.map((item) => ({ ...item, address: addressOf(item.address) })),
    delivery: deliveryOf(delivery),
    ...(note !== undefined && note !== '' && { note }),
  };
}

/** Where it is to go, without what is null in it. */
export function deliveryOf({
  address,
  attention,
  shippingMethod,
}: z.output<typeof schemas.quoteWish>['delivery']): Delivery {
  return { address: addressOf(address), shippingMethod, ...(attention != null && { attention }) };
}

/** null clears what may be absent. */
function changeOf({ state, trackingReference, note }: schemas.OrderChangeBody): OrderChange {
  return {
    ...(state !== undefined && { state }),
    ...(trackingReference !== undefined && { trackingReference: trackingReference || undefined }),
    ...(note !== undefined && { note: note || undefined }),
  };
}
