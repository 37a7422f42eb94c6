import type { SharedState } from '../../services/shared-state.ts';
import type { Clock, Log, Timer } from '../ports.ts';
import { entryName, parseRecord, type SubscriptionRecord } from './record.ts';
import { Slices } from './slices.ts';

/** ms between two signs of life of a node. */
export const BEAT_MS = 2_000;
/** ms without one after which a node is gone. */
export const GONE_MS = 6_000;
/** ms it has to stay so: after the store was away the living need a moment to say so. */
const SURELY_MS = 3_000;
/** ms one node has to take what another left behind. */
const CLAIM_MS = 10_000;

/** What is known of a node. */
interface Other {
  /** Undefined: it lives, or nobody can tell. */
  deadSince: number | undefined;
  /** Until then its subscriptions are somebody else's to take. */
  notBefore: number;
  /** Claims of which nobody knows what came. */
  attempts: number;
}

export interface CaretakerDependencies {
  readonly shared: SharedState;
  /** True for one caller in `ttlMs`, whichever node asks. */
  claimOnce(name: string, ttlMs: number): Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
  /** Name of this node; a process that is started again may have the same. */
  readonly node: string;
  /** The store's clock, ms since 1970. */
  now(): number;
  /** In touch with the store, and the directory is known. */
  isReady(): boolean;
  has(id: string): boolean;
  /** A subscription nobody serves any more is ours now. */
  adopt(id: string, record: SubscriptionRecord): void;
  /** Another node has taken a subscription of ours. */
  lost(id: string): void;
}

/**
 * Sees to it that every subscription has one node that serves it: each node shows that it lives, and what a dead one
 * leaves behind is taken by one of the others, or by the next process on the same machine.
 */
export class Caretaker {
  readonly #deps: CaretakerDependencies;
  readonly #slices: Slices;
  /** Nodes that have, or had, subscriptions. */
  readonly #nodes = new Map<string, Other>();
  #startedAt = 0;
  #timer: Timer | undefined;
  #stopListening: (() => void) | undefined;
  #stopped = true;

  constructor(deps: CaretakerDependencies) {
    this.#deps = deps;
    this.#slices = new Slices(deps.clock);
  }

  start(): void {
    const { shared, now } = this.#deps;
    this.#stopped = false;
    this.#startedAt = now();
    this.#stopListening = shared.onChange((name) => name.startsWith('sub:') && this.#changed(name));
    for (const [name] of shared.entries('sub:')) this.#changed(name);
    this.#beat();
  }

  /** Says that this node is gone: others need not wait to find out. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#slices.stop();
    this.#stopListening?.();
    this.#deps.shared.put(nodeName(this.#deps.node), undefined, GONE_MS);
  }

  #changed(name: string): void {
    const { shared, node, has, lost } = this.#deps;
    const record = parseRecord(shared.get(name));
    if (!record) return;
    const id = name.slice(entryName('').length);
    if (record.node === node && (has(id) || !this.#isOld(record))) return;
    if (has(id)) lost(id);
    if (this.#nodes.has(record.node)) return;
    this.#nodes.set(record.node, { deadSince: undefined, notBefore: 0, attempts: 0 });
  }

  /** Ours by name, but of the process before this one. */
  #isOld({ at }: SubscriptionRecord): boolean {
    return at < this.#startedAt;
  }

  #beat(): void {
    const { shared, clock, node } = this.#deps;
    this.#timer = clock.setTimer(BEAT_MS, () => this.#beat());
    shared.put(nodeName(node), { since: this.#startedAt }, GONE_MS);
    for (const [name, other] of this.#nodes) {
      if (this.#isSurelyDead(name, other) && other.notBefore <= clock.now()) void this.#inherit(name, other);
    }
  }

  #isSurelyDead(name: string, other: Other): boolean {
    const { shared, clock, node, isReady } = this.#deps;
    // A process of our name is before us.
    if (name === node) return isReady();
    if (!isReady() || shared.get(nodeName(name)) !== undefined) other.deadSince = undefined;
    else other.deadSince ??= clock.now();
    return other.deadSince !== undefined && clock.now() - other.deadSince >= SURELY_MS;
  }

  /** Takes what a dead node left behind, unless another node does. */
  async #inherit(name: string, other: Other): Promise<void> {
    const { clock, log } = this.#deps;
    other.notBefore = clock.now() + CLAIM_MS;
    const left = this.#leftBy(name);
    if (left.length === 0) return void this.#nodes.delete(name);
    if (!(await this.#claim(name, other)) || this.#stopped) return;
    log.info(
      { node: name, subscriptions: left.length },
      'subscriptions of a node that is gone are taken over',
    );
    this.#take(name, left);
  }

  async #claim(name: string, other: Other): Promise<boolean> {
    const { node, claimOnce } = this.#deps;
    if (name === node) return true;
    try {
      return await claimOnce(`adopt:${name}:${other.attempts}`, CLAIM_MS);
    } catch {
      // It may have been granted all the same, and nobody was told. Should two nodes take them, the later one has them.
      other.attempts += 1;
      other.notBefore = 0;
      return false;
    }
  }

  #leftBy(other: string): string[] {
    const { shared, node, has } = this.#deps;
    const left: string[] = [];
    for (const [name, value] of shared.entries('sub:')) {
      const id = name.slice(entryName('').length);
      if ((value as Partial<SubscriptionRecord> | null)?.node !== other || has(id)) continue;
      if (other !== node || this.#isOld(value as SubscriptionRecord)) left.push(id);
    }
    return left;
  }

  #take(other: string, ids: readonly string[]): void {
    const { shared, has, adopt } = this.#deps;
    this.#slices.each(ids, (id) => {
      const record = parseRecord(shared.get(entryName(id)));
      if (record?.node === other && !has(id)) adopt(id, record);
    });
  }
}

function nodeName(node: string): string {
  return `node:${node}`;
}
