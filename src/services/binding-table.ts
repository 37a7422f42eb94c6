import type { Binding, BindingSet } from '../domain/binding.ts';
import { FlowIndex } from './flow-index.ts';

const NONE: BindingSet = { version: 0, bindings: [] };

interface Unsaved {
  readonly bindings: readonly Binding[];
  /** ms since 1970 by the store's clock. */
  readonly at: number;
}

/** Which phones are where, as far as this node knows: from the store, what it could not write yet, and its own disk. */
export class BindingTable {
  #stored = new Map<string, BindingSet>();
  /** What this node's registrar could not write yet, and since when; goes before what the store says. */
  readonly #unsaved = new Map<string, Unsaved>();
  /** Versions this node wrote and has not read back: what the stream says of earlier ones is old news. */
  readonly #ahead = new Map<string, number>();
  /** Of before the start, until the store says its first word. */
  readonly #remembered = new Map<string, readonly Binding[]>();
  /** When each was last told of here or at another node, ms since 1970. */
  #seen = new Map<string, number>();
  #storeHasSpoken = false;
  readonly #flows = new FlowIndex();
  readonly #onChange: (aor: string) => void;

  /** `onChange` is told of each AOR that has changed, except when all are loaded anew. */
  constructor(onChange: (aor: string) => void) {
    this.#onChange = onChange;
  }

  /** Those that last beyond `now`, best q first. */
  of(aor: string, now: number): readonly Binding[] {
    const all = this.#current(aor);
    return all.every((binding) => binding.expiresAt > now)
      ? all
      : all.filter((binding) => binding.expiresAt > now);
  }

  /** What a REGISTER is decided by, with the version the store is known to have. */
  setOf(aor: string): BindingSet {
    const stored = this.#stored.get(aor) ?? NONE;
    return { version: stored.version, bindings: this.#unsaved.get(aor)?.bindings ?? stored.bindings };
  }

  /** Hosts registered over exactly this flow, one by one. */
  *hostsAt(address: string, port: number, now: number): Iterable<string> {
    for (const host of this.#flows.hostsAt({ address, port })) {
      const isLive = this.of(host, now).some(({ flow }) => flow.address === address && flow.port === port);
      if (isLive) yield host;
    }
  }

  /** When the phone last registered or left, as far as anybody knows. */
  seenAt(aor: string): number | undefined {
    return this.#seen.get(aor);
  }

  /** Another phone is to have this name. */
  forgetSeen(aor: string): void {
    this.#seen.delete(aor);
  }

  /** All that the store has. Of a phone that has since registered or signed off at another node, its word counts. */
  load(bindings: ReadonlyMap<string, BindingSet>, seen: ReadonlyMap<string, number>): void {
    this.#storeHasSpoken = true;
    this.#remembered.clear();
    this.#stored = new Map(bindings);
    this.#seen = new Map(seen);
    for (const [aor, { at }] of this.#unsaved) {
      if ((seen.get(aor) ?? 0) > at) this.#unsaved.delete(aor);
      else this.#seen.set(aor, at);
    }
    this.#ahead.clear();
    this.#flows.clear();
    for (const aor of this.#stored.keys()) this.#flows.replace(aor, [], this.#current(aor));
    for (const [aor, own] of this.#unsaved) this.#flows.replace(aor, [], own.bindings);
  }

  /** News from the store, which came `now`. */
  take(aor: string, set: BindingSet, now: number): void {
    this.#seen.set(aor, now);
    if (set.version < (this.#ahead.get(aor) ?? 0)) return;
    this.#ahead.delete(aor);
    this.put(aor, set);
  }

  /** What the store has of one AOR. */
  put(aor: string, { version, bindings }: BindingSet = NONE): void {
    this.#change(aor, () => {
      this.#stored.set(aor, { version, bindings: bindings.toSorted((a, b) => b.q - a.q) });
      this.#unsaved.delete(aor);
    });
  }

  /** What this node just wrote to the store, which may have told of it already, or of what came after. */
  saved(aor: string, set: BindingSet, now: number): void {
    this.#seen.set(aor, now);
    if ((this.#stored.get(aor)?.version ?? 0) >= set.version) return;
    this.put(aor, set);
    this.#ahead.set(aor, set.version);
  }

  /** What the store could not take. */
  keep(aor: string, bindings: readonly Binding[], now: number): void {
    this.#seen.set(aor, now);
    this.#change(aor, () => this.#unsaved.set(aor, { bindings, at: now }));
  }

  unsavedAors(): string[] {
    return [...this.#unsaved.keys()];
  }

  /** What the disk had: it counts until the store has said what it knows. */
  remember(bindings: ReadonlyMap<string, readonly Binding[]>): void {
    if (this.#storeHasSpoken) return;
    for (const [aor, each] of bindings) {
      const before = this.#current(aor);
      this.#remembered.set(aor, each);
      this.#flows.replace(aor, before, this.#current(aor));
    }
  }

  #current(aor: string): readonly Binding[] {
    const unsaved = this.#unsaved.get(aor)?.bindings;
    return unsaved ?? this.#stored.get(aor)?.bindings ?? this.#remembered.get(aor) ?? [];
  }

  #change(aor: string, change: () => void): void {
    const before = this.#current(aor);
    change();
    this.#flows.replace(aor, before, this.#current(aor));
    this.#onChange(aor);
  }
}
