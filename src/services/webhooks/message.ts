import { z } from 'zod';
import type { ChangeEvent } from '../../domain/association.ts';
import type { CivicAddress } from '../../domain/directory.ts';
import type { EmergencyStage } from '../../domain/emergency-record.ts';
import { ORDER_KINDS, ORDER_STATES } from '../../domain/order.ts';

/** What a webhook is told, and the names changes have outside: in webhooks, in the audit and in the API. */

export const EVENT_TYPES = [
  'association.started',
  'association.ended',
  'association.extended',
  'directory.changed',
  'security.notice',
  'emergency.placed',
  'emergency.answered',
  'emergency.failed',
  'emergency.called-back',
  'emergency.acknowledged',
  'order.created',
  'order.changed',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

const TYPE_OF = {
  start: 'association.started',
  end: 'association.ended',
  extend: 'association.extended',
  directory: 'directory.changed',
  notice: 'security.notice',
} as const satisfies Record<Exclude<ChangeEvent['kind'], 'emergency' | 'order'>, EventType>;

/** Each stage has a type of its own. */
const EMERGENCY_TYPE = {
  placed: 'emergency.placed',
  answered: 'emergency.answered',
  failed: 'emergency.failed',
  calledBack: 'emergency.called-back',
  acknowledged: 'emergency.acknowledged',
} as const satisfies Record<EmergencyStage, EventType>;

const ORDER_TYPE = { created: 'order.created', changed: 'order.changed' } as const;

const KIND_OF: ReadonlyMap<EventType, ChangeEvent['kind']> = new Map([
  ...Object.entries(TYPE_OF).map(([kind, type]) => [type, kind as keyof typeof TYPE_OF] as const),
  ...Object.values(EMERGENCY_TYPE).map((type) => [type, 'emergency'] as const),
  ...Object.values(ORDER_TYPE).map((type) => [type, 'order'] as const),
]);

/** The types a kind of change may have: one, but for emergency calls and orders. */
export function typesOf(kind: ChangeEvent['kind']): readonly EventType[] {
  if (kind === 'emergency') return Object.values(EMERGENCY_TYPE);
  return kind === 'order' ? Object.values(ORDER_TYPE) : [TYPE_OF[kind]];
}

/** Stages of emergency calls among these types; undefined: all of them, or none is asked for. */
export function stagesOf(types: readonly EventType[]): readonly EmergencyStage[] | undefined {
  const all = Object.keys(EMERGENCY_TYPE) as EmergencyStage[];
  const stages = all.filter((stage) => types.includes(EMERGENCY_TYPE[stage]));
  return stages.length === 0 || stages.length === all.length ? undefined : stages;
}

/** The types a webhook asks for; empty: all. */
export function typesOfWebhook({ events, emergencyStages }: AskedFor): readonly EventType[] {
  const stages = emergencyStages?.map((stage) => EMERGENCY_TYPE[stage]);
  return events.flatMap((kind) => (kind === 'emergency' && stages ? stages : typesOf(kind)));
}

interface AskedFor {
  readonly events: readonly ChangeEvent['kind'][];
  readonly emergencyStages?: readonly EmergencyStage[];
}

/** The type of this change. */
export function typeOf(event: ChangeEvent): EventType {
  if (event.kind === 'emergency') return EMERGENCY_TYPE[event.stage];
  return event.kind === 'order' ? ORDER_TYPE[event.change] : TYPE_OF[event.kind];
}

/** Kinds of change that have any of these types, each once. */
export function kindsOf(types: readonly EventType[]): ChangeEvent['kind'][] {
  return [...new Set(types.flatMap((type) => KIND_OF.get(type) ?? []))];
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

const emergencyCall = z.object({
  actor,
  stage: z
    .enum(['placed', 'answered', 'failed', 'calledBack', 'acknowledged'])
    .describe(
      '`answered` and `failed`: how the call out ended; `calledBack`: somebody rang the desk; `acknowledged`: an administrator has seen it.',
    ),
  record: z.string().describe('The same for all stages of one call.'),
  number: z.string().describe('As dialled.'),
  host: z.string().nullable().describe('Host id; null: a phone nobody knows.'),
  nickname: z.string().nullable(),
  site: z.string().nullable(),
  callbackNumber: z.string().nullable(),
  address: z
    .object({
      customerName: z.string(),
      houseNumber: z.string(),
      street: z.string(),
      city: z.string(),
      state: z.string().nullable(),
      postcode: z.string(),
      country: z.string(),
      floor: z.string().nullable(),
      room: z.string().nullable(),
    })
    .nullable(),
  addressUnverified: z
    .boolean()
    .describe('The phone has come from another network since anybody confirmed it.'),
  guest: z.string().nullable().describe('Extension.'),
  guestName: z.string().nullable(),
  placedAt: time,
  callbackUntil: time.describe('Until then a call to the callback number rings the desk.'),
});

const phoneOrder = z.object({
  actor,
  order: z.string().describe('Id of the order; `GET /api/v1/orders/{id}` tells the rest.'),
  orderKind: z.enum(ORDER_KINDS),
  state: z.enum(ORDER_STATES),
  sites: z.array(z.string()).describe('Ids of the sites it is for.'),
});

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
        notice: z.enum([
          'lockedOut',
          'guessing',
          'unlocked',
          'passcodeSet',
          'signedIn',
          'passwordSet',
          'sessionsEnded',
          'signInFailed',
          'codesOn',
          'codesOff',
          'locationUnverified',
          'locationVerified',
        ]),
        guest: z.string().nullable(),
        host: z.string().nullable(),
      }),
    }),
    z.object({ ...head, type: z.enum(Object.values(EMERGENCY_TYPE)), data: emergencyCall }),
    z.object({ ...head, type: z.enum(Object.values(ORDER_TYPE)), data: phoneOrder }),
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
    case 'emergency':
      return { type: EMERGENCY_TYPE[event.stage], data: emergencyOf(event) };
    case 'order': {
      const { order, facts } = event;
      const { kind: orderKind, state, sites } = facts;
      return {
        type: ORDER_TYPE[event.change],
        data: { actor: who, order, orderKind, state, sites: [...sites] },
      };
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

function emergencyOf({ actor: who, stage, record }: Extract<ChangeEvent, { kind: 'emergency' }>) {
  const { id, number, host, nickname, site, callbackNumber, address, addressUnverified, guest } = record;
  return {
    actor: who,
    stage,
    record: id,
    number,
    host: host ?? null,
    nickname: nickname ?? null,
    site: site ?? null,
    callbackNumber: callbackNumber ?? null,
    address: address ? addressOf(address) : null,
    addressUnverified,
    guest: guest?.extension ?? null,
    guestName: guest?.name ?? null,
    placedAt: iso(record.at),
    callbackUntil: iso(record.callbackUntil),
  };
}

function addressOf({ state, floor, room, ...address }: CivicAddress) {
  return { ...address, state: state ?? null, floor: floor ?? null, room: room ?? null };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
