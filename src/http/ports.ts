import type { Association } from '../domain/association.ts';
import type { Company, User } from '../domain/directory.ts';
import type { Refusal } from '../domain/reasons.ts';
import type { AdminView } from '../domain/view.ts';
import type { Accounts } from '../services/accounts.ts';
import type { AddOns } from '../services/add-ons.ts';
import type { ApiTokens } from '../services/api-tokens.ts';
import type { Audit } from '../services/audit.ts';
import type { CompanyChange } from '../services/company-change.ts';
import type { DirectoryRefusal } from '../services/directory-service.ts';
import type { EmergencyNotices } from '../services/emergency-notices/emergency-notices.ts';
import type { Guests } from '../services/guests.ts';
import type { Hosts } from '../services/hosts.ts';
import type { HotelingSecrets } from '../services/hoteling-secrets.ts';
import type { DirectoryLists } from '../services/lists/directory-lists.ts';
import type { Live } from '../services/live.ts';
import type { OrderBook } from '../services/orders/order-book.ts';
import type { Orders } from '../services/orders/orders.ts';
import type { OwnSessions } from '../services/own-sessions.ts';
import type { PasscodeRefusal } from '../services/passcode-service.ts';
import type { People } from '../services/people.ts';
import type { PeopleImport } from '../services/people-import/people-import.ts';
import type { Phones } from '../services/phones.ts';
import type { ProviderSignIn } from '../services/provider-sign-in.ts';
import type { Replays } from '../services/replays.ts';
import type { SignIn } from '../services/sign-in.ts';
import type { Sites } from '../services/sites.ts';
import type { Usage } from '../services/usage/usage.ts';
import type { WebPhones } from '../services/web-phones.ts';
import type { Webhooks } from '../services/webhooks/webhooks.ts';

/** Which parts can do their work now. */
export interface Readiness {
  readonly store: boolean;
  readonly sip: boolean;
  readonly media: boolean;
}

/**
 * What the API needs of the rest of Hotdesk. A "no" is a refusal, the store being away included; a rejection means
 * something is broken and becomes a 500. Where a result is `unknown`, anything but a refusal means done.
 */
export interface HttpServices {
  readonly view: AdminView;
  readonly hotDesk: {
    associate(command: {
      readonly host: string;
      readonly extension: string;
      readonly actor: string;
    }): Promise<{ readonly association: Association } | Refusal>;
    /** Ends the association at the host; `generation`: this one alone. */
    release(command: {
      readonly host: string;
      readonly actor: string;
      readonly generation?: number | undefined;
    }): Promise<unknown>;
  };
  readonly directory: {
    /** The whole directory as YAML, in the form `importYaml` takes. */
    exportYaml(): Promise<string | Refusal>;
    /** Replaces the directory. A refusal's `detail` says what is wrong and where, without secrets. */
    importYaml(
      text: string,
      options: { readonly actor: string; readonly release?: boolean },
    ): Promise<unknown>;
    updateCompany(change: CompanyChange, actor: string, ifTag?: string): Promise<Company | DirectoryRefusal>;
    updateUser(
      extension: string,
      change: (user: User) => User,
      options: { readonly actor: string; readonly ifTag?: string | undefined },
    ): Promise<User | DirectoryRefusal>;
  };
  readonly hosts: Pick<Hosts, 'change' | 'verifyAddress'>;
  readonly guests: Pick<Guests, 'connect' | 'disconnect' | 'change'>;
  readonly addOns: Pick<AddOns, 'assign'>;
  readonly lists: Pick<DirectoryLists, 'hosts' | 'users' | 'sites' | 'hostsFor'>;
  readonly people: Pick<People, 'add' | 'remove'>;
  readonly peopleImport: Pick<PeopleImport, 'run'>;
  readonly phones: Pick<Phones, 'add' | 'remove' | 'unassign' | 'convert' | 'assign'>;
  readonly orders: Pick<Orders, 'catalogue' | 'quote' | 'create' | 'get' | 'change' | 'ready' | 'convert'>;
  readonly orderBook: Pick<OrderBook, 'page' | 'all'>;
  readonly sites: Pick<Sites, 'add' | 'change' | 'remove'>;
  readonly replays: Pick<Replays, 'run'>;
  readonly live: Pick<Live, 'watch' | 'look'>;
  readonly hotelingSecrets: Pick<HotelingSecrets, 'enable' | 'disable'>;
  readonly passcodes: {
    /** Sets a person's passcode and lifts a lock-out; a refusal's `problems` are the rules it breaks. */
    set(extension: string, passcode: string, actor: string): Promise<'done' | PasscodeRefusal>;
    /** A random one that the first login replaces. */
    giveOneTime(extension: string, actor: string): Promise<{ readonly passcode: string } | Refusal>;
    /** Lifts a person's lock-out after wrong passcodes. */
    unlock(extension: string, actor: string): Promise<unknown>;
  };
  readonly webhooks: Pick<
    Webhooks,
    | 'list'
    | 'get'
    | 'create'
    | 'change'
    | 'renewSecret'
    | 'remove'
    | 'test'
    | 'deadLetters'
    | 'deliveries'
    | 'resend'
  >;
  readonly audit: Pick<Audit, 'page' | 'stays' | 'export' | 'exportStays'>;
  readonly usage: Pick<Usage, 'report'>;
  readonly emergencies: Pick<EmergencyNotices, 'list' | 'acknowledge'>;
  readonly signIn: Pick<SignIn, 'signIn' | 'begin' | 'session' | 'lasts' | 'signOut'>;
  readonly ownSessions: Pick<OwnSessions, 'list' | 'end'>;
  readonly accounts: Pick<
    Accounts,
    | 'list'
    | 'get'
    | 'create'
    | 'change'
    | 'remove'
    | 'signOut'
    | 'reset'
    | 'setPassword'
    | 'changePassword'
    | 'beginTotp'
    | 'confirmTotp'
    | 'removeOwnTotp'
    | 'removeTotp'
    | 'needsSetUp'
    | 'setUp'
  >;
  /** Absent: no identity provider is configured. */
  readonly providerSignIn?: Pick<ProviderSignIn, 'begin' | 'finish'> | undefined;
  /** For people, on a button. */
  readonly providerName: string;
  readonly apiTokens: Pick<ApiTokens, 'list' | 'create' | 'remove' | 'find'>;
  readonly webPhones: Pick<WebPhones, 'url' | 'about'>;
  readiness(): Readiness;
}

/** The process's logger, as far as HTTP needs it. */
export interface HttpLog {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface HttpOptions {
  /** Address to bind. */
  readonly host: string;
  /** Port to bind; 0 lets the system choose. */
  readonly port: number;
  /** Where the pages are; absent: there are none. */
  readonly portalFolder?: string | undefined;
  readonly adminToken: string;
  /** Proxies in front of this server, whose X-Forwarded-For and X-Forwarded-Proto are believed. */
  readonly trustedProxies?: readonly string[];
  /** Of one account or token; five times as many of one address. */
  readonly requestsPerMinute?: number;
  /** How long a connection may stand without a word, ms. */
  readonly idleMs?: number;
  /** How long a request may take to come, ms. */
  readonly requestMs?: number;
  /** Of one address that is no trusted proxy. */
  readonly connectionsPerSource?: number;
  readonly services: HttpServices;
  readonly log: HttpLog;
  /** Milliseconds of any clock that only goes forward. */
  readonly now: () => number;
}

export interface Http {
  /** Listens; resolves with the address in use. */
  start(): Promise<{ readonly host: string; readonly port: number }>;
  /** Takes no new requests, lets those in hand finish, closes. */
  stop(): Promise<void>;
}
