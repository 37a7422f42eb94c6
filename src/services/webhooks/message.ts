import { z } from 'zod';
import type { ChangeEvent } from '../../domain/association.ts';

/** What a webhook is told, and the names changes have outside: in webhooks, in the audit and in the API. */

export const EVENT_TYPES = [
  'association.started',
  'association.ended',
  'association.extended',
  'directory.changed',
  'security.notice',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

const TYPE_OF = {
  start: 'association.started',
  end: 'association.ended',
  extend: 'association.extended',
  directory: 'directory.changed',
  notice: 'security.notice',
} as const satisfies Record<ChangeEvent['kind'], EventType>;

const KIND_OF = Object.fromEntries(Object.entries(TYPE_OF).map(([kind, type]) => [type, kind])) as Record<
  EventType,
  ChangeEvent['kind']
>;

export function typeOf(kind: ChangeEvent['kind']): EventType {
  return TYPE_OF[kind];
}

export function kindOf(type: EventType): ChangeEvent['kind'] {
  return KIND_OF[type];
}

const time = z.iso.datetime().describe('ISO 8601, UTC.');
const actor = z
  .string()
  .describe('Who did it: `guest`, `ttl` (the deadline), `system`, `admin:<name>`, `node:<id>`.');

const associated = {
  host: z.string().describe('Host id.'),
  guest: z.string().describe('Extension.'),
  site: z.string(),
  generation: z.int().describe('The same from start to end of one association; a later one has a higher.'),
  startedAt: time,
  expiresAt: time.nullable().describe('null: no limit.'),
  actor,
};

const head = {
  id: z
    .string()
    .describe('`<company>:<seq>:<ms>`; the same each time this event is delivered, and never another’s.'),
  seq: z.int().describe('Position in the log of changes; 0 for a test.'),
  at: time.describe('When it happened. ISO 8601, UTC.'),
  company: z.string(),
};

/** The JSON body of each request to a webhook. */
export const webhookMessage = z
  .discriminatedUnion('type', [
    z.object({
      ...head,
      type: z.literal('association.started'),
      data: z.object({
        ...associated,
        reason: z.enum(['logIn', 'move']),
        previousHost: z.string().nullable().describe('Host the guest has left by this.'),
      }),
    }),
    z.object({
      ...head,
      type: z.literal('association.ended'),
      data: z.object({
        ...associated,
        reason: z.enum(['moved', 'takenOver', 'expired', 'loggedOut', 'released']),
      }),
    }),
    z.object({
      ...head,
      type: z.literal('association.extended'),
      data: z.object({ ...associated, reason: z.enum(['call', 'stay']) }),
    }),
    z.object({
      ...head,
      type: z.literal('directory.changed'),
      data: z.object({
        actor,
        entries: z
          .array(z.string())
          .nullable()
          .describe('Entries put or removed, such as `user:1001`; null: too many to name.'),
      }),
    }),
    z.object({
      ...head,
      type: z.literal('security.notice'),
      data: z.object({
        actor,
        notice: z.enum(['lockedOut', 'guessing', 'unlocked', 'passcodeSet']),
        guest: z.string().nullable(),
        host: z.string().nullable(),
      }),
    }),
    z.object({ ...head, type: z.literal('webhook.test'), data: z.object({ actor }) }),
  ])
  .meta({
    id: 'WebhookMessage',
    description:
      'Body of a request to a webhook. Delivered at least once and in order: a receiver ignores an `id` it has seen.',
  });

export type WebhookMessage = z.output<typeof webhookMessage>;

/** A change as it is told outside. */
export function messageOf(event: ChangeEvent, company: string): WebhookMessage {
  const { seq, at } = event;
  // With its time: after a fail-over the positions of entries that were lost come again.
  return { id: `${company}:${seq}:${at}`, seq, at: iso(at), company, ...contentOf(event) };
}

/** What an administrator sends to try a webhook; `id` is fresh each time. */
export function testMessage(test: {
  readonly id: string;
  readonly at: number;
  readonly company: string;
  readonly actor: string;
}): WebhookMessage {
  const { id, at, company, actor: who } = test;
  const data = { actor: who };
  return { id: `${company}:test:${id}`, seq: 0, type: 'webhook.test', at: iso(at), company, data };
}

type Content = WebhookMessage extends infer M
  ? M extends { type: infer T; data: infer D }
    ? { type: T; data: D }
    : never
  : never;

function contentOf(event: ChangeEvent): Content {
  const { actor: who } = event;
  switch (event.kind) {
    case 'start': {
      const { reason, previousHost = null } = event;
      return { type: TYPE_OF.start, data: { ...associationOf(event), reason, previousHost } };
    }
    case 'end':
      return { type: TYPE_OF.end, data: { ...associationOf(event), reason: event.reason } };
    case 'extend':
      return { type: TYPE_OF.extend, data: { ...associationOf(event), reason: event.reason } };
    case 'directory': {
      const entries = event.entries === 'all' ? null : [...event.entries];
      return { type: TYPE_OF.directory, data: { actor: who, entries } };
    }
    case 'notice': {
      const { notice, extension: guest = null, host = null } = event;
      return { type: TYPE_OF.notice, data: { actor: who, notice, guest, host } };
    }
  }
}

function associationOf({ actor: who, association }: Extract<ChangeEvent, { readonly association: unknown }>) {
  const { host, guest, site, generation, startedAt, expiresAt } = association;
  return {
    host,
    guest,
    site,
    generation,
    startedAt: iso(startedAt),
    expiresAt: expiresAt === 'never' ? null : iso(expiresAt),
    actor: who,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
