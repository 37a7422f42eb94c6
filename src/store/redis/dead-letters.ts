import { z } from 'zod';
import type { Association, ChangeEvent } from '../../domain/association.ts';
import { type DeadLetter, type KeptLetter, type Store, StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeJson, noticeName, orderFacts } from './decode.ts';
import { emergencyRecord, emergencyStage } from './emergency-schema.ts';
import type { Keys } from './keys.ts';

export interface DeadLettersOptions {
  readonly link: Link;
  readonly keys: Keys;
  readonly onProblem: (text: string) => void;
}

const MOST_KEPT = 1000;
const LONGEST_PROBLEM = 500;

const whole = z.number().int().nonnegative();
const base = { seq: whole, at: whole, actor: z.string() };
const timeOrNever = z.union([whole, z.literal('never')]);

const association = z.object({
  host: z.string(),
  guest: z.string(),
  site: z.string(),
  generation: whole,
  startedAt: whole,
  expiresAt: timeOrNever,
  idleLimitMs: timeOrNever,
  names: z.exactOptional(z.object({ guest: z.string(), host: z.string() })),
} satisfies Record<keyof Association, z.ZodType>);

/** JSON has no `undefined`: what is absent is put back. */
const maybe = z.string().optional();

const event = z.discriminatedUnion('kind', [
  z
    .object({
      kind: z.literal('start'),
      ...base,
      reason: z.enum(['logIn', 'move']),
      association,
      previousHost: maybe,
    })
    .transform(({ previousHost, ...rest }) => ({ ...rest, previousHost })),
  z.object({
    kind: z.literal('end'),
    ...base,
    reason: z.enum(['moved', 'takenOver', 'expired', 'loggedOut', 'released']),
    association,
  }),
  z.object({ kind: z.literal('extend'), ...base, reason: z.enum(['call', 'stay']), association }),
  z.object({
    kind: z.literal('directory'),
    ...base,
    entries: z.union([z.array(z.string()), z.literal('all')]),
  }),
  z.object({ kind: z.literal('emergency'), ...base, stage: emergencyStage, record: emergencyRecord }),
  z.object({
    kind: z.literal('order'),
    ...base,
    change: z.enum(['created', 'changed']),
    order: z.string(),
    facts: orderFacts,
  }),
  z
    .object({
      kind: z.literal('notice'),
      ...base,
      notice: noticeName,
      extension: maybe,
      host: maybe,
    })
    .transform(({ extension, host, ...rest }) => ({ ...rest, extension, host })),
]) satisfies z.ZodType<ChangeEvent>;

const letter = z.object({
  consumer: z.string(),
  event: event.optional(),
  problem: z.string(),
  at: whole,
}) satisfies z.ZodType<DeadLetter>;

const reply = z.array(z.tuple([z.string(), z.array(z.string())]));

/** What could not be delivered, in a stream of its own that keeps the newest thousand. */
export function createDeadLetters(
  options: DeadLettersOptions,
): Pick<Store, 'addDeadLetter' | 'deadLetters' | 'dropDeadLetter'> {
  const { link, keys } = options;
  return {
    async addDeadLetter(added) {
      const json = JSON.stringify({ ...added, problem: added.problem.slice(0, LONGEST_PROBLEM) });
      await link.send('XADD', keys.deadLetters, 'MAXLEN', MOST_KEPT, '*', 'json', json);
    },
    async deadLetters(limit) {
      const most = Math.min(Math.max(1, Math.floor(limit)), MOST_KEPT);
      return decode(options, await link.send('XREVRANGE', keys.deadLetters, '+', '-', 'COUNT', most));
    },
    async dropDeadLetter(id) {
      if (!/^\d{1,16}-\d{1,16}$/.test(id)) return false;
      return (await link.send('XDEL', keys.deadLetters, id)) === 1;
    },
  };
}

function decode({ onProblem }: DeadLettersOptions, raw: unknown): KeptLetter[] {
  const parsed = reply.safeParse(raw);
  if (!parsed.success) throw new StoreUnavailable('The store gave dead letters that cannot be read');
  return parsed.data.flatMap(([id, [, json = '']]) => {
    const read = letter.safeParse(decodeJson(json));
    if (!read.success) onProblem(`Dead letter ${id} cannot be read and is left out`);
    return read.success ? [{ ...read.data, id }] : [];
  });
}
