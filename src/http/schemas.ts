import { z } from 'zod';
import { ASSOCIATION_LIMITS } from '../domain/directory.ts';
import { voicePortal, voicePortalChange } from './voice-portal-schemas.ts';

/** What the API takes and gives. Answers hold only what stands here, so a secret cannot slip into one. */

export const time = z.iso.datetime().describe('ISO 8601, UTC.');

export const problem = z
  .object({
    type: z.string().describe('Kind of problem; about:blank when the status says it all.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    reason: z.string().optional().describe('Stable word for programs.'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('What in the request is not valid, and where.'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });

export const associationLimit = z
  .literal([...ASSOCIATION_LIMITS, 'never'])
  .describe('Hours a person may stay at a common area phone.');

const passcodeDigits = z.int().min(4).max(12);
const licenceCount = z.int().min(0).max(1_000_000);

export const company = z
  .object({
    id: z.string(),
    name: z.string(),
    country: z.string().describe('ISO 3166-1 alpha-2.'),
    featureAccessCodes: z.object({ logIn: z.string(), logOut: z.string() }),
    associationLimit,
    hotDeskLicences: z.int(),
    addOnLicences: z.object({ host: z.int(), guest: z.int() }),
    occupiedDeskPolicy: z.enum(['deny', 'takeover']),
    secondDeskPolicy: z.enum(['move', 'deny']),
    ringOwnPhone: z
      .object({ commonArea: z.boolean(), user: z.boolean() })
      .describe('Whether a person’s own phone rings while they sit at a host of that kind.'),
    voicePortal: voicePortal.nullable().describe('null: there is none.'),
    voicemailNumber: z.string().nullable().describe('null: there is none.'),
    idleLimitMinutes: z.int().nullable().describe('null: an association may stay idle.'),
    expiryWarningMinutes: z.int().describe('0: nobody is warned.'),
    passcodeLength: z.object({ min: z.int(), max: z.int() }).describe('Digits of a PIN.'),
  })
  .meta({ id: 'Company' });

export const companyChange = z
  .strictObject({
    associationLimit: z.exactOptional(associationLimit),
    idleLimitMinutes: z.exactOptional(z.int().min(5).max(1440).nullable()),
    expiryWarningMinutes: z.exactOptional(z.int().min(0).max(60)),
    passcodeLength: z.exactOptional(z.strictObject({ min: passcodeDigits, max: passcodeDigits })),
    hotDeskLicences: z.exactOptional(licenceCount),
    addOnLicences: z.exactOptional(
      z.strictObject({ host: z.exactOptional(licenceCount), guest: z.exactOptional(licenceCount) }),
    ),
    ringOwnPhone: z.exactOptional(
      z.strictObject({ commonArea: z.exactOptional(z.boolean()), user: z.exactOptional(z.boolean()) }),
    ),
    voicePortal: z
      .exactOptional(voicePortalChange.nullable())
      .describe('What is not there stays; null: no voice portal.'),
    voicemailNumber: z.exactOptional(z.string().max(20).nullable()).describe('null: none.'),
  })
  .refine((change) => Object.keys(change).length > 0, 'expected something to change');
export type CompanyChangeBody = z.output<typeof companyChange>;

export const civicAddress = z
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
  .meta({ id: 'CivicAddress', description: 'Where the phone stands, for emergency services.' });

/** What goes with each page of a list. */
export const rest = {
  next: z.string().nullable().describe('Cursor of the page that follows; null: that was all.'),
  total: z.int().describe('Of all pages.'),
};

const span = { startedAt: time, expiresAt: time.nullable().describe('null: no limit.') };

const binding = z
  .object({
    userAgent: z.string(),
    protocol: z.string(),
    address: z.string().describe('Address the phone registered from.'),
    port: z.int(),
    expiresAt: time,
  })
  .meta({ id: 'Binding' });

export const host = z
  .object({
    id: z.string().describe('SIP user the phone registers as.'),
    kind: z
      .enum(['commonArea', 'user', 'unassigned'])
      .describe('unassigned: taken from its user, and not yet converted to a common area phone.'),
    owner: z
      .object({ extension: z.string(), name: z.string() })
      .nullable()
      .describe('Whose phone it is; null: a common area phone.'),
    reservedFor: z
      .object({ extension: z.string(), name: z.string() })
      .nullable()
      .describe('Whose phone it was, while it is unassigned; their number stays theirs.'),
    nickname: z.string(),
    site: z.string(),
    model: z.string(),
    mac: z.string().nullable(),
    expansionModule: z.boolean(),
    enabled: z.boolean(),
    accessLevel: z.enum(['site', 'company']),
    associationLimitHours: z
      .int()
      .nullable()
      .describe('null: the company’s limit at a common area phone, none at a user’s.'),
    address: civicAddress,
    callbackNumber: z.string().nullable().describe('null: the site’s.'),
    location: z
      .object({
        network: z.string().describe('Network the phone last registered from.'),
        verified: z.boolean().describe('False: the phone has moved since anybody confirmed its address.'),
      })
      .nullable()
      .describe('null: the phone has never registered.'),
    registered: z.boolean(),
    lastSeenAt: time.nullable().describe('When the phone last registered or left; null: not in 400 days.'),
    bindings: z.array(binding),
    association: z
      .object({
        guest: z.object({ extension: z.string(), name: z.string() }),
        generation: z.int().describe('Of this stay; who logs in after it has a higher one.'),
        ...span,
      })
      .nullable(),
  })
  .meta({ id: 'Host' });

const addressText = (max: number) => z.string().max(max);
export const addressWish = z.strictObject({
  customerName: addressText(100),
  houseNumber: addressText(20),
  street: addressText(100),
  city: addressText(100),
  state: z.exactOptional(addressText(100).nullable()),
  postcode: z
    .exactOptional(addressText(20))
    .describe('May be left out where the country’s addresses have none.'),
  country: addressText(2).describe('ISO 3166-1 alpha-2.'),
  floor: z.exactOptional(addressText(40).nullable()),
  room: z.exactOptional(addressText(40).nullable()),
});

/** Of an association, as hosts tell it. */
export const generation = z.exactOptional(z.int().min(1));
export const generationText = z.exactOptional(
  z.string().regex(/^\d{1,16}$/, 'expected the generation of an association'),
);

export const hostChange = z
  .strictObject({
    address: z.exactOptional(addressWish).describe('The whole address; who gives it confirms it.'),
    nickname: z.exactOptional(z.string().max(100)),
    enabled: z.exactOptional(z.boolean()).describe('Only with an address emergency services can go to.'),
    callbackNumber: z.exactOptional(z.string().max(20).nullable()).describe('null: the site’s.'),
    associationLimitHours: z
      .exactOptional(z.int().min(1).max(999).nullable())
      .describe('null: the company’s.'),
    accessLevel: z.exactOptional(z.enum(['site', 'company'])),
    release: z
      .exactOptional(z.boolean())
      .describe(
        'Whoever is there is released first; otherwise switching, limit and access do not change under them.',
      ),
    generation: generation.describe(
      'With `release`, of the stay that is meant: when another has begun there since, 412 and nothing is done.',
    ),
  })
  .refine(
    ({ release: _, generation: __, ...change }) => Object.keys(change).length > 0,
    'expected something to change',
  );
export type HostChangeBody = z.output<typeof hostChange>;

export const hosts = z.object({ hosts: z.array(host), ...rest });

export const user = z
  .object({
    extension: z.string(),
    name: z.string(),
    site: z.string(),
    numbers: z.array(z.string()),
    callerId: z.string(),
    email: z.string().nullable(),
    plan: z.enum(['connect', 'collaborate']),
    hotDeskLicence: z.boolean(),
    addOns: z.array(z.enum(['host', 'guest'])),
    guestEnabled: z.boolean().describe('The guest service, which needs the add-on, is on.'),
    associationLimitHours: z.int().nullable().describe('null: no limit of their own.'),
    mailbox: z.string().nullable().describe('On the trunk’s voicemail; null: the extension.'),
    forwarding: z
      .object({ always: z.string().nullable(), unanswered: z.string().nullable() })
      .describe('Where calls go instead; null: nowhere else.'),
    hotelingKeys: z
      .boolean()
      .describe(
        'May use Guest In keys of phones: the PIN is kept sealed, from when it is next typed or set.',
      ),
    hotelingKeysReady: z.boolean().describe('It has been typed or set since: the keys work.'),
    hasPasscode: z.boolean().describe('Without one the user cannot log in.'),
    passcodeOneTime: z.boolean().describe('Replaced at the first login.'),
    association: z.object({ host: z.object({ id: z.string(), nickname: z.string() }), ...span }).nullable(),
  })
  .meta({ id: 'User' });

export const users = z.object({ users: z.array(user), ...rest });

const name = z.string().min(1).max(64);
export const hostPath = z.object({ id: name.describe('Host id.') });
export const userPath = z.object({ extension: name.describe('Extension of the user.') });
export const associationMeant = z.strictObject({
  generation: generationText.describe(
    'Of the association that is meant, as the host told it: when another has begun there since, 412 and nobody is logged out. Absent: whoever is there.',
  ),
});
export const associationWish = z.strictObject({ guest: name.describe('Extension of the guest.') });

/** What is wrong with it never repeats what was sent, keys included. */
export const passcodeWish = z.strictObject(
  { passcode: z.string().max(64).describe('Digits, as the company’s rules want them.') },
  'expected an object with a passcode and nothing else',
);
export const oneTimePasscode = z
  .object({
    passcode: z.string().describe('Shown here and never again; the first login replaces it.'),
    oneTime: z.literal(true),
  })
  .meta({ id: 'OneTimePasscode' });

/** A body of nothing. */
export const nothing = z.undefined().describe('Done.');
export const yamlText = z.string().describe('The directory as YAML.');

export const live = z.object({ alive: z.literal(true) });
export const ready = z.object({
  ready: z.literal(true),
  store: z.boolean(),
  sip: z.boolean(),
  media: z.boolean(),
});
export const notReady = problem
  .extend({ store: z.boolean(), sip: z.boolean(), media: z.boolean() })
  .meta({ id: 'NotReady', description: 'Which part cannot do its work.' });

const problemContent = { 'application/problem+json': { schema: problem } };
/** The answers any route may give besides its own. */
export const PROBLEMS = {
  '4xx': { description: 'Refused.', content: problemContent },
  '5xx': { description: 'Broken, or the store is away.', content: problemContent },
};
