import type { z } from 'zod';
import { isRefusal } from '../../domain/reasons.ts';
import { type EventType, kindsOf, stagesOf, typesOfWebhook } from '../../services/webhooks/message.ts';
import type { WebhookState, WebhookTest, WebhookWish } from '../../services/webhooks/webhooks.ts';
import { answerOnce, created, idempotencyKey, refusedAs } from '../creation.ts';
import type { HttpServices } from '../ports.ts';
import { ifMatch, ifTagOf, tag } from '../preconditions.ts';
import { actorOf } from '../principal.ts';
import { problemOf, refuse } from '../problem.ts';
import { nothing } from '../schemas.ts';
import * as schemas from '../webhook-schemas.ts';
import { type Api, describe } from './route.ts';

/** Webhooks: where changes are told over HTTP, and what could not be told. */
export function webhookRoutes(api: Api, services: HttpServices): void {
  const { webhooks } = services;
  api.get('/webhooks', describe('List the webhooks', { 200: schemas.webhooks }), async (_request, reply) => {
    const list = webhooks.list();
    return isRefusal(list) ? refuse(reply, list) : reply.send({ webhooks: list.map(present) });
  });

  const given = { headers: idempotencyKey, body: schemas.webhookWish };
  const create = describe('Add a webhook', { 201: schemas.newWebhook }, given);
  api.post('/webhooks', create, async (request, reply) => {
    const { url, events, enabled } = request.body;
    return answerOnce(services, { request, reply }, async () => {
      const made = await webhooks.create({ url, enabled, ...askedFor(events) }, actorOf(request));
      if (isRefusal(made)) return refusedAs(problemOf(made));
      const { webhook, secret } = made;
      return created(`/webhooks/${webhook.id}`, webhook, { ...present(made), secret });
    });
  });

  const letters = describe(
    'List what could not be delivered',
    { 200: schemas.deadLetters },
    { querystring: schemas.deadLetterQuery },
  );
  api.get('/webhooks/dead-letters', letters, async (request, reply) => {
    const found = await webhooks.deadLetters(request.query);
    if (isRefusal(found)) return refuse(reply, found);
    return reply.send({ deadLetters: found.map((letter) => ({ ...letter, at: iso(letter.at) ?? '' })) });
  });

  oneWebhookRoutes(api, { webhooks });
  actionRoutes(api, { webhooks });
  deliveryRoutes(api, { webhooks });
}

type Services = Pick<HttpServices, 'webhooks'>;
const AT = { params: schemas.webhookPath };

function oneWebhookRoutes(api: Api, { webhooks }: Services): void {
  api.get(
    '/webhooks/:id',
    describe('Read a webhook', { 200: schemas.webhook }, AT),
    async (request, reply) => {
      const found = webhooks.get(request.params.id);
      if (isRefusal(found)) return refuse(reply, found);
      tag(reply, found.webhook);
      return reply.send(present(found));
    },
  );

  const given = { ...AT, headers: ifMatch, body: schemas.webhookChange };
  const change = describe('Change a webhook', { 200: schemas.webhook }, given);
  api.patch('/webhooks/:id', change, async (request, reply) => {
    const { events, ...rest } = request.body;
    const wish = { ...rest, ...(events && askedFor(events)) };
    const options = { actor: actorOf(request), ifTag: ifTagOf(request) };
    const changed = await webhooks.change(request.params.id, wish, options);
    if (isRefusal(changed)) return refuse(reply, changed);
    tag(reply, changed.webhook);
    return reply.send(present(changed));
  });

  const remove = describe('Remove a webhook', { 204: nothing }, AT);
  api.delete('/webhooks/:id', remove, async (request, reply) => {
    const removed = await webhooks.remove(request.params.id, actorOf(request));
    return isRefusal(removed) ? refuse(reply, removed) : reply.code(204).send();
  });
}

function deliveryRoutes(api: Api, { webhooks }: Services): void {
  const log = { ...AT, querystring: schemas.deliveryQuery };
  const list = describe('List the last tries to deliver', { 200: schemas.deliveries }, log);
  api.get('/webhooks/:id/deliveries', list, async (request, reply) => {
    const found = await webhooks.deliveries(request.params.id, request.query.limit);
    if (isRefusal(found)) return refuse(reply, found);
    const deliveries = found.map(({ at, nextAt, status = null, problem = null, ...rest }) => ({
      ...rest,
      ...{ at: iso(at) ?? '', nextAt: iso(nextAt), status, problem },
    }));
    return reply.send({ deliveries });
  });

  const letter = { params: schemas.letterPath };
  const again = describe(
    'Send a dead letter again, at once and once; one that is taken leaves the list',
    { 200: schemas.webhookTest },
    letter,
  );
  api.post('/webhooks/:id/dead-letters/:letter/delivery', again, async (request, reply) => {
    const { id, letter: dead } = request.params;
    const result = await webhooks.resend(id, dead, actorOf(request));
    return isRefusal(result) ? refuse(reply, result) : reply.send(presentResult(result));
  });
}

function presentResult(result: WebhookTest): z.output<typeof schemas.webhookTest> {
  const { delivered, status = null, problem = null, durationMs } = result;
  return { delivered, status, problem, durationMs: Math.round(durationMs) };
}

function actionRoutes(api: Api, { webhooks }: Services): void {
  const renew = describe(
    'Make a new secret; the old one is void at once',
    { 201: schemas.webhookSecret },
    AT,
  );
  api.post('/webhooks/:id/secret', renew, async (request, reply) => {
    const made = await webhooks.renewSecret(request.params.id, actorOf(request));
    return isRefusal(made) ? refuse(reply, made) : reply.code(201).send({ secret: made.secret });
  });

  const test = describe('Send a test event, at once and once', { 200: schemas.webhookTest }, AT);
  api.post('/webhooks/:id/test', test, async (request, reply) => {
    const result = await webhooks.test(request.params.id, actorOf(request));
    return isRefusal(result) ? refuse(reply, result) : reply.send(presentResult(result));
  });
}

function askedFor(types: readonly EventType[]): Pick<WebhookWish, 'events' | 'emergencyStages'> {
  return { events: kindsOf(types), emergencyStages: stagesOf(types) };
}

/** Without its secret, sealed or not. */
function present({ webhook, status }: WebhookState): z.output<typeof schemas.webhook> {
  const { id, url, enabled } = webhook;
  const { lastTriedAt, lastDeliveredAt, lastStatus, lastProblem, consecutiveFailures } = status;
  return {
    id,
    url,
    enabled,
    events: [...typesOfWebhook(webhook)],
    status: {
      lastTriedAt: iso(lastTriedAt),
      lastDeliveredAt: iso(lastDeliveredAt),
      lastStatus: lastStatus ?? null,
      lastProblem: lastProblem ?? null,
      consecutiveFailures,
    },
  };
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
