import { z } from 'zod';
import { civicAddress, time } from './schemas.ts';

/** What the API gives about emergency calls. */

export const emergency = z
  .object({
    id: z.string(),
    number: z.string().describe('As dialled.'),
    at: time.describe('When it was placed. ISO 8601, UTC.'),
    open: z.boolean().describe('A call to the callback number rings the desk.'),
    callbackUntil: time,
    callbackNumber: z.string().nullable(),
    host: z
      .object({ id: z.string(), nickname: z.string().nullable() })
      .nullable()
      .describe('As it was then; null: a phone nobody knows.'),
    site: z.string().nullable(),
    guest: z.object({ extension: z.string(), name: z.string() }).nullable().describe('Who sat there then.'),
    address: civicAddress.nullable(),
    addressUnverified: z
      .boolean()
      .describe('The phone had moved to another network since anybody confirmed the address.'),
    stages: z
      .array(
        z.object({ stage: z.enum(['placed', 'answered', 'failed', 'calledBack', 'acknowledged']), at: time }),
      )
      .describe('In order. `failed`: no trunk took the call.'),
    acknowledged: z
      .object({ by: z.string(), at: time })
      .nullable()
      .describe('Who was the first to say that they have seen it; null: nobody yet.'),
    notices: z
      .array(
        z.object({
          stage: z.enum(['placed', 'failed', 'calledBack']),
          channel: z.enum(['email', 'message']),
          to: z.string().describe('E-mail address; or host id or extension.'),
          state: z.enum(['pending', 'told', 'failed']),
          tries: z.int(),
          problem: z
            .string()
            .nullable()
            .describe('Why the last try failed; null: it did not, or there was none yet.'),
        }),
      )
      .describe('Whom this server tells, since it started. What another one tells is known there.'),
  })
  .meta({ id: 'Emergency' });

export const emergencyPath = z.object({
  id: z.string().min(1).max(64).describe('Id of the emergency call.'),
});

export const emergencies = z.object({
  emergencies: z.array(emergency).describe('Newest first; the newest thousand at most.'),
  complete: z
    .boolean()
    .describe('false: the store does not answer, so these are those this server knows of.'),
});
