import type { Association } from '../domain/association.ts';
import type { View } from '../domain/view.ts';
import type { Store } from '../store/store.ts';
import type { Log, Timers } from './ports.ts';

/** A call that goes on is told this often, in ms; with a short idle limit twice within it. */
const EVERY = 60_000;
/** The store is asked no more often per host, in ms. */
const AT_MOST_EVERY = 30_000;
const TICK = 5_000;
/** Hosts remembered at once; the oldest is forgotten, and then merely asked for a little sooner. */
const MOST_REMEMBERED = 20_000;

export interface ActivityDependencies {
  readonly store: Pick<Store, 'extend'>;
  readonly view: Pick<View, 'associationAt'> & { onReconnect(listener: () => void): () => void };
  readonly clock: { now(): number };
  readonly timers: Timers;
  readonly log: Log;
  /** Written into the change log: `node:<id>`. */
  readonly actor: string;
  readonly calls: CallsAtHosts;
}

/** Who talks or dials at our phones; emergency calls count as any other. */
export interface CallsAtHosts {
  /** Called when a call begins or ends at a host. */
  onUse(listener: (host: string) => void): () => void;
  inUse(): readonly string[];
}

/**
 * Keeps associations with an idle limit alive by calls: when one begins, while it goes on, when it ends. Calls never
 * wait for it, and a store that is away is asked again.
 */
export class Activity {
  readonly #deps: ActivityDependencies;
  /** The association last told of at each host, and when by our own clock; oldest first. */
  readonly #told = new Map<string, { readonly generation: number; readonly at: number }>();
  /** Associations that could not be told of yet, too soon after the last time or for want of a store. */
  readonly #owed = new Map<string, number>();
  readonly #stopListening: (() => void)[] = [];
  #timer: { cancel(): void } | undefined;
  #running = false;
  #failing = false;

  constructor(deps: ActivityDependencies) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    const { calls, view } = this.#deps;
    this.#stopListening.push(
      calls.onUse((host) => this.#used(host)),
      // What the store missed is told at once, before idleness ends anything.
      view.onReconnect(() => this.#payOwed(Number.POSITIVE_INFINITY)),
    );
    this.#tickLater();
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const stop of this.#stopListening.splice(0)) stop();
    this.#told.clear();
    this.#owed.clear();
  }

  /** How many hosts are remembered. */
  get size(): number {
    return this.#told.size + this.#owed.size;
  }

  #tickLater(): void {
    this.#timer = this.#deps.timers.setTimer(TICK, () => {
      this.#tick();
      this.#tickLater();
    });
  }

  #tick(): void {
    const now = this.#deps.clock.now();
    for (const host of this.#deps.calls.inUse()) this.#goesOn(host, now);
    this.#payOwed(now);
    for (const [host, { at }] of this.#told) {
      // What a clock set back left behind goes as well.
      if (now - at >= EVERY || at > now) this.#told.delete(host);
    }
  }

  #goesOn(host: string, now: number): void {
    const association = this.#limited(host);
    if (!association) return;
    const every = Math.max(AT_MOST_EVERY, Math.min(EVERY, association.idleLimitMs / 2));
    if (this.#since(host, now) >= every) this.#tell(association);
  }

  #used(host: string): void {
    const association = this.#limited(host);
    if (!association) return;
    if (this.#since(host, this.#deps.clock.now()) >= AT_MOST_EVERY) this.#tell(association);
    else this.#owe(association);
  }

  #owe({ host, generation }: Association): void {
    if (this.#owed.size < MOST_REMEMBERED) this.#owed.set(host, generation);
  }

  /** Who has come to a host since has nothing to do with a call that is over. */
  #payOwed(now: number): void {
    for (const [host, generation] of [...this.#owed]) {
      const association = this.#limited(host);
      if (association?.generation !== generation) this.#owed.delete(host);
      else if (this.#since(host, now) >= AT_MOST_EVERY) this.#tell(association);
    }
  }

  #tell(association: Association): void {
    const { host, generation } = association;
    const { store, actor } = this.#deps;
    this.#owed.delete(host);
    this.#remember(host, generation);
    store.extend({ reason: 'call', host, generation, actor }).then(
      () => {
        this.#failing = false;
      },
      (error: unknown) => this.#failed(association, error),
    );
  }

  /** A call that is over has nobody else to ask again for it. */
  #failed(association: Association, error: unknown): void {
    if (!this.#running) return;
    this.#owe(association);
    if (!this.#failing)
      this.#deps.log.warn({ err: error }, 'calls cannot be told to the store; trying again');
    this.#failing = true;
  }

  #remember(host: string, generation: number): void {
    this.#told.delete(host);
    const [oldest] = this.#told.keys();
    if (this.#told.size >= MOST_REMEMBERED && oldest !== undefined) this.#told.delete(oldest);
    this.#told.set(host, { generation, at: this.#deps.clock.now() });
  }

  /** ms since who is at a host now was last told of. */
  #since(host: string, now: number): number {
    const told = this.#told.get(host);
    const isAnother = told?.generation !== this.#deps.view.associationAt(host)?.generation;
    return !told || isAnother || told.at > now ? Number.POSITIVE_INFINITY : now - told.at;
  }

  #limited(host: string): (Association & { readonly idleLimitMs: number }) | undefined {
    const association = this.#deps.view.associationAt(host);
    return association && association.idleLimitMs !== 'never'
      ? { ...association, idleLimitMs: association.idleLimitMs }
      : undefined;
  }
}
