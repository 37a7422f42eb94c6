import type { Association, ChangeEvent, EndReason } from '../domain/association.ts';
import type { BindingSet } from '../domain/binding.ts';

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
  readonly occupied: 'deny' | 'takeover';
  readonly secondDesk: 'move' | 'deny';
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

/** Who guesses, where, from which address: one counter each. */
export interface GuessKey {
  readonly extension: string;
  readonly host: string;
  readonly source: string;
}

export type GuessReply =
  | { readonly outcome: 'reserved' }
  | { readonly outcome: 'wait'; readonly waitMs: number; readonly counter: 'extension' | 'host' | 'source' }
  | { readonly outcome: 'locked' };

/** Directory entries as stored: `company`, `site:<id>`, `user:<extension>`, `host:<id>` to their JSON values. */
export type DirectoryEntries = ReadonlyMap<string, unknown>;

export interface Snapshot {
  /** Log position at which all of this is true. What is past its deadline but not yet ended is still in it. */
  readonly seq: number;
  /** ms since 1970 by the store's clock when taken. */
  readonly now: number;
  readonly associations: readonly Association[];
  readonly directory: DirectoryEntries;
  readonly bindings: ReadonlyMap<string, BindingSet>;
}

/**
 * Receives the state and then every change, in order, without gaps; a gap or a new connection leads to a new
 * `onSnapshot`, which replaces all that was known. A `directory` event says that the directory has changed, not how:
 * `snapshot()` has it. A receiver that throws gets the state anew.
 */
export interface Follower {
  onSnapshot(snapshot: Snapshot): void;
  onEvent(event: ChangeEvent): void;
  onBindings(aor: string, set: BindingSet): void;
  /** In touch with the store at this moment (also when nothing changed); `offsetMs` = store clock − ours. */
  onContact(offsetMs: number): void;
}

/** State of one company. Every method rejects with StoreUnavailable when the store does not answer in time. */
export interface Store {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Whether commands are likely to be answered now; never blocks. */
  readonly available: boolean;
  /**
   * Associates, moves or takes over in one step; who is here already is left as they are. When it rejects, nobody is
   * associated: what was carried out all the same is undone in the background. A repeat with the same `opId` may
   * follow at once, and what it answers stands.
   */
  associate(command: AssociateCommand): Promise<AssociateReply>;
  /** Ends one association. When it rejects, the end may have happened all the same. */
  end(command: EndCommand): Promise<EndReply>;
  /** Ends what is past its deadline, at most `limit`; any node, any number of times. */
  claimDue(limit: number): Promise<ClaimReply>;
  snapshot(): Promise<Snapshot>;
  /** Follows until the signal aborts; retries for ever by itself. Resolves after the first snapshot or on abort. */
  follow(follower: Follower, signal: AbortSignal): Promise<void>;
  /** Reserves one guess before the slow hash; parallel guesses on all nodes share one budget. */
  reserveGuess(key: GuessKey): Promise<GuessReply>;
  /** Gives back a guess that was right. */
  confirmGuess(key: GuessKey): Promise<void>;
  /** Administrator's unlock of a person. */
  clearGuesses(extension: string): Promise<void>;
  /**
   * Puts and removes directory entries in one step and logs one `directory` event. With `ifEmpty` nothing is
   * written when the company exists already; the reply says whether it was written.
   */
  writeDirectory(command: {
    readonly put: DirectoryEntries;
    readonly remove: readonly string[];
    readonly ifEmpty?: boolean;
    readonly actor: string;
  }): Promise<boolean>;
  /**
   * Replaces an AOR's bindings if its version is still `expected`, and stores them as version `expected + 1`
   * (`set.version` is not read); false when another writer was first. When nothing is stored any more because all
   * bindings have lapsed, any `expected` is right. The contacts lapse in the store with the latest `expiresAt`, by the
   * store's clock. @throws TypeError unless the AOR is `[A-Za-z0-9._-]{1,64}`
   */
  writeBindings(aor: string, expected: number, set: BindingSet): Promise<boolean>;
}
