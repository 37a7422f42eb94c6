import { z } from 'zod';
import type { CivicAddress, Site } from '../domain/directory.ts';
import { conversionDelivery } from './order-schemas.ts';
import { addressWish, generation, generationText, host, rest } from './schemas.ts';

/** What the API takes and gives when people, phones and sites come and go. What is in them is checked with the directory. */

const id = z.string().min(1).max(64);
const text = (max: number) => z.string().min(1).max(max);
const number = z.string().min(1).max(20);

export const sitePath = z.object({ id: id.describe('Site id.') });
export const removalQuery = z.strictObject({
  release: z
    .enum(['true', 'false'])
    .default('false')
    .describe('true: whoever is logged in is logged out first; otherwise that is refused.'),
});

const stay =
  'With `release`, of the stay that is meant: when another has begun there since, 412 and nothing is done.';
export const hostRemovalQuery = removalQuery.extend({
  generation: generationText.describe(`${stay} Absent: whoever is there.`),
});
const released = {
  release: z.boolean().default(false).describe('Whoever is logged in there is logged out first.'),
  generation: generation.describe(`${stay} Absent: whoever is there.`),
};

export const newUser = z.strictObject({
  extension: z.string().min(1).max(8),
  name: text(100),
  site: id,
  numbers: z.array(number).max(50).default([]).describe('Direct numbers, E.164.'),
  callerId: number.describe('Shown on outbound calls, E.164.'),
  email: z.exactOptional(text(200)),
  plan: z.enum(['connect', 'collaborate']).default('connect'),
  hotDeskLicence: z.boolean().default(false),
  addOns: z
    .array(z.enum(['host', 'guest']))
    .max(2)
    .default([]),
});

export const newHost = z.strictObject({
  id: z.exactOptional(id).describe('SIP user; absent: cp<mac>, or u<extension> of a user’s phone.'),
  kind: z.enum(['commonArea', 'user']).default('commonArea'),
  owner: z.exactOptional(id).describe('Extension; of a user’s phone only.'),
  nickname: text(100),
  site: id,
  model: text(60),
  mac: z
    .exactOptional(
      z
        .string()
        .max(17)
        .regex(/^[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}$/, 'expected twelve hex digits'),
    )
    .describe('Twelve hex digits, with colons or without.'),
  expansionModule: z.boolean().default(false),
  enabled: z.exactOptional(z.boolean()).describe('Absent: a common area phone is, a user’s is not.'),
  accessLevel: z.enum(['site', 'company']).default('company'),
  associationLimitHours: z.exactOptional(z.int().min(1).max(999)),
  address: addressWish.describe('Where it stands (A6).'),
  callbackNumber: z.exactOptional(number).describe('Absent: the site’s.'),
});

export const addedHost = z
  .object({
    host,
    sipPassword: z.string().describe('Shown here and never again.'),
  })
  .meta({ id: 'AddedHost' });

export const unassignment = z.strictObject({
  address: addressWish.describe('Where the phone is, with the customer’s name (A6).'),
  ...released,
});
export const assignment = z.strictObject({
  owner: id.describe('Extension of who gets it.'),
  nickname: z.exactOptional(text(100)).describe('Absent: as it was.'),
  address: addressWish.describe('Where the phone is to stand (A6).'),
  ...released,
});
export const conversion = z.strictObject({
  nickname: text(100),
  address: addressWish,
  delivery: z
    .exactOptional(conversionDelivery)
    .describe('It is sent somewhere: an order is made in the same step.'),
});

const numbers = z.array(z.string().max(8)).max(50);
const contacts = z.strictObject({
  emails: z.array(text(200)).max(20).default([]),
  phones: z.array(id).max(20).default([]).describe('Host ids and extensions.'),
});

const siteFields = {
  name: text(100),
  timeZone: text(64).describe('IANA, such as Europe/London.'),
  outsideLinePrefix: z.string().max(3),
  emergencyNumbers: numbers.describe('Besides the country’s.'),
  callbackNumber: number.describe('E.164; for phones without one of their own.'),
  emergencyTestNumbers: numbers,
  callbackMinutes: z.int().min(10).max(1440),
  emergencyContacts: contacts,
};
const callbackOthersAfter = z.union([z.literal('never'), z.int().min(0).max(120)]);
const dailyLogOut = z.string().max(5);
const outboundTrunk = text(64);

export const site = z
  .object({
    id: z.string(),
    ...siteFields,
    emergencyContacts: z.object({ emails: z.array(z.string()), phones: z.array(z.string()) }),
    callbackOthersAfter: callbackOthersAfter.nullable().describe('Seconds; null: 20.'),
    dailyLogOut: z.string().nullable().describe('Local time, HH:MM; null: nobody is logged out.'),
    outboundTrunk: z.string().nullable().describe('null: in their order.'),
  })
  .meta({ id: 'Site' });
export const sites = z.object({ sites: z.array(site), ...rest });

export const newSite = z.strictObject({
  id,
  ...siteFields,
  outsideLinePrefix: siteFields.outsideLinePrefix.default(''),
  emergencyNumbers: siteFields.emergencyNumbers.default([]),
  emergencyTestNumbers: siteFields.emergencyTestNumbers.default([]),
  callbackMinutes: siteFields.callbackMinutes.default(60),
  emergencyContacts: contacts.default({ emails: [], phones: [] }),
  callbackOthersAfter: z.exactOptional(callbackOthersAfter),
  dailyLogOut: z.exactOptional(dailyLogOut),
  outboundTrunk: z.exactOptional(outboundTrunk),
});

export const siteChange = z
  .strictObject({
    name: z.exactOptional(siteFields.name),
    timeZone: z.exactOptional(siteFields.timeZone),
    outsideLinePrefix: z.exactOptional(siteFields.outsideLinePrefix),
    emergencyNumbers: z.exactOptional(siteFields.emergencyNumbers),
    callbackNumber: z.exactOptional(siteFields.callbackNumber),
    emergencyTestNumbers: z.exactOptional(siteFields.emergencyTestNumbers),
    callbackMinutes: z.exactOptional(siteFields.callbackMinutes),
    emergencyContacts: z.exactOptional(contacts).describe('All of them.'),
    callbackOthersAfter: z.exactOptional(callbackOthersAfter.nullable()),
    dailyLogOut: z.exactOptional(dailyLogOut.nullable()).describe('null: nobody is logged out.'),
    outboundTrunk: z.exactOptional(outboundTrunk.nullable()),
  })
  .refine((change) => Object.keys(change).length > 0, 'expected something to change');
export type SiteChangeBody = z.output<typeof siteChange>;

/** A site as the API tells it. */
export function presentSite(from: Site): z.output<typeof site> {
  const { callbackOthersAfter: others, dailyLogOut: daily, outboundTrunk: trunk, ...plain } = from;
  const { emails, phones } = from.emergencyContacts;
  return {
    ...plain,
    emergencyNumbers: [...from.emergencyNumbers],
    emergencyTestNumbers: [...from.emergencyTestNumbers],
    emergencyContacts: { emails: [...emails], phones: [...phones] },
    ...{ callbackOthersAfter: others ?? null, dailyLogOut: daily ?? null, outboundTrunk: trunk ?? null },
  };
}

/** An address as it was sent, without what is null in it. */
export function addressOf({
  state,
  floor,
  room,
  postcode = '',
  ...address
}: z.output<typeof addressWish>): CivicAddress {
  return {
    ...{ ...address, postcode },
    ...(state == null ? {} : { state }),
    ...(floor == null ? {} : { floor }),
    ...(room == null ? {} : { room }),
  };
}
