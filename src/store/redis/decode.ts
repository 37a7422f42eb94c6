import { z } from 'zod';
import type { Association, ChangeEvent } from '../../domain/association.ts';
import type { BindingSet } from '../../domain/binding.ts';

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

/** JSON value of a host in the records hash. */
const record = z.object({ g: id, gen: whole, at: whole, dl: deadline, site: z.string() });

const changeBase = z.object({ seq: whole, at: whole, actor: z.string() });

const change = changeBase.extend({
  host: id,
  guest: id,
  site: z.string(),
  gen: whole,
  since: whole,
  dl: deadline,
});

const startEvent = change.extend({
  kind: z.literal('start'),
  reason: z.enum(['logIn', 'move']),
  prev: z.string(),
});

const endEvent = change.extend({
  kind: z.literal('end'),
  reason: z.enum(['moved', 'renewed', 'takenOver', 'expired', 'loggedOut', 'released']),
});

const logEntry = z.discriminatedUnion('kind', [
  startEvent,
  endEvent,
  changeBase.extend({ kind: z.literal('directory') }),
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
});

const bindingSet = z.object({ version: z.number().int().nonnegative(), bindings: z.array(binding) });

const strings = z.array(z.string());
const flat = strings.refine((list) => list.length % 2 === 0);

const snapshotReply = z.union([
  z.tuple([z.literal('again'), strings]).transform(([, aors]) => ({ again: aors })),
  z
    .tuple([z.literal('ok'), whole, whole, z.string(), whole, z.string(), flat, flat, flat])
    .transform(([, now, seq, eventId, contactSeq, contactId, records, directory, contacts]) => ({
      position: { seq, eventId, contactSeq, contactId },
      now,
      records: pairs(records),
      directory: pairs(directory),
      contacts: pairs(contacts),
    })),
]);

const streamEntry = z.tuple([z.string(), flat]).transform(([entryId, fields]) => ({
  id: entryId,
  fields: Object.fromEntries(pairs(fields)) as Readonly<Record<string, string>>,
}));

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
  const { g, gen, at, dl, site } = parsed.data;
  return { host, guest: g, site, generation: gen, startedAt: at, expiresAt: dl };
}

/** The association in a script's reply: host, guest, site, gen, at, dl. */
export function decodeFacts(list: readonly string[]): Association | undefined {
  const [host, g, site, gen, at, dl] = list;
  return host === undefined ? undefined : decodeRecord(host, JSON.stringify({ g, site, gen, at, dl }));
}

/** Fields of an entry of the event stream. */
export function decodeEvent(fields: Readonly<Record<string, string>>): ChangeEvent | undefined {
  const parsed = logEntry.safeParse(fields);
  if (!parsed.success) return undefined;
  const { seq, at, actor } = parsed.data;
  if (parsed.data.kind === 'directory') return { kind: 'directory', seq, at, actor };
  const { host, guest, site, gen, since, dl } = parsed.data;
  const association = { host, guest, site, generation: gen, startedAt: since, expiresAt: dl };
  if (parsed.data.kind === 'end')
    return { kind: 'end', seq, at, actor, reason: parsed.data.reason, association };
  const { reason, prev } = parsed.data;
  return { kind: 'start', seq, at, actor, reason, association, previousHost: prev === '' ? undefined : prev };
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
