import type { z } from 'zod';
import type {
  account,
  apiToken,
  link,
  newAccount,
  newToken,
  ownSession,
  signedIn,
  totpSecret,
} from '../../http/account-schemas.ts';
import type { auditEntry, stay } from '../../http/audit-schemas.ts';
import type { emergency } from '../../http/emergency-schemas.ts';
import type { site } from '../../http/entry-schemas.ts';
import type { availableHost, licences } from '../../http/guest-schemas.ts';
import type { importedRow, peopleImport } from '../../http/import-schemas.ts';
import type { catalogue, charges, order, readyPhones } from '../../http/order-schemas.ts';
import type { civicAddress, company, host, user } from '../../http/schemas.ts';
import type { usage } from '../../http/usage-schemas.ts';
import type { deadLetters, deliveries, webhook, webhookTest } from '../../http/webhook-schemas.ts';

/** What the API gives, by its own schemas. */
export type Host = z.output<typeof host>;
export type User = z.output<typeof user>;
export type Company = z.output<typeof company>;
export type Licences = z.output<typeof licences>;
export type AvailableHost = z.output<typeof availableHost>;
export type SiteDetails = z.output<typeof site>;
export type ImportedRow = z.output<typeof importedRow>;
export type PeopleImport = z.output<typeof peopleImport>;
export type CivicAddress = z.output<typeof civicAddress>;
export type Stay = z.output<typeof stay>;
export type AuditEntry = z.output<typeof auditEntry>;
export type Emergency = z.output<typeof emergency>;
export type Usage = z.output<typeof usage>;
export type Webhook = z.output<typeof webhook>;
export type WebhookTest = z.output<typeof webhookTest>;
export type Delivery = z.output<typeof deliveries>['deliveries'][number];
export type DeadLetter = z.output<typeof deadLetters>['deadLetters'][number];

export type Catalogue = z.output<typeof catalogue>;
export type Charges = z.output<typeof charges>;
export type Order = z.output<typeof order>;
export type ReadyPhones = z.output<typeof readyPhones>;

export type Role = 'administrator' | 'siteAdministrator' | 'readOnly' | 'user';

/** Who is signed in. */
export type Account = z.output<typeof signedIn>['account'];
/** As an administrator sees it. */
export type AdministeredAccount = z.output<typeof account>;
export type NewAccount = z.output<typeof newAccount>;
export type PasswordLink = z.output<typeof link>;
export type ApiToken = z.output<typeof apiToken>;
export type NewApiToken = z.output<typeof newToken>;
export type Scope = ApiToken['scopes'][number];
/** Where one is signed in oneself. */
export type OwnSession = z.output<typeof ownSession>;
export type TotpSecret = z.output<typeof totpSecret>;

export interface Site {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
}

/** A page of a list. */
export interface Page<T> {
  readonly rows: readonly T[];
  readonly next: string | null;
  readonly total: number;
}

/** RFC 9457. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly reason?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}
