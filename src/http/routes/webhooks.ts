import type { z } from 'zod';
import { isRefusal } from '../../domain/reasons.ts';
import { kindsOf, typesOf } from '../../services/webhooks/message.ts';
import type { WebhookState } from '../../services/webhooks/webhooks.ts';
import type { HttpServices } from '../ports.ts';
import { actorOf } from '../principal.ts';
import { refuse } from '../problem.ts';
import { nothing } from '../schemas.ts';
import * as schemas from '../webhook-schemas.ts';
import { type Api, describe } from './route.ts';

/** Webhooks: where changes are told over HTTP, and what could not be told. */
export function webhookRoutes(api: Api, { webhooks }: HttpServices): void {
  api.get('/webhooks', describe('List the webhooks', { 200: schemas.webhooks }), async (_request, reply) => {
    const list = webhooks.list();
    return isRefusal(list) ? refuse(reply, list) : reply.send({ webhooks: list.map(present) });
  });

  const create = describe('Add a webhook', { 201: schemas.newWebhook }, { body: schemas.webhookWish });
  api.post('/webhooks', create, async (request, reply) => {
    const { url, events, enabled } = request.body;
    const made = await webhooks.create({ url, enabled, events: kindsOf(events) }, actorOf(request));
    if (isRefusal(made)) return refuse(reply, made);
    return reply.code(201).send({ ...present(made), secret: made.secret });
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
}

type Services = Pick<HttpServices, 'webhooks'>;
const AT = { params: schemas.webhookPath };

function oneWebhookRoutes(api: Api, { webhooks }: Services): void {
  api.get(
    '/webhooks/:id',
    describe('Read a webhook', { 200: schemas.webhook }, AT),
    async (request, reply) => {
      const found = webhooks.get(request.params.id);
      return isRefusal(found) ? refuse(reply, found) : reply.send(present(found));
    },
  );

  const given = { ...AT, body: schemas.webhookChange };
  const change = describe('Change a webhook', { 200: schemas.webhook }, given);
  api.patch('/webhooks/:id', change, async (request, reply) => {
    const { events, ...rest } = request.body;
    const wish = { ...rest, ...(events && { events: kindsOf(events) }) };
    const changed = await webhooks.change(request.params.id, wish, actorOf(request));
    return isRefusal(changed) ? refuse(reply, changed) : reply.send(present(changed));
  });

  const remove = describe('Remove a webhook', { 204: nothing }, AT);
  api.delete('/webhooks/:id', remove, async (request, reply) => {
    const removed = await webhooks.remove(request.params.id, actorOf(request));
    return isRefusal(removed) ? refuse(reply, removed) : reply.code(204).send();
  });
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
    if (isRefusal(result)) return refuse(reply, result);
    const { status = null, problem = null } = result;
    const durationMs = Math.round(result.durationMs);
    return reply.send({ delivered: result.delivered, status, problem, durationMs });
  });
}

/** Without its secret, sealed or not. */
function present({ webhook, status }: WebhookState): z.output<typeof schemas.webhook> {
  const { id, url, events, enabled } = webhook;
  const { lastTriedAt, lastDeliveredAt, lastStatus, lastProblem, consecutiveFailures } = status;
  return {
    id,
    url,
    enabled,
    events: events.flatMap(typesOf),
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
