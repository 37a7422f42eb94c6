import { z } from 'zod';
import { ROLES, SCOPES } from '../domain/account.ts';
import { time } from './schemas.ts';

/** What the API takes and gives to sign in, and about accounts and tokens. Secrets come in, and out once. */

/** What is wrong with a body of secrets never repeats what was sent. */
const secretBody = <T extends z.ZodRawShape>(shape: T, words: string) =>
  z.strictObject(shape, `expected ${words}`);
/** Longer ones are refused before they are hashed. */
const password = z.string().max(1_000);
const code = z.string().max(20).describe('Six digits from an authenticator app.');
const email = z.email().max(254);
const name = z.string().trim().min(1).max(100);
const role = z
  .enum(ROLES)
  .describe('user: a person at their own settings. The others administer, all or their sites, or only read.');
const sites = z.array(z.string().min(1).max(64)).max(1_000);
const extension = z.string().min(1).max(64);

export const signIn = secretBody(
  { email: z.string().max(254), password, code: z.exactOptional(code) },
  'an object with email, password and code',
);

const subject = z.string().trim().min(1).max(255);

const self = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  role,
  sites: z.array(z.string()).nullable().describe('null: all.'),
  extension: z.string().nullable(),
  totp: z.boolean().describe('A code is asked for at sign-in.'),
});
export const signedIn = z.object({ account: self }).meta({ id: 'SignedIn' });
export const session = z
  .object({
    account: self,
    csrf: z.string().describe('To be sent as X-CSRF-Token with each change.'),
    site: z
      .object({ id: z.string(), name: z.string(), timeZone: z.string() })
      .nullable()
      .describe('Of a user: where they work. null: of an account that is no person’s.'),
  })
  .meta({ id: 'Session' });

export const ownSession = z
  .object({
    id: z.string().describe('Names it here; it is not what the browser has.'),
    startedAt: time,
    lastUsedAt: time,
    address: z.string().describe('IP address it was begun from.'),
    browser: z
      .object({ name: z.string().nullable(), system: z.string().nullable() })
      .describe('As it told us, such as Firefox on Windows; null: nothing that is known.'),
    current: z.boolean().describe('The one that asks.'),
  })
  .meta({ id: 'OwnSession' });
export const ownSessions = z.object({
  sessions: z.array(ownSession).describe('The one that asks first, then the last used first.'),
});
export const sessionPath = z.object({ id: z.string().min(1).max(64).describe('Session id, as listed.') });

export const passwordChange = secretBody(
  { password, newPassword: password, code: z.exactOptional(code) },
  'an object with password, newPassword and code',
);
export const passwordByLink = secretBody(
  { token: z.string().max(200), password },
  'an object with token and password',
);
export const proof = secretBody(
  { password, code: z.exactOptional(code) },
  'an object with password and code',
);
export const totpCode = secretBody({ code }, 'an object with a code');
export const totpSecret = z
  .object({
    secret: z.string().describe('For an authenticator app; shown here and never again.'),
    uri: z.string().describe('The same for a QR code.'),
  })
  .meta({ id: 'TotpSecret' });

export const providerState = z.object({
  name: z.string().nullable().describe('Of the identity provider, for people; null: there is none.'),
});
export const providerWish = z.strictObject({
  to: z.exactOptional(z.string().min(1).max(300).describe('Page of the portal to go to then.')),
});
export const providerBegun = z
  .object({ location: z.string().describe('Of the identity provider.') })
  .meta({ id: 'ProviderSignIn' });

export const setUpState = z.object({
  needed: z.boolean().describe('The first administrator is still to come.'),
});
export const setUp = secretBody(
  { token: z.string().max(200).describe('As it stands in the data folder.'), email, name, password },
  'an object with token, email, name and password',
);

export const account = self
  .extend({
    subject: z.string().nullable().describe('What the identity provider calls them (`sub`).'),
    disabled: z.boolean(),
    hasPassword: z.boolean().describe('Without one nobody can sign in.'),
    linkExpiresAt: time
      .nullable()
      .describe('Of a link to set the password that was not used yet; null: none.'),
  })
  .meta({ id: 'Account' });
export const accounts = z.object({ accounts: z.array(account), next: z.string().nullable(), total: z.int() });
export const accountsQuery = z.strictObject({
  q: z.exactOptional(z.string().min(1).max(100)).describe('In the name or the e-mail address.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.exactOptional(z.string().min(1).max(254).describe('`next` of the page before.')),
});
export const accountPath = z.object({ id: z.string().min(1).max(64).describe('Account id.') });
export const accountWish = z.strictObject({
  email,
  name,
  role,
  sites: z
    .exactOptional(sites.nullable())
    .describe('Of a site administrator, or of who may only read; null: all.'),
  extension: z.exactOptional(extension.nullable()).describe('Of a user: whose settings these are.'),
  subject: z.exactOptional(subject.nullable()).describe('What the identity provider calls them.'),
});
export const accountChange = z
  .strictObject({
    email: z.exactOptional(email),
    name: z.exactOptional(name),
    role: z.exactOptional(role),
    sites: z.exactOptional(sites.nullable()),
    extension: z.exactOptional(extension.nullable()),
    subject: z.exactOptional(subject.nullable()),
    disabled: z.exactOptional(z.boolean()),
  })
  .refine((change) => Object.keys(change).length > 0, 'expected something to change');

export const link = z
  .object({
    token: z.string().describe('Shown here and never again: it sets the password, once.'),
    path: z.string().describe('Of the page that takes it, behind the address of the portal.'),
    expiresAt: time,
  })
  .meta({ id: 'PasswordLink' });
export const newAccount = z.object({ account, link }).meta({ id: 'NewAccount' });

export const apiToken = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    sites: z.array(z.string()).nullable().describe('null: all.'),
    expiresAt: time.nullable().describe('null: it does not expire.'),
    createdAt: time,
    createdBy: z.string(),
  })
  .meta({ id: 'ApiToken' });
export const apiTokens = z.object({ tokens: z.array(apiToken) });
export const tokenPath = z.object({ id: z.string().min(1).max(64).describe('Token id.') });
export const tokenWish = z.strictObject({
  name,
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .max(SCOPES.length)
    .describe(
      'read: see everything; phones, people: change these; write: everything but accounts and tokens.',
    ),
  sites: z.exactOptional(sites.nullable()).describe('null: all.'),
  expiresInDays: z.exactOptional(z.int().min(1).max(3_650).nullable()).describe('null: it does not expire.'),
});
export const newToken = z
  .object({ token: apiToken, secret: z.string().describe('The bearer token; shown here and never again.') })
  .meta({ id: 'NewApiToken' });
