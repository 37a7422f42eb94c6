import { z } from 'zod';
import { rest } from './schemas.ts';

/** What the API takes and gives about hosts and guests, add-ons and licences. */

const licence = z.object({
  total: z.int(),
  assigned: z.int(),
  available: z.int().describe('How many more may be assigned.'),
});

export const licences = z
  .object({ hotDesk: licence, host: licence, guest: licence })
  .meta({ id: 'Licences', description: 'How many people may hold each licence, and do.' });

const addOn = z.enum(['host', 'guest']);

export const userChange = z
  .strictObject({
    addOns: z.exactOptional(z.array(addOn).max(2)).describe('All of them; what is not named is taken away.'),
    hotDeskLicence: z.exactOptional(z.boolean()),
    hotelingKeys: z
      .exactOptional(z.boolean())
      .describe('true: Guest In keys work from when the PIN is next typed or set; false: no more.'),
    name: z.exactOptional(z.string().min(1).max(100)),
    site: z.exactOptional(z.string().min(1).max(64).describe('Site id.')),
    numbers: z
      .exactOptional(z.array(z.string().max(20)).max(50))
      .describe('Direct numbers, E.164; all of them.'),
    callerId: z.exactOptional(z.string().max(20)).describe('E.164.'),
    email: z.exactOptional(z.string().max(200).nullable()).describe('null: none.'),
    plan: z.exactOptional(z.enum(['connect', 'collaborate'])),
    release: z
      .exactOptional(z.boolean())
      .describe('Whoever uses what is taken away is released first; otherwise that is refused.'),
  })
  .refine(({ release: _, ...change }) => Object.keys(change).length > 0, 'expected something to change');

export const guestChange = z
  .strictObject({
    enabled: z.exactOptional(z.boolean()).describe('false: the guest service is off.'),
    associationLimitHours: z
      .exactOptional(z.int().min(1).max(999).nullable())
      .describe('null: no limit of their own.'),
  })
  .refine((change) => Object.keys(change).length > 0, 'expected something to change');

const number = z.string().min(1).max(20);

export const callsChange = z
  .strictObject({
    mailbox: z.exactOptional(z.string().min(1).max(64).nullable()).describe('null: the extension.'),
    forwarding: z
      .exactOptional(
        z.strictObject({
          always: z.exactOptional(number.nullable()),
          unanswered: z.exactOptional(number.nullable()),
        }),
      )
      .describe('What is not there stays; null: not forwarded.'),
  })
  .refine((change) => Object.keys(change).length > 0, 'expected something to change');
export type CallsChangeBody = z.output<typeof callsChange>;

export const connectWish = z.strictObject({ host: z.string().min(1).max(64).describe('Host id.') });

export const hostsForQuery = z.strictObject({
  q: z
    .exactOptional(z.string().min(1).max(100))
    .describe(
      'Words, or how words begin: in the names of host, owner and who sits there, extension or number.',
    ),
  site: z.exactOptional(z.string().min(1).max(64).describe('Site id.')),
  free: z
    .exactOptional(z.enum(['true', 'false']))
    .describe('Only hosts with nobody, or only those with somebody there.'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.exactOptional(z.string().min(1).max(1_000).describe('`next` of the page before.')),
});

export const availableHost = z
  .object({
    id: z.string().describe('Host id.'),
    kind: z.enum(['commonArea', 'user']),
    nickname: z.string(),
    owner: z
      .object({
        extension: z.string(),
        name: z.string(),
        number: z.string().nullable().describe('Direct number, E.164.'),
      })
      .nullable()
      .describe('null: a common area phone.'),
    site: z.object({ id: z.string(), name: z.string() }),
    limitHours: z
      .number()
      .nullable()
      .describe(
        'How long a guest may stay. At a user host the guest’s own limit must not be longer. null: no limit.',
      ),
    free: z.boolean(),
  })
  .meta({ id: 'AvailableHost', description: 'A host this guest may use.' });

export const availableHosts = z.object({
  hosts: z.array(availableHost).describe('Those of the guest’s own site first, then by name.'),
  ...rest,
});
