import type { z } from 'zod';
import type { auditEntry, stay } from '../../http/audit-schemas.ts';
import type { emergency } from '../../http/emergency-schemas.ts';
import type { availableHost, licences } from '../../http/guest-schemas.ts';
import type { civicAddress, company, host, user } from '../../http/schemas.ts';

/** What the API gives, by its own schemas. */
export type Host = z.output<typeof host>;
export type User = z.output<typeof user>;
export type Company = z.output<typeof company>;
export type Licences = z.output<typeof licences>;
export type AvailableHost = z.output<typeof availableHost>;
export type CivicAddress = z.output<typeof civicAddress>;
export type Stay = z.output<typeof stay>;
export type AuditEntry = z.output<typeof auditEntry>;
export type Emergency = z.output<typeof emergency>;

export type Role = 'administrator' | 'siteAdministrator' | 'readOnly' | 'user';

/** Who is signed in. */
export interface Account {
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  /** null: all. */
  readonly sites: readonly string[] | null;
  readonly extension: string | null;
}

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
