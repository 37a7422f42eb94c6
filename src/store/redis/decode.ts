import { z } from 'zod';
import type { Association, ChangeEvent } from '../../domain/association.ts';
import type { Binding, BindingSet } from '../../domain/binding.ts';
import type { EmergencyRecord } from '../../domain/emergency-record.ts';
import { ORDER_KINDS, ORDER_STATES } from '../../domain/order.ts';
import { emergencyRecord, emergencyStage } from './emergency-schema.ts';

/**
 * Everything read back is checked here: Redis may hold what another version, or a person, has written.
 * Decoders answer undefined for what they cannot read, and never throw.
 */

const id = z.string().min(1);
/** A whole number as the scripts write it. */
const whole = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

const deadline = whole.transform((ms): number | 'never' => (ms === 0 ? 'never' : ms));

/** What guest and host were called when the association began; absent when an earlier version wrote it. */
const called = z
  .string()
  .transform(decodeJson)
  .pipe(z.tuple([z.string(), z.string()]))
  .transform(([guest, host]) => ({ guest, host }))
  .optional()
  .catch(undefined);

/** JSON value of a host in the records hash; without `idle` when an earlier version wrote it. */
const record = z.object({
  g: id,
  gen: whole,
  at: whole,
  dl: deadline,
  site: z.string(),
  idle: deadline.default('never'),
  n: called,
});

const changeBase = z.object({ seq: whole, at: whole, actor: z.string() });

const change = changeBase.extend({
  host: id,
  guest: id,
  site: z.string(),
  gen: whole,
  since: whole,
  dl: deadline,
  idle: deadline.default('never'),
  n: called,
});

const startEvent = change.extend({
  kind: z.literal('start'),
  reason: z.enum(['logIn', 'move']),
  prev: z.string(),
});

const endEvent = change.extend({
  kind: z.literal('end'),
  reason: z.enum(['moved', 'takenOver', 'expired', 'loggedOut', 'released']),
});

const extendEvent = change.extend({ kind: z.literal('extend'), reason: z.enum(['call', 'stay']) });

const names = z
  .string()
  .transform((text) => (text === '' ? 'all' : decodeJson(text)))
  .pipe(z.union([z.literal('all'), z.array(z.string())]));

const directoryEvent = changeBase.extend({ kind: z.literal('directory'), names: names.default('all') });

/** Names of notices. */
export const noticeName = z.enum([
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
]);

const emergencyEvent = changeBase.extend({
  kind: z.literal('emergency'),
  stage: emergencyStage,
  record: z.string().transform(decodeJson).pipe(emergencyRecord),
});

/** What the log says of an order. */
export const orderFacts = z.object({
  kind: z.enum(ORDER_KINDS),
  state: z.enum(ORDER_STATES),
  sites: z.array(z.string()),
});

const orderEvent = changeBase.extend({
  kind: z.literal('order'),
  change: z.enum(['created', 'changed']),
  order: id,
  orderKind: orderFacts.shape.kind,
  state: orderFacts.shape.state,
  sites: z.string().transform(decodeJson).pipe(orderFacts.shape.sites),
});

const noticeEvent = changeBase.extend({
  kind: z.literal('notice'),
  reason: noticeName,
  host: z.string(),
  guest: z.string(),
});

const logEntry = z.discriminatedUnion('kind', [
  startEvent,
  endEvent,
  extendEvent,
  directoryEvent,
  emergencyEvent,
  orderEvent,
  noticeEvent,
]);

const binding = z.object({
  contact: id,
  callId: z.string(),
  cseq: z.number().int().nonnegative(),
  expiresAt: z.number().int().nonnegative(),
  q: z.number().min(0).max(1),
  flow: z.object({
    protocol: z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']),
    address: id,
    port: z.number().int().min(0).max(65_535),
  }),
  path: z.array(z.string()),
  userAgent: z.string(),
  instance: z.string().optional(),
  regId: z.number().int().nonnegative().optional(),
} satisfies Record<keyof Binding, z.ZodType>);

const bindingSet = z.object({ version: z.number().int().nonnegative(), bindings: z.array(binding) });

const strings = z.array(z.string());
const flat = strings.refine((list) => list.length % 2 === 0);

const snapshotReply = z.union([
  z.tuple([z.literal('again'), strings]).transform(([, aors]) => ({ again: aors })),
  z
    .tuple([z.literal('ok'), whole, whole, z.string(), whole, z.string(), flat, flat, flat, flat])
    .transform(([, now, seq, eventId, contactSeq, contactId, records, contacts, emergencies, seen]) => ({
      position: { seq, eventId, contactSeq, contactId },
      now,
      records: pairs(records),
      contacts: pairs(contacts),
      emergencies: pairs(emergencies),
      seen: pairs(seen),
    })),
]);

const streamEntry = z.tuple([z.string(), flat]).transform(([entryId, fields]) => ({
  id: entryId,
  fields: Object.fromEntries(pairs(fields)) as Readonly<Record<string, string>>,
}));

const scanReply = z
  .tuple([z.string(), flat])
  .transform(([cursor, entries]) => ({ cursor, entries: pairs(entries) }));

const valuesReply = z.array(z.string().nullable());

const readReply = z
  .array(z.tuple([z.string(), z.array(streamEntry)]))
  .nullable()
  .transform((streams) => new Map(streams ?? []));

export type SnapshotReply = z.output<typeof snapshotReply>;
export type StreamEntry = z.output<typeof streamEntry>;

/** Reply of the snapshot script. */
export function decodeSnapshot(reply: unknown): SnapshotReply | undefined {
  return snapshotReply.safeParse(reply).data;
}

/** Reply of XREAD: stream key to its new entries, empty when nothing came. */
export function decodeRead(reply: unknown): ReadonlyMap<string, readonly StreamEntry[]> | undefined {
  return readReply.safeParse(reply).data;
}

/** Reply of HSCAN. */
export function decodeScan(reply: unknown): z.output<typeof scanReply> | undefined {
  return scanReply.safeParse(reply).data;
}

/** Reply of HMGET. */
export function decodeValues(reply: unknown): readonly (string | null)[] | undefined {
  return valuesReply.safeParse(reply).data;
}

/** A script's reply that is a list of strings. */
export function decodeStrings(reply: unknown): readonly string[] | undefined {
  return strings.safeParse(reply).data;
}

/** JSON, or undefined. */
export function decodeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A value of the records hash. */
export function decodeRecord(host: string, text: string): Association | undefined {
  const parsed = record.safeParse(decodeJson(text));
  if (!parsed.success) return undefined;
  const { g, gen, at, dl, site, idle, n: names } = parsed.data;
  const association = { host, guest: g, site, generation: gen, startedAt: at, expiresAt: dl };
  return { ...association, idleLimitMs: idle, ...(names && { names }) };
}

/** How many strings tell an association in a script's reply. */
export const FACTS = 7;

/** The association in a script's reply: host, guest, site, gen, at, dl, idle. */
export function decodeFacts(list: readonly string[]): Association | undefined {
  const [host, g, site, gen, at, dl, idle] = list;
  return host === undefined ? undefined : decodeRecord(host, JSON.stringify({ g, site, gen, at, dl, idle }));
}

const KINDS: ReadonlySet<string> = new Set([
  'start',
  'end',
  'extend',
  'directory',
  'emergency',
  'order',
  'notice',
]);

/**
 * Position of an entry of a kind that a later version has added; undefined: it is of a kind known here, or must not be left
 * out. Whoever adds a kind that changes what earlier versions follow (who sits where, the directory, emergency records)
 * writes a field `reload` with it.
 */
export function laterKindAt({ seq, kind, reload }: Readonly<Record<string, string>>): number | undefined {
  return kind === undefined || kind === '' || KINDS.has(kind) || reload !== undefined
    ? undefined
    : decodeWhole(seq);
}

/** Fields of an entry of the event stream. */
export function decodeEvent(fields: Readonly<Record<string, string>>): ChangeEvent | undefined {
  const parsed = logEntry.safeParse(fields);
  if (!parsed.success) return undefined;
  const entry = parsed.data;
  const { seq, at, actor } = entry;
  switch (entry.kind) {
    case 'directory':
      return { kind: 'directory', seq, at, actor, entries: entry.names };
    case 'emergency':
      return { kind: 'emergency', seq, at, actor, stage: entry.stage, record: entry.record };
    case 'order': {
      const { orderKind: kind, state, sites, order, change: made } = entry;
      return { kind: 'order', seq, at, actor, change: made, order, facts: { kind, state, sites } };
    }
    case 'notice': {
      const about = { extension: entry.guest || undefined, host: entry.host || undefined };
      return { kind: 'notice', seq, at, actor, notice: entry.reason, ...about };
    }
    case 'end':
      return { kind: 'end', seq, at, actor, reason: entry.reason, association: associationIn(entry) };
    case 'extend':
      return { kind: 'extend', seq, at, actor, reason: entry.reason, association: associationIn(entry) };
    case 'start': {
      const previousHost = entry.prev || undefined;
      const association = associationIn(entry);
      return { kind: 'start', seq, at, actor, reason: entry.reason, association, previousHost };
    }
  }
}

function associationIn(entry: z.output<typeof change>): Association {
  const { host, guest, site, gen, since, dl, idle, n: names } = entry;
  const association = { host, guest, site, generation: gen, startedAt: since, expiresAt: dl };
  return { ...association, idleLimitMs: idle, ...(names && { names }) };
}

/** A value of the hash of emergency records. */
export function decodeEmergency(text: string): EmergencyRecord | undefined {
  return emergencyRecord.safeParse(decodeJson(text)).data;
}

/** Value of a contact key, or the `set` field of an entry of the contact stream. */
export function decodeBindings(text: string): BindingSet | undefined {
  return bindingSet.safeParse(decodeJson(text)).data;
}

/** A whole number as the scripts write it. */
export function decodeWhole(text: string | undefined): number | undefined {
  return whole.safeParse(text).data;
}

function pairs(list: readonly string[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i]!, list[2 * i + 1]!]);
}
