import type { Association, ChangeEvent } from '../domain/association.ts';
import type { Binding, BindingSet } from '../domain/binding.ts';
import type { Directory } from '../domain/directory.ts';
import { DirectoryTable } from '../domain/directory-table.ts';
import type { EmergencyRecord } from '../domain/emergency-record.ts';
import { type AssociationState, applyChange, isOverdue, stateAt } from '../domain/fold.ts';
import type { AdminView, View } from '../domain/view.ts';
import type { DirectoryLoading, Follower, SharedEntry, SharedLoading, Snapshot } from '../store/store.ts';
import { BindingTable } from './binding-table.ts';
import { type EntryKey, parseEntry, parseEntryName } from './directory-document.ts';
import { OpenEmergencies } from './open-emergencies.ts';
import type { Clock, Log, Timers } from './ports.ts';
import { SharedMemory } from './shared-memory.ts';
import { VersionInUse } from './version-in-use.ts';

const FRESH_MS = 1_500;
const USABLE_MS = 12 * 3_600_000;
const OFFSET_ALARM_MS = 1_000;

export interface LocalViewDependencies {
  readonly clock: Clock & Timers;
  readonly log: Log;
}

/**
 * What this node knows, kept by following the store: calls are decided from here and never wait. With the store away
 * the last known state goes on, deadlines included, for 12 h.
 */
export class LocalView implements AdminView, Follower {
  readonly shared: SharedMemory;
  readonly #deps: LocalViewDependencies;
  readonly #listeners = new Set<(event: ChangeEvent) => void>();
  readonly #reconnected = new Set<() => void>();
  readonly #emergencies = new OpenEmergencies();
  readonly #emergencyListeners = new Set<(record: EmergencyRecord) => void>();
  /** What the disk had of the directory, for emergency calls while there is none. */
  #emergencyDirectory: Directory | undefined;
  #state: AssociationState | undefined;
  #table: DirectoryTable | undefined;
  /** Names of stored entries that are not in the table because they are not valid here. */
  #unreadable = new Set<string>();
  /** The state was loaded anew, and the directory in use may be older than it. */
  #isDirectoryBehind = false;
  readonly #version: VersionInUse;
  readonly #bindingListeners = new Set<(host: string) => void>();
  readonly #bindings = new BindingTable((host) =>
    this.#each(this.#bindingListeners, (listen) => listen(host)),
  );
  /** Host → generation of what is over here and not yet in the store. */
  readonly #ended = new Map<string, number>();
  #lastContact = Number.NEGATIVE_INFINITY;
  #offset = 0;
  #offsetAlarm = false;

  constructor(deps: LocalViewDependencies) {
    this.#deps = deps;
    this.#version = new VersionInUse(deps.clock);
    this.shared = new SharedMemory({ now: () => this.now(), log: deps.log });
  }

  get knowledge(): View['knowledge'] {
    const silence = this.#deps.clock.now() - this.#lastContact;
    if (!this.#state || silence >= USABLE_MS) return 'unknown';
    return silence < FRESH_MS ? 'fresh' : 'stale';
  }

  get directory(): Directory | undefined {
    return this.#table?.isComplete ? this.#table : undefined;
  }

  get emergencyDirectory(): Directory | undefined {
    return this.directory ?? this.#emergencyDirectory;
  }

  /** What emergency calls go by until there is a directory: company, sites and hosts from this node's disk. */
  useEmergencyDirectory(directory: Directory): void {
    this.#emergencyDirectory = directory;
  }

  /** One record for each desk with this number, newest first. */
  emergencyRecords(callbackNumber: string): readonly EmergencyRecord[] {
    return this.#emergencies.of(callbackNumber, this.now());
  }

  /** All open records, newest first, at most 10,000. */
  openEmergencies(): readonly EmergencyRecord[] {
    return this.#emergencies.all(this.now());
  }

  /** Opens records here at once, whether the store has them or not. They stay until their callback time is over. */
  keepEmergencies(records: Iterable<EmergencyRecord>): void {
    for (const record of records) {
      if (!this.#emergencies.add(record, this.now())) continue;
      this.#each(this.#emergencyListeners, (listen) => listen(record));
    }
  }

  /** Called for each record opened here, wherever it comes from. */
  onEmergency(listener: (record: EmergencyRecord) => void): () => void {
    this.#emergencyListeners.add(listener);
    return () => this.#emergencyListeners.delete(listener);
  }

  get directoryVersion(): number {
    return this.#version.value;
  }

  /**
   * Whether the directory is known to be without this entry. Not while it is being loaded, and not when there is one
   * that this node cannot read.
   */
  lacks(key: Exclude<EntryKey, { readonly kind: 'company' }>): boolean {
    const { directory } = this;
    if (!directory || !this.knows(key)) return false;
    const { sites, users, hosts, webhooks, accounts, tokens } = directory;
    const maps = {
      site: sites,
      user: users,
      host: hosts,
      webhook: webhooks,
      account: accounts,
      token: tokens,
    };
    return !maps[key.kind].has(key.id);
  }

  /** Whether what the directory says of this entry, or that there is none, is so: see `lacks`. */
  knows({ kind, id }: Exclude<EntryKey, { readonly kind: 'company' }>): boolean {
    return this.directory !== undefined && !this.#isDirectoryBehind && !this.#unreadable.has(`${kind}:${id}`);
  }

  /** Resolves when this version of the directory, or a later one, is in use; false after a second, or `patienceMs`. */
  whenDirectory(version: number, patienceMs?: number): Promise<boolean> {
    return this.#version.when(version, patienceMs);
  }

  /** The store's clock as far as this node knows it, ms since 1970. */
  now(): number {
    return this.#deps.clock.now() + this.#offset;
  }

  associationAt(host: string): Association | undefined {
    return this.#live(this.#state?.byHost.get(host));
  }

  associationOf(extension: string): Association | undefined {
    return this.#live(this.#state?.byGuest.get(extension));
  }

  /** All live associations. */
  *associations(): Iterable<Association> {
    for (const association of this.#state?.byHost.values() ?? []) {
      if (this.#live(association)) yield association;
    }
  }

  /** An association that is over as far as this node is concerned, though the store does not know yet. */
  endHere({ host, generation }: Association): void {
    this.#ended.set(host, generation);
  }

  bindingsOf(host: string): readonly Binding[] {
    return this.#bindings.of(host, this.now());
  }

  lastSeenAt(host: string): number | undefined {
    return this.#bindings.seenAt(host);
  }

  /** In constant time, however many phones there are; of several over one flow the one that came first. */
  hostByFlow(address: string, port: number): string | undefined {
    const { emergencyDirectory: directory } = this;
    for (const host of this.#bindings.hostsAt(address, port, this.now()))
      if (directory?.hosts.has(host)) return host;
    return undefined;
  }

  /** Bindings to decide a REGISTER by, with the version the store is known to have. */
  bindingSetOf(aor: string): BindingSet {
    return this.#bindings.setOf(aor);
  }

  /** Bindings this node just wrote to the store: valid here at once, not only when they come back. */
  bindingsSaved(aor: string, set: BindingSet): void {
    this.#bindings.saved(aor, set, this.now());
  }

  /** Bindings read from the store out of turn, after a lost race. */
  bindingsRead(aor: string, set: BindingSet | undefined): void {
    this.#bindings.put(aor, set);
  }

  /** Bindings the store could not take: they count on this node until they can be written. */
  bindingsUnsaved(aor: string, bindings: readonly Binding[]): void {
    this.#bindings.keep(aor, bindings, this.now());
  }

  unsavedAors(): string[] {
    return this.#bindings.unsavedAors();
  }

  /** Bindings this node's disk had: they count until the store says which there are. */
  rememberBindings(bindings: ReadonlyMap<string, readonly Binding[]>): void {
    this.#bindings.remember(bindings);
  }

  /** Called for each host whose bindings have changed, refreshes included; not when all are loaded anew. */
  onBindingsChange(listener: (host: string) => void): () => void {
    this.#bindingListeners.add(listener);
    return () => this.#bindingListeners.delete(listener);
  }

  /** Called for each change, in order, after it took effect here; a directory change when the new one is in use. */
  onChange(listener: (event: ChangeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called at the first contact with the store after a silence, or ever. */
  onReconnect(listener: () => void): () => void {
    this.#reconnected.add(listener);
    return () => this.#reconnected.delete(listener);
  }

  onSnapshot(snapshot: Snapshot): void {
    const before = this.#state;
    const after = stateAt(snapshot.seq, snapshot.associations);
    this.#state = after;
    this.#isDirectoryBehind = true;
    this.#bindings.load(snapshot.bindings, snapshot.seen);
    for (const [host, generation] of this.#ended) {
      if (after.byHost.get(host)?.generation !== generation) this.#ended.delete(host);
    }
    this.#contact(snapshot.now - this.#deps.clock.now());
    this.keepEmergencies(snapshot.emergencies);
    if (before) this.#announceDifferences(before, after);
  }

  /** A large directory comes in many pages; the one in use stays until the last. */
  onDirectory(): DirectoryLoading {
    const table = new DirectoryTable();
    const unreadable = new Set<string>();
    return {
      page: (entries) => {
        for (const [name, value] of entries) {
          if (!this.#putEntry(table, name, value)) unreadable.add(name);
        }
      },
      done: (version) => {
        const isFirst = this.#table === undefined;
        this.#table = table;
        this.#unreadable = unreadable;
        this.#isDirectoryBehind = false;
        const changed = version !== this.#version.value;
        this.#version.use(version);
        const event = { kind: 'directory', seq: version, at: this.now(), actor: 'unknown' } as const;
        if (changed && !isFirst) this.#tell({ ...event, entries: 'all' });
      },
    };
  }

  onEntries(entries: ReadonlyMap<string, unknown>): void {
    if (!this.#table) return;
    for (const [name, value] of entries) {
      const key = parseEntryName(name);
      this.#unreadable.delete(name);
      if (value !== undefined) {
        if (key?.kind === 'host' && !this.#table.hosts.has(key.id)) this.#bindings.forgetSeen(key.id);
        if (!this.#putEntry(this.#table, name, value)) this.#unreadable.add(name);
      } else if (key && key.kind !== 'company') this.#table.remove(key.kind, key.id);
    }
  }

  /** @throws Error when a change is missing: the store then has to give a new snapshot. */
  onEvent(event: ChangeEvent): void {
    if (!this.#state) return;
    this.#contact(this.#offset);
    const result = applyChange(this.#state, event);
    if (result === 'gap') throw new Error(`change ${event.seq} does not follow ${this.#state.seq}`);
    if (result === 'old') return;
    // A directory loaded since then has it already, and that was told.
    if (event.kind === 'directory' && event.seq <= this.#version.value) return;
    if (event.kind === 'directory') this.#version.use(event.seq);
    if (event.kind === 'end') this.#forgetEnded(event.association);
    if (event.kind === 'emergency') this.keepEmergencies([event.record]);
    this.#tell(event);
  }

  onSkipped(seq: number): void {
    if (this.#state && seq === this.#state.seq + 1) this.#state.seq = seq;
  }

  onBindings(aor: string, set: BindingSet): void {
    this.#bindings.take(aor, set, this.now());
  }

  onSharedEntries(position: number): SharedLoading {
    return this.shared.load(position);
  }

  onShared(name: string, entry: SharedEntry | undefined, position: number): void {
    this.shared.told(name, entry, position);
  }

  onContact(offsetMs: number): void {
    this.#contact(offsetMs);
    const alarm = Math.abs(offsetMs) > OFFSET_ALARM_MS;
    if (alarm && !this.#offsetAlarm) {
      this.#deps.log.warn(
        { offsetMs },
        'the clock of this node and that of the store differ by more than 1 s',
      );
    }
    this.#offsetAlarm = alarm;
  }

  #contact(offsetMs: number): void {
    const silent = this.knowledge !== 'fresh';
    this.#lastContact = this.#deps.clock.now();
    this.#offset = offsetMs;
    if (silent && this.#state) for (const listener of this.#reconnected) listener();
  }

  #live(association: Association | undefined): Association | undefined {
    if (!association || isOverdue(association, this.now())) return undefined;
    return this.#ended.get(association.host) === association.generation ? undefined : association;
  }

  /** An entry that is not valid is left out, or stays as it was: false. */
  #putEntry(table: DirectoryTable, name: string, value: unknown): boolean {
    const parsed = parseEntry(name, value);
    if ('problems' in parsed) {
      const { problems } = parsed;
      this.#deps.log.error({ problems }, 'an entry of the stored directory is not valid and is not used');
      return false;
    }
    table.put(parsed);
    return true;
  }

  #forgetEnded({ host, generation }: Association): void {
    if (this.#ended.get(host) === generation) this.#ended.delete(host);
  }

  /** After a gap the log entries themselves are lost to us, but not what they led to. */
  #announceDifferences(before: AssociationState, after: AssociationState): void {
    const at = this.now();
    // Not by generation alone: after a fail-over the log may have gone another way from some position on.
    const isIn = (state: AssociationState, { host, guest, generation, startedAt }: Association): boolean => {
      const there = state.byHost.get(host);
      return there?.generation === generation && there.guest === guest && there.startedAt === startedAt;
    };
    for (const association of before.byHost.values()) {
      if (isIn(after, association)) continue;
      const reason = isOverdue(association, at) ? 'expired' : 'released';
      this.#tell({ kind: 'end', seq: after.seq, at, actor: 'unknown', reason, association });
    }
    for (const association of after.byHost.values()) {
      if (isIn(before, association)) continue;
      const { generation: seq, startedAt } = association;
      const start = { kind: 'start', seq, at: startedAt, actor: 'unknown', reason: 'logIn' } as const;
      this.#tell({ ...start, association, previousHost: undefined });
    }
  }

  #tell(event: ChangeEvent): void {
    this.#each(this.#listeners, (listen) => listen(event));
  }

  #each<T>(listeners: ReadonlySet<T>, call: (listener: T) => void): void {
    for (const listener of listeners) {
      try {
        call(listener);
      } catch (error) {
        this.#deps.log.error({ err: error }, 'a listener failed on a change');
      }
    }
  }
}
