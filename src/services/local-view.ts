import type { Association, ChangeEvent } from '../domain/association.ts';
import type { Binding, BindingSet } from '../domain/binding.ts';
import type { Directory } from '../domain/directory.ts';
import { type AssociationState, applyChange, isOverdue, stateAt } from '../domain/fold.ts';
import type { View } from '../domain/view.ts';
import type { DirectoryEntries, Follower, Snapshot, Store } from '../store/store.ts';
import { parseEntries } from './directory-document.ts';
import type { Clock, Log } from './ports.ts';

const FRESH_MS = 1_500;
const USABLE_MS = 12 * 3_600_000;
const OFFSET_ALARM_MS = 1_000;
const NO_BINDINGS: BindingSet = { version: 0, bindings: [] };

export interface LocalViewDependencies {
  readonly store: Pick<Store, 'snapshot'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * What this node knows, kept by following the store: calls are decided from here and never wait. With the store away
 * the last known state goes on, deadlines included, for 12 h.
 */
export class LocalView implements View, Follower {
  readonly #deps: LocalViewDependencies;
  readonly #listeners = new Set<(event: ChangeEvent) => void>();
  readonly #reconnected = new Set<() => void>();
  #state: AssociationState | undefined;
  #directory: Directory | undefined;
  #directoryText = '';
  #bindings = new Map<string, BindingSet>();
  /** What this node's registrar could not write yet; goes before what the store says. */
  readonly #unsaved = new Map<string, readonly Binding[]>();
  /** Versions this node wrote and has not read back: what the stream says of earlier ones is old news. */
  readonly #ahead = new Map<string, number>();
  #lastContact = Number.NEGATIVE_INFINITY;
  #offset = 0;
  #offsetAlarm = false;
  /** A directory change whose content has not been read yet. */
  #directoryEvent: Extract<ChangeEvent, { kind: 'directory' }> | undefined;
  #reloading = false;

  constructor(deps: LocalViewDependencies) {
    this.#deps = deps;
  }

  get knowledge(): View['knowledge'] {
    const silence = this.#deps.clock.now() - this.#lastContact;
    if (!this.#state || silence >= USABLE_MS) return 'unknown';
    return silence < FRESH_MS ? 'fresh' : 'stale';
  }

  get directory(): Directory | undefined {
    return this.#directory;
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

  bindingsOf(host: string): readonly Binding[] {
    const now = this.now();
    const all = this.#unsaved.get(host) ?? this.#bindings.get(host)?.bindings ?? [];
    return all.every((binding) => binding.expiresAt > now)
      ? all
      : all.filter((binding) => binding.expiresAt > now);
  }

  /** Bindings to decide a REGISTER by, with the version the store is known to have. */
  bindingSetOf(aor: string): BindingSet {
    const stored = this.#bindings.get(aor) ?? NO_BINDINGS;
    return { version: stored.version, bindings: this.#unsaved.get(aor) ?? stored.bindings };
  }

  /** Bindings this node just wrote to the store: valid here at once, not only when they come back. */
  bindingsSaved(aor: string, set: BindingSet): void {
    this.#setBindings(aor, set);
    this.#ahead.set(aor, set.version);
  }

  /** Bindings read from the store out of turn, after a lost race. */
  bindingsRead(aor: string, set: BindingSet | undefined): void {
    this.#setBindings(aor, set ?? NO_BINDINGS);
  }

  /** Bindings the store could not take: they count on this node until they can be written. */
  bindingsUnsaved(aor: string, bindings: readonly Binding[]): void {
    this.#unsaved.set(aor, bindings);
  }

  unsavedAors(): string[] {
    return [...this.#unsaved.keys()];
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
    this.#bindings = new Map(snapshot.bindings);
    this.#ahead.clear();
    this.#contact(snapshot.now - this.#deps.clock.now());
    this.#takeDirectory(snapshot, before === undefined);
    if (before) this.#announceDifferences(before, after);
  }

  /** @throws Error when a change is missing: the store then has to give a new snapshot. */
  onEvent(event: ChangeEvent): void {
    if (!this.#state) return;
    this.#contact(this.#offset);
    const result = applyChange(this.#state, event);
    if (result === 'gap') throw new Error(`change ${event.seq} does not follow ${this.#state.seq}`);
    if (result === 'old') return;
    if (event.kind !== 'directory') this.#tell(event);
    else {
      this.#directoryEvent = event;
      this.#reloadIfNeeded();
    }
  }

  onBindings(aor: string, set: BindingSet): void {
    if (set.version < (this.#ahead.get(aor) ?? 0)) return;
    this.#ahead.delete(aor);
    this.#setBindings(aor, set);
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
    this.#reloadIfNeeded();
  }

  #contact(offsetMs: number): void {
    const silent = this.knowledge !== 'fresh';
    this.#lastContact = this.#deps.clock.now();
    this.#offset = offsetMs;
    if (silent && this.#state) for (const listener of this.#reconnected) listener();
  }

  #live(association: Association | undefined): Association | undefined {
    return association && !isOverdue(association, this.now()) ? association : undefined;
  }

  #setBindings(aor: string, { version, bindings }: BindingSet): void {
    this.#bindings.set(aor, { version, bindings: bindings.toSorted((a, b) => b.q - a.q) });
    this.#unsaved.delete(aor);
  }

  /** Whether another directory is in use now. Bad entries leave the last good one in place. */
  #readDirectory(entries: DirectoryEntries): boolean {
    const text = JSON.stringify([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
    if (text === this.#directoryText) return false;
    this.#directoryText = text;
    if (entries.size === 0) {
      this.#directory = undefined;
      return true;
    }
    const parsed = parseEntries(entries);
    if ('problems' in parsed) {
      this.#deps.log.error(
        { problems: parsed.problems },
        'the stored directory is not valid; the last good one stays',
      );
      return false;
    }
    this.#directory = parsed.directory;
    return true;
  }

  /** Reads the directory and tells of its change; the first one is no change. */
  #takeDirectory(snapshot: Snapshot, isFirst: boolean): void {
    const told = this.#directoryEvent;
    if (told && told.seq > snapshot.seq) return;
    this.#directoryEvent = undefined;
    const changed = this.#readDirectory(snapshot.directory);
    if (!told && (isFirst || !changed)) return;
    this.#tell(told ?? { kind: 'directory', seq: snapshot.seq, at: snapshot.now, actor: 'unknown' });
  }

  /** After a gap the log entries themselves are lost to us, but not what they led to. */
  #announceDifferences(before: AssociationState, after: AssociationState): void {
    const at = this.now();
    const isIn = (state: AssociationState, association: Association): boolean =>
      state.byHost.get(association.host)?.generation === association.generation;
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
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#deps.log.error({ err: error, kind: event.kind }, 'a listener failed on a change');
      }
    }
  }

  #reloadIfNeeded(): void {
    if (!this.#reloading && this.#directoryEvent) void this.#reload();
  }

  /** Only the directory: changes of associations come by the stream. When this fails, the next contact tries again. */
  async #reload(): Promise<void> {
    this.#reloading = true;
    try {
      this.#takeDirectory(await this.#deps.store.snapshot(), false);
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'could not read the changed directory; trying again');
    } finally {
      this.#reloading = false;
    }
  }
}
