/** Who may sign in to administer, or to see their own settings, and the tokens of programs. */

/** `user`: a person at their own settings; the others administer. */
export const ROLES = ['administrator', 'siteAdministrator', 'readOnly', 'user'] as const;
export type Role = (typeof ROLES)[number];

/** What a token may do: see everything, change phones, people, or everything but accounts and tokens. */
export const SCOPES = ['read', 'phones', 'people', 'write'] as const;
export type Scope = (typeof SCOPES)[number];

export interface Account {
  /** Random; an e-mail address may change. */
  readonly id: string;
  /** As `canonicalEmail` writes it; unique. */
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  /** Absent: all. Of a user none counts. */
  readonly sites?: readonly string[] | undefined;
  /** Whose settings these are; set exactly when the role is `user`. */
  readonly extension?: string | undefined;
  /** What the identity provider calls whoever this is (`sub`); unique. */
  readonly subject?: string | undefined;
  /** Encoded argon2id hash with key id; absent: nobody can sign in yet. */
  readonly passwordHash?: string | undefined;
  readonly totp?: Totp | undefined;
  readonly disabled: boolean;
  /** A one-time link to set the password. */
  readonly link?: OneTimeLink | undefined;
}

/** Codes of six digits from an app (RFC 6238). */
export interface Totp {
  /** Sealed (services/sealing). */
  readonly sealedSecret: string;
  /** False until a code has proved that the app has the secret; nothing is asked for before. */
  readonly confirmed: boolean;
}

export interface OneTimeLink {
  /** SHA-256 of its secret, hex. */
  readonly hash: string;
  /** ms since 1970. */
  readonly expiresAt: number;
}

/** Lets a program use the API. */
export interface ApiToken {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Absent: all. */
  readonly sites?: readonly string[] | undefined;
  /** SHA-256 of its secret, hex. */
  readonly hash: string;
  /** ms since 1970; absent: it does not expire. */
  readonly expiresAt?: number | undefined;
  /** Who made it, as the change log names them. */
  readonly createdBy: string;
  /** ms since 1970. */
  readonly createdAt: number;
}

/** One spelling for what reaches one mailbox, as far as that can be known. */
export function canonicalEmail(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}

/** Whom the change log names when this account acts. */
export function actorOfAccount({ role, email, extension }: Account): string {
  return role === 'user' && extension !== undefined ? `user:${extension}` : `admin:${email}`;
}

/** Whether this is the only one who can still manage accounts. */
export function isLastAdministrator(account: Account, all: Iterable<Account>): boolean {
  if (!isAdministrator(account)) return false;
  for (const other of all) {
    // Who needs the identity provider to get in cannot stand for one who does not.
    const isAsGood = account.passwordHash === undefined || other.passwordHash !== undefined;
    if (other.id !== account.id && isAdministrator(other) && isAsGood) return false;
  }
  return true;
}

/** One who has no way in yet, by password or provider, cannot help anybody. */
function isAdministrator({ role, disabled, passwordHash, subject }: Account): boolean {
  return role === 'administrator' && !disabled && (passwordHash ?? subject) !== undefined;
}
