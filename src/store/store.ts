import type { Association, ChangeEvent, EndReason, Notice } from '../domain/association.ts';
import type { BindingSet } from '../domain/binding.ts';
import type { EmergencyRecord, EmergencyStage } from '../domain/emergency-record.ts';
import type { OrderStore, OrderWrite } from './order-store.ts';

export * from './order-store.ts';

/** The store cannot answer in time, or cannot keep what it is told. Nothing was acknowledged. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

export interface AssociateCommand {
  readonly host: string;
  readonly guest: string;
  readonly site: string;
  /** ms, or 'never'. */
  readonly limitMs: number | 'never';
  /** ms without a call after which it ends. */
  readonly idleLimitMs: number | 'never';
  readonly occupied: 'deny' | 'takeover';
  readonly secondDesk: 'move' | 'deny';
  /** What both are called now, for the log. */
  readonly names?: Association['names'];
  /** Who acts: `guest`, `admin:<name>`, `node:<id>`. */
  readonly actor: string;
  /** Fresh random UUID per user action; the same for each retry of it. */
  readonly opId: string;
}

export type AssociateReply =
  | {
      readonly outcome: 'associated';
      readonly association: Association;
      readonly movedFrom: string | undefined;
      readonly replay: boolean;
    }
  | { readonly outcome: 'occupied'; readonly by: Association }
  /** Second-desk policy `deny` and the guest sits at another host. */
  | { readonly outcome: 'elsewhere'; readonly at: Association }
  | { readonly outcome: 'alreadyHere'; readonly association: Association };

/** Moves the deadline of an association that is still there. */
export type ExtendCommand = {
  readonly host: string;
  /** Fence: only this association. */
  readonly generation: number;
  readonly actor: string;
} & (
  | /** A call begins or goes on: an idle limit starts anew, other limits stay. */ { readonly reason: 'call' }
  /** The guest stays: this limit from now on. */
  | { readonly reason: 'stay'; readonly limitMs: number | 'never' }
);

/** `unchanged`: nothing to move; `gone`: over, or another association by now. */
export type ExtendReply =
  | { readonly outcome: 'extended'; readonly association: Association }
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'gone' };

export interface EndCommand {
  /** By host, by guest, or both (then the guest must sit there). */
  readonly host?: string;
  readonly guest?: string;
  /** Fence: end only this association. */
  readonly generation?: number;
  readonly reason: Extract<EndReason, 'loggedOut' | 'released'>;
  readonly actor: string;
  readonly opId: string;
}

export type EndReply =
  | { readonly outcome: 'ended'; readonly association: Association; readonly replay: boolean }
  | { readonly outcome: 'none' }
  | { readonly outcome: 'notYours' }
  | { readonly outcome: 'stale' };

export interface ClaimReply {
  readonly ended: number;
  /** ms since 1970 by the store's clock, or undefined when nothing has a deadline. */
  readonly nextDeadline: number | undefined;
  readonly now: number;
}

/** Whom somebody claims to be, where, from which address: a counter each, and one for the person at that host. */
export interface GuessKey {
  /** An extension; one that is nobody's comes blinded (services/passcodes), as it may be a passcode. */
  readonly extension: string;
  /** Whether a user has this extension: only then may it be written down. */
  readonly known?: boolean;
  readonly host: string;
  readonly source: string;
  /** For whom the limits are; absent: for people at phones. Of an account none locks it. */
  readonly limits?: 'account';
}

/** `pair`: the person at that host. */
export type GuessCounter = 'extension' | 'pair' | 'host' | 'source';

export type GuessReply =
  | { readonly outcome: 'reserved' }
  | { readonly outcome: 'wait'; readonly waitMs: number; readonly counter: GuessCounter }
  | { readonly outcome: 'locked' };

/**
 * Directory entries as stored: `company`, `site:<id>`, `user:<extension>`, `host:<id>`, `webhook:<id>`,
 * `account:<id>`, `token:<id>` to their JSON values.
 */
export type DirectoryEntries = ReadonlyMap<string, unknown>;

export interface DirectoryWrite {
  readonly put: DirectoryEntries;
  readonly remove: readonly string[];
  readonly actor: string;
  /** Write only if there is no company yet. */
  readonly ifEmpty?: boolean;
  /** Write only if this is still the version: nobody else wrote since it was read. */
  readonly ifVersion?: number;
  /** Logged in the same step; about a person or a host. */
  readonly notice?: { readonly notice: Notice; readonly extension?: string; readonly host?: string };
  /** Written in the same step, or neither is. */
  readonly order?: OrderWrite;
}

/** `version` is that of the directory now: the log position of its last change. */
export interface DirectoryWritten {
  readonly outcome: 'written' | 'exists' | 'conflict' | 'orderChanged' | 'ordersFull';
  readonly version: number;
  /** As it was written. */
  readonly order?: { readonly id: string; readonly revision: number };
}

export interface Snapshot {
  /** Log position at which all of this is true. What is past its deadline but not yet ended is still in it. */
  readonly seq: number;
  /** ms since 1970 by the store's clock when taken. */
  readonly now: number;
  readonly associations: readonly Association[];
  /** Emergency records whose callback time is not over. */
  readonly emergencies: readonly EmergencyRecord[];
  readonly bindings: ReadonlyMap<string, BindingSet>;
  /** When each phone last registered or left, ms since 1970; of 400 days. */
  readonly seen: ReadonlyMap<string, number>;
}

/** Names of shared entries and of recordings. */
export const SHARED_NAME = /^[A-Za-z0-9._:@-]{1,200}$/;
/** Bytes of a shared value as JSON. */
export const LARGEST_SHARED = 4_096;
/** Shared entries of a company; what was removed is counted for another minute. */
export const MOST_SHARED = 100_000;
/** Bytes. */
export const LARGEST_RECORDING = 131_072;

/** What an account may have at once; the oldest end. */
export const MOST_SESSIONS = 20;
/** However often it is asked for. */
export const LONGEST_SESSION_MS = 7 * 24 * 3_600_000;

export interface KeptSession {
  readonly hash: string;
  readonly value: unknown;
  /** ms until it ends, unless it is used. */
  readonly leftMs: number;
}

/** A small thing that nodes tell each other: the state of a line or a mailbox, a subscription. */
export interface SharedEntry {
  /** JSON value, at most 4 KiB as text. */
  readonly value: unknown;
  /** ms since 1970 by the store's clock. */
  readonly expiresAt: number;
}

/** Takes all shared entries page by page, as there may be many; at `done` what was in no page is gone. */
export interface SharedLoading {
  /** undefined: removed meanwhile. */
  page(entries: ReadonlyMap<string, SharedEntry | undefined>): void;
  done(): void;
}

/** Takes the whole directory page by page, as it may be large; `done` puts it in the place of what was known. */
export interface DirectoryLoading {
  page(entries: DirectoryEntries): void;
  /** The directory is at least as new as this version. */
  done(version: number): void;
}

/**
 * Receives the state and then every change, in order, without gaps; a gap or a new connection leads to a new
 * `onSnapshot`, `onSharedEntries` and `onDirectory`, which replace all that was known. Before a `directory` event come
 * the entries it names; before one that names none, all of the directory. A receiver that throws gets the state anew.
 */
export interface Follower {
  onSnapshot(snapshot: Snapshot): void;
  /** Writes up to this position are in the pages; of later ones some, which `onShared` tells of again. */
  onSharedEntries(position: number): SharedLoading;
  onDirectory(): DirectoryLoading;
  /** Entries as they are now; undefined: removed. */
  onEntries(entries: ReadonlyMap<string, unknown>): void;
  onEvent(event: ChangeEvent): void;
  /** An entry of the log only a later version can read, and that changes nothing of what is followed here. */
  onSkipped(seq: number): void;
  onBindings(aor: string, set: BindingSet): void;
  /** undefined: removed. `position`: that of the write, which grows from one to the next. */
  onShared(name: string, entry: SharedEntry | undefined, position: number): void;
  /** In touch with the store at this moment (also when nothing changed); `offsetMs` = store clock − ours. */
  onContact(offsetMs: number): void;
}

export interface Consumer {
  /** `[a-z0-9:-]{1,80}`; its place in the log is kept under it. */
  readonly name: string;
  take(event: ChangeEvent, signal: AbortSignal): Promise<void>;
  /** Entries were forgotten before this consumer took them. */
  missed(from: number, to: number): void;
}

export interface HistoryQuery {
  readonly host?: string | undefined;
  readonly guest?: string | undefined;
  /** ms since 1970 by the store's clock, inclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly kinds?: readonly ChangeEvent['kind'][] | undefined;
  /** At most this many, 1–1000. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

export interface HistoryPage {
  readonly events: readonly ChangeEvent[];
  /** For the page that follows; undefined: that was all. */
  readonly next: string | undefined;
}

export interface DeadLetter {
  readonly consumer: string;
  /** Absent: entries that were forgotten before they were taken. */
  readonly event?: ChangeEvent | undefined;
  /** Why, without secrets. */
  readonly problem: string;
  /** ms since 1970. */
  readonly at: number;
}

/** As the store keeps it; `id` is its own. */
export interface KeptLetter extends DeadLetter {
  readonly id: string;
}

/** Of one webhook; older ones are forgotten, and all of them two weeks after the last. */
export const MOST_ATTEMPTS = 100;

/** A try to deliver to a webhook. Times in ms since 1970. */
export interface WebhookAttempt {
  readonly at: number;
  /** Id of the message. */
  readonly message: string;
  /** Type of the message. */
  readonly type: string;
  /** `resend`: of a dead letter. */
  readonly cause: 'change' | 'test' | 'resend';
  /** The first is 1. */
  readonly try: number;
  readonly delivered: boolean;
  /** HTTP status, when there was an answer. */
  readonly status?: number | undefined;
  /** Why it failed, without secrets. */
  readonly problem?: string | undefined;
  readonly durationMs: number;
  /** When it is tried again; absent: it is not. */
  readonly nextAt?: number | undefined;
}

/** State of one company. Every method rejects with StoreUnavailable when the store does not answer in time. */
export interface Store extends OrderStore {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Whether commands are likely to be answered now; never blocks. */
  readonly available: boolean;
  /** Why logins are refused although the store answers, as a sentence: it could lose what it acknowledges. */
  readonly weakness: string | undefined;
  /**
   * Associates, moves or takes over in one step; who is here already is left as they are. When it rejects, nobody is
   * associated: what was carried out all the same is undone in the background. A repeat with the same `opId` may
   * follow at once, and what it answers stands.
   */
  associate(command: AssociateCommand): Promise<AssociateReply>;
  /** Ends one association. When it rejects, the end may have happened all the same. */
  end(command: EndCommand): Promise<EndReply>;
  /** Moves a deadline. */
  extend(command: ExtendCommand): Promise<ExtendReply>;
  /** Ends what is past its deadline, at most `limit`; any node, any number of times. */
  claimDue(limit: number): Promise<ClaimReply>;
  snapshot(): Promise<Snapshot>;
  /**
   * Follows until the signal aborts; retries for ever by itself. Resolves when the state is loaded, directory
   * included, or on abort.
   */
  follow(follower: Follower, signal: AbortSignal): Promise<void>;
  /**
   * Reserves one guess before the slow hash; parallel guesses on all nodes share one budget. The first guess that locks
   * a person, and the first that makes a host wait, are logged as notices.
   */
  reserveGuess(key: GuessKey): Promise<GuessReply>;
  /** Gives back a guess that was right. */
  confirmGuess(key: GuessKey): Promise<void>;
  /** Administrator's unlock of a person; logged. */
  clearGuesses(extension: string, actor: string): Promise<void>;
  /**
   * Keeps an emergency record until its callback time is over and logs an `emergency` event; the same id and stage
   * again changes nothing. Never waited for by a call.
   */
  noteEmergency(record: EmergencyRecord, stage: EmergencyStage, actor: string): Promise<void>;
  /** True for one caller in `ttlMs`, whichever node asks. `name`: `[A-Za-z0-9._:-]{1,100}`. */
  claimOnce(name: string, ttlMs: number): Promise<boolean>;
  /** Gives a claim back before its time, whosever it is: only for who still has it. */
  dropClaim(name: string): Promise<void>;
  /**
   * Takes every entry of the change log in order, from where it last got to, on one node at a time: another goes on
   * within seconds when that one dies. At least once: the consumer must not mind an entry again. The next entry waits until
   * `take` resolves; one that rejects gets the entry again, after a while. A new consumer begins at the end of the log.
   */
  consume(consumer: Consumer, signal: AbortSignal): Promise<void>;
  /** Forgets how far a consumer has got that will not come again. */
  forgetConsumer(name: string): Promise<void>;
  /** Entries of the change log, newest first. */
  history(query: HistoryQuery): Promise<HistoryPage>;
  /** Forgets entries older than this that every consumer has taken; says how many. `consumers`: those that count. */
  trimLog(retainMs: number, consumers: readonly string[]): Promise<number>;
  /** Keeps what could not be delivered, the newest thousand. */
  addDeadLetter(letter: DeadLetter): Promise<void>;
  /** Newest first. */
  deadLetters(limit: number): Promise<readonly KeptLetter[]>;
  /** False: there is no such letter. */
  dropDeadLetter(id: string): Promise<boolean>;
  /** Notes a try to deliver to a webhook; the newest hundred are kept. */
  noteAttempt(webhook: string, attempt: WebhookAttempt): Promise<void>;
  /** Newest first; at most a hundred. */
  attempts(webhook: string, limit: number): Promise<readonly WebhookAttempt[]>;
  /** Puts and removes directory entries in one step and logs one `directory` event. */
  writeDirectory(write: DirectoryWrite): Promise<DirectoryWritten>;
  /**
   * Replaces an AOR's bindings if its version is still `expected`, and stores them as version `expected + 1`
   * (`set.version` is not read); false when another writer was first. When nothing is stored any more because all
   * bindings have lapsed, any `expected` is right. The contacts lapse in the store with the latest `expiresAt`, by the
   * store's clock. @throws TypeError unless the AOR is `[A-Za-z0-9._-]{1,64}`
   */
  writeBindings(aor: string, expected: number, set: BindingSet): Promise<boolean>;
  /**
   * Puts or removes (undefined) a shared entry; every follower is told in order. The last writer wins. It lapses by
   * itself after `ttlMs`; who sees it must look at `expiresAt`. `name`: `[A-Za-z0-9._:@-]{1,200}`. Resolves with the
   * position of the write. @throws TypeError for a name or time that is none and for what is no JSON value of at most
   * 4 KiB, RangeError when there are 100,000 entries already
   */
  putShared(name: string, value: unknown, ttlMs: number): Promise<number>;
  /**
   * Keeps a recording of at most 128 KiB, such as `name:1001`, until it is removed (undefined). Names as above.
   * @throws TypeError for a name that is none and for a recording that is too long
   */
  keepRecording(name: string, audio: Uint8Array | undefined): Promise<void>;
  recording(name: string): Promise<Uint8Array | undefined>;
  /**
   * Keeps a session of an account for `ttlMs`. `hash`: SHA-256 of its id, 64 hex digits, as whoever reads the store must
   * not get in by what stands there. `value`: JSON. An account has 20 at most. @throws TypeError for another hash or time
   */
  keepSession(
    hash: string,
    session: { readonly account: string; readonly value: unknown; readonly ttlMs: number },
  ): Promise<void>;
  /** The value of a session, which lives `ttlMs` from now on, or as it did; undefined: it has ended, or never was. */
  session(hash: string, ttlMs?: number): Promise<unknown>;
  /** Those of an account that have not ended, in no order. Looking does not make them last. */
  sessionsOf(account: string): Promise<readonly KeptSession[]>;
  dropSession(hash: string): Promise<void>;
  dropSessionsOf(account: string): Promise<void>;
  /** Logs a notice by itself. */
  logNotice(notice: {
    readonly notice: Notice;
    readonly actor: string;
    readonly extension?: string | undefined;
    readonly host?: string | undefined;
  }): Promise<void>;
}
