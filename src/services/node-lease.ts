import type { Timers } from './ports.ts';
import type { SharedState } from './shared-state.ts';

/** ms after which the holder says again that it is still there. */
const SAID_EVERY = 5_000;
/** ms between two looks of the others. */
const LOOK_EVERY = 1_000;
/** ms after its last word for which a holder counts as there. */
const LASTS = 15_000;
/** ms for which one node alone may take what nobody holds: until all have heard who did. A lost answer costs as long. */
const CLAIM = 2_000;

export interface NodeLeaseDependencies {
  /** What is held; `[A-Za-z0-9._-]`. */
  readonly name: string;
  /** Who we are among the nodes. */
  readonly node: string;
  readonly shared: SharedState;
  /** True for one caller in `ttlMs`, whichever node asks. Rejects when the store is away. */
  claimOnce(name: string, ttlMs: number): Promise<boolean>;
  readonly timers: Timers;
}

/**
 * Work that one node should do for all. For a moment two may do it, when a node was out of touch; for some seconds nobody
 * does, after the holder has died.
 */
export class NodeLease {
  readonly #deps: NodeLeaseDependencies;
  #timer: { cancel(): void } | undefined;
  #stopListening: (() => void) | undefined;
  #isMine = false;
  #running = false;

  constructor(deps: NodeLeaseDependencies) {
    this.#deps = deps;
  }

  get isMine(): boolean {
    return this.#isMine;
  }

  /** Tries to take it at once. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#stopListening = this.#deps.shared.onChange((name) => {
      const holder = name === this.#name ? this.#holder() : undefined;
      if (holder !== undefined && holder !== this.#deps.node) this.#isMine = false;
    });
    void this.#look();
  }

  /** Lets go, so that another node takes it soon. */
  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
    this.#stopListening?.();
    if (this.#isMine) this.#deps.shared.put(this.#name, undefined, LASTS);
    this.#isMine = false;
  }

  get #name(): string {
    return `lease:${this.#deps.name}`;
  }

  #holder(): string | undefined {
    const value = this.#deps.shared.get(this.#name);
    return typeof value === 'string' ? value : undefined;
  }

  async #look(): Promise<void> {
    const holder = this.#holder();
    if (holder === this.#deps.node) this.#take();
    else if (holder !== undefined) this.#isMine = false;
    else if (await this.#claim()) this.#take();
    const ms = this.#isMine ? SAID_EVERY : LOOK_EVERY;
    if (this.#running) this.#timer = this.#deps.timers.setTimer(ms, () => void this.#look());
  }

  #take(): void {
    if (!this.#running) return;
    this.#isMine = true;
    this.#deps.shared.put(this.#name, this.#deps.node, LASTS);
  }

  /** With the store away whoever holds it keeps it: nobody else can take it either. */
  async #claim(): Promise<boolean> {
    try {
      return await this.#deps.claimOnce(this.#name, CLAIM);
    } catch {
      return this.#isMine;
    }
  }
}
