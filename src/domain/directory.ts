import type { Account, ApiToken } from './account.ts';
import type { ChangeEvent } from './association.ts';
import type { DirectoryIndex } from './directory-index.ts';
import type { EmergencyStage } from './emergency-record.ts';
import type { VoicePortal } from './voice-portal.ts';

/** The directory: who and what a company has. Plain data; the rules about it stand in the files beside this one. */

/** Hours a person may stay at a common area phone (rule A4). */
export const ASSOCIATION_LIMITS = [1, 4, 6, 8, 10, 12, 16, 20, 24] as const;
export type AssociationLimit = (typeof ASSOCIATION_LIMITS)[number] | 'never';

export interface Company {
  /** `[a-z0-9-]+`; becomes part of store keys. */
  readonly id: string;
  readonly name: string;
  /** ISO 3166-1 alpha-2, upper case; decides the national emergency numbers. */
  readonly country: string;
  readonly featureAccessCodes: { readonly logIn: string; readonly logOut: string };
  /** Limit for common area phones, rule A4. */
  readonly associationLimit: AssociationLimit;
  /** How many people may hold the hot-desk licence, rule A7. */
  readonly hotDeskLicences: number;
  /** What happens when the host is held by another guest: rule B5b. */
  readonly occupiedDeskPolicy: 'deny' | 'takeover';
  /** What happens when the guest sits elsewhere: rule B5c. */
  readonly secondDeskPolicy: 'move' | 'deny';
  /** How many people may hold each add-on, rule B1. */
  readonly addOnLicences: { readonly host: number; readonly guest: number };
  /**
   * Whether a person's own phone rings while they sit at a host of that kind. Where it does not, it makes emergency calls
   * only.
   */
  readonly ringOwnPhone: { readonly commonArea: boolean; readonly user: boolean };
  /** Absent: there is none. */
  readonly voicePortal?: VoicePortal | undefined;
  /** Dialled to hear one's messages; leads to the mailbox on the trunk. */
  readonly voicemailNumber?: string | undefined;
  /** An association without a call for this long ends; absent: it may stay idle. */
  readonly idleLimitMinutes?: number | undefined;
  /** Minutes before its deadline at which a guest is told and may stay; 0: never told. */
  readonly expiryWarningMinutes: number;
  /** How long passcodes must and may be, 4–12 digits. */
  readonly passcodeLength: { readonly min: number; readonly max: number };
}

export interface Site {
  readonly id: string;
  readonly name: string;
  /** IANA time zone. */
  readonly timeZone: string;
  /** Digit dialled for an outside line, or `''`. */
  readonly outsideLinePrefix: string;
  /** Emergency numbers added to the country's list. */
  readonly emergencyNumbers: readonly string[];
  /** Number a PSAP may call back when a host has none of its own; E.164. */
  readonly callbackNumber: string;
  /** Dialled to hear where an emergency call would be sent from (933 in the US); never sent out. */
  readonly emergencyTestNumbers: readonly string[];
  /** Minutes, 10–1440, for which a call back after an emergency call rings the desk it came from. */
  readonly callbackMinutes: number;
  /**
   * Seconds for which the desk of the latest emergency call rings alone on a call back, before others that share its
   * number join; 0: all at once; never: desks that have not called themselves do not ring. Absent: 20.
   */
  readonly callbackOthersAfter?: number | 'never' | undefined;
  /** Who is told of an emergency call at this site. */
  readonly emergencyContacts: {
    readonly emails: readonly string[];
    /** Ids of hosts and extensions of users whose phones get a SIP MESSAGE. */
    readonly phones: readonly string[];
  };
  /** Local time, `HH:MM`, at which everybody at this site is logged out. */
  readonly dailyLogOut?: string | undefined;
  /** Name of the trunk tried first for this site's outbound calls; the others follow. */
  readonly outboundTrunk?: string | undefined;
}

export type AddOn = 'host' | 'guest';

export interface User {
  /** The number colleagues dial; unique in the company. */
  readonly extension: string;
  readonly name: string;
  readonly site: string;
  /** Direct numbers that reach this person, E.164. */
  readonly numbers: readonly string[];
  /** Number shown on outbound calls, E.164. */
  readonly callerId: string;
  readonly email?: string | undefined;
  readonly plan: 'connect' | 'collaborate';
  /** May log in at common area phones, rule A7. */
  readonly hotDeskLicence: boolean;
  readonly addOns: readonly AddOn[];
  /** The guest service, which needs the add-on, is switched on: rule B3. */
  readonly guestEnabled: boolean;
  /** The guest's own limit, 1–999 h, rule B3. */
  readonly associationLimitHours?: number | undefined;
  /** Encoded argon2id hash with key id, see services/passcodes; absent: nobody can log in as this user yet. */
  readonly passcodeHash?: string | undefined;
  /** The passcode was given out by an administrator: the first login replaces it. */
  readonly passcodeOneTime: boolean;
  /** Name of the mailbox on the trunk's voicemail; absent: the extension. */
  readonly mailbox?: string | undefined;
  /** Where calls go instead: an extension or a number as dialled from the person's site. */
  readonly forwarding?: Forwarding | undefined;
  /** May use Guest In keys of phones: the passcode is also kept sealed, from when it is next typed or set. */
  readonly hotelingKeys: boolean;
  /** The passcode, sealed, for phones with Guest In keys; only of people who opted in (services/hoteling-secrets). */
  readonly hotelingSecret?: string | undefined;
}

export interface Forwarding {
  /** Every call; no phone of the person rings. */
  readonly always?: string | undefined;
  /** When no phone rings, or nobody answers. */
  readonly unanswered?: string | undefined;
}

/** Where a phone stands, as emergency services need it (rule A6, RFC 5139 elements in words). */
export interface CivicAddress {
  readonly customerName: string;
  readonly houseNumber: string;
  readonly street: string;
  readonly city: string;
  /** State, province or region (A1), where the country's addresses have one. */
  readonly state?: string | undefined;
  readonly postcode: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly floor?: string | undefined;
  readonly room?: string | undefined;
}

/** H(user:realm:password) per digest algorithm, hex (RFC 8760); the clear password is never kept. */
export interface DigestSecrets {
  readonly md5: string;
  readonly sha256: string;
}

export interface Host {
  /** SIP user part the phone registers with; `cp<mac>` for a common area phone. */
  readonly id: string;
  readonly kind: 'commonArea' | 'user';
  /** Extension of the owner; set exactly when `kind` is `user`. */
  readonly owner?: string | undefined;
  /**
   * Extension of the user it was taken from (A7): unassigned, and switched off until it is converted to a common area
   * phone. Their number stays theirs.
   */
  readonly reservedFor?: string | undefined;
  readonly nickname: string;
  readonly site: string;
  readonly model: string;
  readonly mac?: string | undefined;
  readonly expansionModule: boolean;
  /** False: nobody may associate here. Emergency calls go out all the same. */
  readonly enabled: boolean;
  /** Guests of the same site only, or of the whole company: rule B2. */
  readonly accessLevel: 'site' | 'company';
  /** 1–999 h, rule B2; absent: the company's limit for common area phones, none for user hosts. */
  readonly associationLimitHours?: number | undefined;
  readonly digest: DigestSecrets;
  readonly address: CivicAddress;
  /** Number a PSAP may call back, E.164; absent: the site's. */
  readonly callbackNumber?: string | undefined;
  /** Network the phone last registered from, and whether somebody has confirmed the address since it came there. */
  readonly location?: { readonly network: string; readonly verified: boolean } | undefined;
}

/** Where changes are told over HTTP. */
export interface Webhook {
  readonly id: string;
  /** `https:`, or `http:` where the operator allows it. */
  readonly url: string;
  /** Kinds of change told; empty: all. */
  readonly events: readonly ChangeEvent['kind'][];
  /** Stages of emergency calls told, where they are told at all; absent: every one. */
  readonly emergencyStages?: readonly EmergencyStage[];
  readonly enabled: boolean;
  /** Key of the signature, sealed (services/sealing). */
  readonly sealedSecret: string;
}

/** Reading side of a company's directory; the whole of it changes in place, so nothing of it is kept across a wait. */
export interface Directory {
  readonly company: Company;
  readonly sites: ReadonlyMap<string, Site>;
  readonly users: ReadonlyMap<string, User>;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly webhooks: ReadonlyMap<string, Webhook>;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly tokens: ReadonlyMap<string, ApiToken>;
  readonly index: DirectoryIndex;
}
