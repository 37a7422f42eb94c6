import { z } from 'zod';
import { EVENT_TYPES } from '../services/webhooks/message.ts';
import { time } from './schemas.ts';

/** What the API takes and gives about the past. */

const withSeconds = z.iso.datetime({ offset: true });
const toTheMinute = z.iso.datetime({ offset: true, precision: -1 });

/** A `+` in a query is a blank by the time it arrives, unless it was written %2B. */
export function instantOf(text: string): number {
  return Date.parse(text.replace(' ', '+'));
}

const instant = (description: string) =>
  z.exactOptional(
    z
      .string()
      .max(40)
      .refine((text) => {
        const written = text.replace(' ', '+');
        return withSeconds.safeParse(written).success || toTheMinute.safeParse(written).success;
      }, 'expected an instant with its zone, such as 2026-11-03T14:05Z')
      .describe(`${description} ISO 8601 with zone, such as 2026-11-03T14:05Z.`),
  );

const who = {
  host: z.exactOptional(z.string().min(1).max(64).describe('Host id.')),
  guest: z.exactOptional(z.string().min(1).max(64).describe('Extension.')),
  site: z.exactOptional(
    z.string().min(1).max(64).describe('What was at this site, or is about a phone or person of it.'),
  ),
};
const period = {
  from: instant('Not before this.'),
  to: instant('Not after this.'),
};
const page = {
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.exactOptional(z.string().min(1).max(200).describe('`next` of the page before.')),
};
const kind = z.exactOptional(
  z
    .union([z.enum(EVENT_TYPES), z.array(z.enum(EVENT_TYPES)).min(1).max(EVENT_TYPES.length)])
    .describe('Only these; may be given several times. The same words as the type of webhook events.'),
);
const lastAt = instant('The last changes up to this moment: the same as `to`.');

interface Period {
  readonly from?: string;
  readonly to?: string;
  readonly at?: string;
}

/** Says which of two parameters is at fault. */
function checkPeriod({ from, to, at }: Period, context: z.RefinementCtx): void {
  const problem = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  if (from !== undefined && to !== undefined && instantOf(from) > instantOf(to)) {
    problem('to', 'expected nothing before from');
  }
  if (at !== undefined && (from ?? to) !== undefined) problem('at', 'expected either at, or from and to');
}

export const auditQuery = z
  .strictObject({ ...who, ...period, at: lastAt, kind, ...page })
  .superRefine(checkPeriod);
export const auditExportQuery = z
  .strictObject({ ...who, ...period, at: lastAt, kind })
  .superRefine(checkPeriod);
const stayAt = instant('Who sat where at this moment.');
export const stayQuery = z.strictObject({ ...who, ...period, at: stayAt, ...page }).superRefine(checkPeriod);
export const stayExportQuery = z.strictObject({ ...who, ...period, at: stayAt }).superRefine(checkPeriod);

const NAME =
  'As it was when the association began or the call was placed; as it is now where the log has not kept it. null: nobody knows.';
const hostName = z.object({
  id: z.string(),
  nickname: z.string().nullable().describe(NAME),
});
const guestName = z.object({
  extension: z.string(),
  name: z.string().nullable().describe(NAME),
});

export const auditEntry = z
  .object({
    seq: z.int().describe('Position in the log; no two entries have the same.'),
    at: time,
    kind: z.enum(EVENT_TYPES),
    reason: z.string().nullable().describe('Why, which notice, or how far an emergency call is.'),
    actor: z
      .string()
      .describe('Who did it: `guest`, `ttl` (the deadline), `system`, `admin:<name>`, `node:<id>`.'),
    host: hostName.nullable(),
    guest: guestName.nullable(),
    site: z.string().nullable(),
    generation: z.int().nullable().describe('The same in all entries about one association.'),
    startedAt: time.nullable(),
    expiresAt: time.nullable(),
    previousHost: hostName.nullable().describe('Host the guest has left by this.'),
    entries: z.array(z.string()).nullable().describe('Entries of the directory that have changed.'),
  })
  .meta({ id: 'AuditEntry' });

const next = z.string().nullable().describe('Cursor of the page that follows; null: that was all.');

export const auditPage = z.object({
  entries: z
    .array(auditEntry)
    .describe('Newest first. A page may hold fewer than asked for, and still have a next.'),
  next,
});

export const stay = z
  .object({
    host: hostName,
    guest: guestName,
    site: z.string(),
    generation: z.int(),
    startedAt: time,
    endedAt: time.nullable().describe('null: still there.'),
    reason: z
      .enum(['moved', 'takenOver', 'expired', 'loggedOut', 'released'])
      .nullable()
      .describe('Why it ended.'),
    movedFrom: hostName.nullable().describe('Host the guest came from.'),
  })
  .meta({ id: 'Stay', description: 'Who sat where, from when to when.' });

export const stayPage = z.object({
  sessions: z
    .array(stay)
    .describe(
      'Those still there first, then the last ended first. A page may be short, even empty, and have a next.',
    ),
  next,
});

export const csvText = z.string().describe('A line per change, newest first; at most 100 000.');
export const stayCsvText = z.string().describe('A line per stay, in the order of the list; at most 100 000.');
