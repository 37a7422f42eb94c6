import { z } from 'zod';
import type { CivicAddress } from '../../domain/directory.ts';
import type { EmergencyRecord } from '../../domain/emergency-record.ts';

const time = z.number().int().nonnegative();
const text = z.string().max(200);
/** JSON has no `undefined`: what is absent is put back. */
const maybe = text.optional();

const address = z.object({
  customerName: text,
  houseNumber: text,
  street: text,
  city: text,
  state: maybe,
  postcode: text,
  country: text,
  floor: maybe,
  room: maybe,
} satisfies Record<keyof CivicAddress, z.ZodType>);

/** An emergency record as JSON brings it back. */
export const emergencyRecord = z
  .object({
    id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
    number: text,
    host: maybe,
    nickname: maybe,
    site: maybe,
    callbackNumber: maybe,
    address: address.optional(),
    addressUnverified: z.boolean(),
    guest: z.object({ extension: text, name: text }).optional(),
    at: time,
    callbackUntil: time,
  } satisfies Record<keyof EmergencyRecord, z.ZodType>)
  .transform(
    (read): EmergencyRecord => ({
      ...read,
      host: read.host,
      nickname: read.nickname,
      site: read.site,
      callbackNumber: read.callbackNumber,
      address: read.address,
      guest: read.guest,
    }),
  );

export const emergencyStage = z.enum(['placed', 'answered', 'failed', 'calledBack', 'acknowledged']);
