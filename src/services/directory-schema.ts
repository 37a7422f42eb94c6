import { z } from 'zod';
import { ROLES, SCOPES } from '../domain/account.ts';
import { ASSOCIATION_LIMITS, type AssociationLimit } from '../domain/directory.ts';
import { PASSCODE_LENGTH, PASSCODE_LENGTH_LIMITS } from '../domain/passcode.ts';
import { VOICE_PORTAL_KEYS } from '../domain/voice-portal.ts';
import { isPasscodeHash } from './passcodes.ts';

/** The directory as people write it (YAML) and as the store keeps it. Strict: what is not known is an error. */

const text = (max: number) => z.string().trim().min(1, 'must not be empty').max(max);
const pattern = (regex: RegExp, message: string) => z.string().regex(regex, message);

const e164 = pattern(/^\+[1-9]\d{6,14}$/, 'must be a full number such as "+442079460123"');
const country = pattern(/^[A-Z]{2}$/, 'must be a two-letter country code such as GB');
const featureAccessCode = pattern(/^[*#]\d{1,6}$/, 'must be * or # and one to six digits, such as "*90"');
const id = pattern(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  'must be letters, digits, dots, dashes or underscores',
);
const extension = pattern(/^\d{2,8}$/, 'an extension must be two to eight digits, in quotes');
const hex = (length: number) => pattern(new RegExp(`^[0-9a-f]{${length}}$`), `must be ${length} hex digits`);

const associationLimit = z
  .union([z.literal('never'), z.literal([...ASSOCIATION_LIMITS])], {
    error: `must be one of ${ASSOCIATION_LIMITS.join(', ')} (hours) or never`,
  })
  .default(12) satisfies z.ZodType<AssociationLimit>;

const passcodeDigits = z.int().min(PASSCODE_LENGTH_LIMITS.min).max(PASSCODE_LENGTH_LIMITS.max);
const limitHours = z.int().min(1).max(999);

const servicePhoneNumber = pattern(/^\d{2,8}$/, 'must be two to eight digits, in quotes');
const portalKey = pattern(/^[0-9*#]$/, 'must be one key: 0-9, * or #');
const mainKeys = VOICE_PORTAL_KEYS.main;
const hotelingKeys = VOICE_PORTAL_KEYS.hoteling;
const recordedNameKeys = VOICE_PORTAL_KEYS.recordedName;

const voicePortal = z.strictObject({
  number: servicePhoneNumber,
  keys: z
    .strictObject({
      main: z
        .strictObject({
          recordName: portalKey.default(mainKeys.recordName),
          hoteling: portalKey.default(mainKeys.hoteling),
          changePasscode: portalKey.default(mainKeys.changePasscode),
          emergencyAddress: portalKey.default(mainKeys.emergencyAddress),
          repeat: portalKey.default(mainKeys.repeat),
          exit: portalKey.default(mainKeys.exit),
        })
        .default(mainKeys),
      hoteling: z
        .strictObject({
          checkHostStatus: portalKey.default(hotelingKeys.checkHostStatus),
          associate: portalKey.default(hotelingKeys.associate),
          disassociate: portalKey.default(hotelingKeys.disassociate),
          disassociateFromRemoteHost: portalKey.default(hotelingKeys.disassociateFromRemoteHost),
          previous: portalKey.default(hotelingKeys.previous),
          repeat: portalKey.default(hotelingKeys.repeat),
        })
        .default(hotelingKeys),
      recordedName: z
        .strictObject({
          keep: portalKey.default(recordedNameKeys.keep),
          recordAgain: portalKey.default(recordedNameKeys.recordAgain),
          repeat: portalKey.default(recordedNameKeys.repeat),
          previous: portalKey.default(recordedNameKeys.previous),
        })
        .default(recordedNameKeys),
    })
    .default(VOICE_PORTAL_KEYS),
});

/** One answer for both kinds of desk is how it was once written. */
const ringOwnPhone = z
  .union([
    z.boolean().transform((both) => ({ commonArea: both, user: both })),
    z.strictObject({ commonArea: z.boolean().default(true), user: z.boolean().default(false) }),
  ])
  .default({ commonArea: true, user: false });

const licences = z.int().min(0).max(1_000_000);

const company = z.strictObject({
  id: pattern(/^[a-z0-9-]{1,40}$/, 'must be lower-case letters, digits or dashes'),
  name: text(100),
  country,
  featureAccessCodes: z
    .strictObject({ logIn: featureAccessCode.default('*90'), logOut: featureAccessCode.default('*91') })
    .default({ logIn: '*90', logOut: '*91' }),
  associationLimit,
  hotDeskLicences: licences,
  addOnLicences: z
    .strictObject({ host: licences.default(0), guest: licences.default(0) })
    .default({ host: 0, guest: 0 }),
  occupiedDeskPolicy: z.enum(['deny', 'takeover']).default('deny'),
  secondDeskPolicy: z.enum(['move', 'deny']).default('move'),
  ringOwnPhone,
  voicePortal: voicePortal.optional(),
  voicemailNumber: servicePhoneNumber.optional(),
  idleLimitMinutes: z.int().min(5).max(1440).optional(),
  expiryWarningMinutes: z.int().min(0).max(60).default(5),
  passcodeLength: z
    .strictObject({ min: passcodeDigits, max: passcodeDigits })
    .refine(({ min, max }) => min <= max, 'min must not be more than max')
    .default(PASSCODE_LENGTH),
});

/** Who is told of an emergency call: few, as each of them is told at once. */
const emergencyContacts = z
  .strictObject({
    emails: z.array(z.email()).max(20).default([]),
    phones: z
      .array(pattern(/^[A-Za-z0-9._-]{1,64}$/, 'must be ids of phones or extensions'))
      .max(20)
      .default([]),
  })
  .default({ emails: [], phones: [] });

const site = z.strictObject({
  name: text(100),
  timeZone: z.string().refine(isTimeZone, 'must be a time zone such as Europe/London'),
  outsideLinePrefix: pattern(/^\d{0,3}$/, 'must be up to three digits, in quotes').default(''),
  emergencyNumbers: z.array(pattern(/^\d{2,8}$/, 'must be two to eight digits, in quotes')).default([]),
  callbackNumber: e164,
  emergencyTestNumbers: z.array(pattern(/^\d{2,8}$/, 'must be two to eight digits, in quotes')).default([]),
  callbackMinutes: z.int().min(10).max(1440).default(60),
  callbackOthersAfter: z
    .union([z.literal('never'), z.int().min(0).max(120)], { error: 'must be 0 to 120 (seconds) or never' })
    .optional(),
  emergencyContacts,
  dailyLogOut: pattern(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a local time such as "19:30"').optional(),
  outboundTrunk: text(64).optional(),
});

/** As services/sealing writes it; shorter is no sealed passcode. */
const SEALED = /^[^:\s]{1,64}:[A-Za-z0-9+/]{38,}={0,2}$/;
const forwardedTo = pattern(/^\+?\d{2,20}$/, 'must be an extension or a number, in quotes');

const user = z.strictObject({
  name: text(100),
  site: z.string(),
  numbers: z.array(e164).default([]),
  callerId: e164,
  email: z.email().optional(),
  plan: z.enum(['connect', 'collaborate']).default('connect'),
  hotDeskLicence: z.boolean().default(false),
  addOns: z.array(z.enum(['host', 'guest'])).default([]),
  guestEnabled: z.boolean().default(true),
  associationLimitHours: limitHours.optional(),
  /** Clear digits, in files only: hashed on import. */
  passcode: z.string('must be digits in quotes').optional(),
  passcodeHash: z.string().refine(isPasscodeHash, 'is no passcode hash of this system').optional(),
  passcodeOneTime: z.boolean().default(false),
  mailbox: pattern(/^[A-Za-z0-9._+-]{1,64}$/, 'must be the name of a mailbox').optional(),
  forwarding: z
    .strictObject({ always: forwardedTo.optional(), unanswered: forwardedTo.optional() })
    .optional(),
  hotelingKeys: z.boolean().default(false),
  hotelingSecret: pattern(SEALED, 'is nothing this system has sealed').max(500).optional(),
});

const address = z.strictObject({
  customerName: text(100),
  houseNumber: text(20),
  street: text(100),
  city: text(100),
  state: text(100).optional(),
  /** May be empty where the country's may; see domain/address. */
  postcode: z.string().trim().max(20).default(''),
  country,
  floor: text(40).optional(),
  room: text(40).optional(),
});

const host = z.strictObject({
  kind: z.enum(['commonArea', 'user']).default('commonArea'),
  owner: z.string().optional(),
  /** Whose it was, of a phone that is unassigned. */
  reservedFor: z.string().optional(),
  nickname: text(100),
  site: z.string(),
  model: text(60),
  mac: pattern(/^[0-9a-f]{12}$/, 'must be twelve hex digits, lower case, in quotes').optional(),
  expansionModule: z.boolean().default(false),
  enabled: z.boolean().default(true),
  accessLevel: z.enum(['site', 'company']).default('company'),
  associationLimitHours: limitHours.optional(),
  /** Clear, in files only: becomes digest secrets on import. */
  sipPassword: z
    .string('must be text in quotes')
    .min(8, 'must have eight characters or more')
    .max(128)
    .optional(),
  digest: z.strictObject({ md5: hex(32), sha256: hex(64) }).optional(),
  address,
  callbackNumber: e164.optional(),
  /** Where it last registered from; the registrar keeps it. */
  location: z.strictObject({ network: text(64), verified: z.boolean() }).optional(),
});

const webhookId = pattern(/^[a-z0-9-]{1,64}$/, 'must be lower-case letters, digits or dashes');

const webhook = z.strictObject({
  url: z.url().max(2000),
  events: z
    .array(z.enum(['start', 'end', 'extend', 'directory', 'notice', 'emergency', 'order']))
    .default([]),
  emergencyStages: z.exactOptional(
    z.array(z.enum(['placed', 'answered', 'failed', 'calledBack', 'acknowledged'])),
  ),
  enabled: z.boolean().default(true),
  sealedSecret: text(500),
});

const time = z.int().min(0);
const secretHash = hex(64);
const sitesOf = z.array(id).max(1_000).optional();

/** In the store only: files hold no accounts and no tokens. */
const account = z.strictObject({
  email: z.email().max(254),
  name: text(100),
  role: z.enum(ROLES),
  sites: sitesOf,
  extension: extension.optional(),
  subject: text(255).optional(),
  passwordHash: z.string().refine(isPasscodeHash, 'is no password hash of this system').optional(),
  totp: z
    .strictObject({
      sealedSecret: pattern(SEALED, 'is nothing this system has sealed').max(500),
      confirmed: z.boolean(),
    })
    .optional(),
  disabled: z.boolean(),
  link: z.strictObject({ hash: secretHash, expiresAt: time }).optional(),
});

const token = z.strictObject({
  name: text(100),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  sites: sitesOf,
  hash: secretHash,
  expiresAt: time.optional(),
  createdBy: text(300),
  createdAt: time,
});

export const directorySchema = z.strictObject({
  company,
  sites: z.record(id, site),
  users: z.record(extension, user),
  hosts: z.record(id, host),
  /** Absent: whatever there are stay. */
  webhooks: z.record(webhookId, webhook).optional(),
});

/** Entries one by one, as the store keeps them. */
export const entrySchemas = { company, site, user, host, webhook, account, token };
/** What entries may be called. */
export const entryIds = {
  site: id,
  user: extension,
  host: id,
  webhook: webhookId,
  account: webhookId,
  token: webhookId,
};

export type DirectoryDocument = z.output<typeof directorySchema>;
export type UserDocument = DirectoryDocument['users'][string];
export type HostDocument = DirectoryDocument['hosts'][string];

/** Each problem with its path, such as `users.1001.name: must not be empty`. Never shows a value. */
export function describeIssues(error: z.ZodError): string[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => `${[...path, key].join('.')}: not a known setting`);
    }
    const message =
      issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    return [`${path.join('.') || 'document'}: ${message.replace(/^Invalid input: /, '')}`];
  });
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
