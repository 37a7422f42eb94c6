import { z } from 'zod';
import { EVENT_TYPES, webhookMessage } from '../services/webhooks/message.ts';
import { time } from './schemas.ts';

/** What the API takes and gives about webhooks. No answer holds a secret but the one that makes it. */

const url = z
  .string()
  .min(1)
  .max(2_000)
  .describe(
    'https, without user name and password; the server’s configuration says which networks it may be in.',
  );
const events = z
  .array(z.enum(EVENT_TYPES))
  .max(EVENT_TYPES.length)
  .describe(
    'Types of event that are sent; empty: all, also those a later version adds. Those of emergency calls come together, and those of orders: who asks for one of them gets all.',
  );
const enabled = z
  .boolean()
  .describe(
    'false: paused. What happens meanwhile is sent when it goes on, as far as the audit still has it.',
  );
const secret = z
  .string()
  .describe('Shown here and never again. Signs every request: verify it with any Standard Webhooks library.');

const fields = {
  id: z.string(),
  url: z.string(),
  events,
  enabled,
  status: z
    .object({
      lastTriedAt: time.nullable(),
      lastDeliveredAt: time.nullable(),
      lastStatus: z.int().nullable().describe('HTTP status of the last try; null: there was no answer.'),
      lastProblem: z.string().nullable().describe('null: the last try was well.'),
      consecutiveFailures: z.int(),
    })
    .describe(
      'Since this server started. Of several servers one delivers to a webhook at a time; the others know nothing of it.',
    ),
};

export const webhook = z.object(fields).meta({ id: 'Webhook' });
export const webhooks = z.object({ webhooks: z.array(webhook) });
export const newWebhook = z.object({ ...fields, secret }).meta({ id: 'NewWebhook' });
export const webhookSecret = z.object({ secret }).meta({ id: 'WebhookSecret' });

export const webhookPath = z.object({ id: z.string().min(1).max(64).describe('Id of the webhook.') });
export const webhookWish = z.strictObject({
  url,
  events: events.default([]),
  enabled: enabled.default(true),
});
export const webhookChange = z
  .strictObject({
    url: z.exactOptional(url),
    events: z.exactOptional(events),
    enabled: z.exactOptional(enabled),
  })
  .refine((change) => Object.keys(change).length > 0, 'expected something to change');

export const webhookTest = z
  .object({
    delivered: z.boolean(),
    status: z.int().nullable().describe('null: there was no answer.'),
    problem: z.string().nullable(),
    durationMs: z.int(),
  })
  .meta({ id: 'WebhookTest' });

export const deliveryQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(50) });
export const deliveries = z.object({
  deliveries: z
    .array(
      z.object({
        at: time,
        message: z.string().describe('Id of the message, as sent in Webhook-Id.'),
        type: z.string(),
        cause: z
          .enum(['change', 'test', 'resend'])
          .describe('Something happened; somebody tried the webhook; a dead letter was sent again.'),
        try: z.int().describe('The first is 1.'),
        delivered: z.boolean(),
        status: z.int().nullable().describe('null: there was no answer.'),
        problem: z.string().nullable(),
        durationMs: z.int(),
        nextAt: time.nullable().describe('When it is tried again; null: it is not.'),
      }),
    )
    .describe('Newest first, of every server; the newest hundred are kept, for two weeks after the last.'),
});
export const letterPath = z.object({
  id: webhookPath.shape.id,
  letter: z
    .string()
    .regex(/^\d{1,16}-\d{1,16}$/, 'expected the id of a dead letter')
    .describe('Id of the dead letter.'),
});

export const deadLetterQuery = z.strictObject({
  webhook: z.exactOptional(z.string().min(1).max(64).describe('Of this webhook only.')),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
export const deadLetters = z.object({
  deadLetters: z
    .array(
      z.object({
        id: z.string(),
        webhook: z.string().describe('Id of the webhook.'),
        at: time.describe('When it was given up.'),
        problem: z.string(),
        message: webhookMessage.optional().describe('Absent: changes forgotten before they could be sent.'),
      }),
    )
    .describe('Newest first; the newest thousand are kept.'),
});

/** The `webhooks` part of the OpenAPI document: what we send to others. */
export const OPENAPI_WEBHOOKS = {
  event: {
    post: {
      summary: 'Something has happened',
      description: [
        'Signed as the Standard Webhooks specification says, in the headers Webhook-Id, Webhook-Timestamp and',
        'Webhook-Signature. Any 2xx answer within 10 s takes the event; redirects are not followed. Everything else is',
        'tried again after 1 s, 2 s, 4 s … 5 min, or Retry-After, 12 times or 30 min, and is then a dead letter. Until',
        'something is delivered again, each further event has one try. Order is kept.',
      ].join(' '),
      security: [],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/WebhookMessage' } } },
      },
      responses: { '2XX': { description: 'Taken.' } },
    },
  },
};
