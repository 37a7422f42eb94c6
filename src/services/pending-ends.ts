import type { Association } from '../domain/association.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { Log, Timers } from './ports.ts';

export interface PendingEndsDependencies {
  readonly store: Pick<Store, 'end'>;
  readonly view: { endHere(association: Association): void };
  readonly timers: Timers;
  readonly log: Log;
}

const RETRY_MS = 1_000;
/** Log-outs kept; a store that is away for so many is an outage of another kind. */
const MOST = 10_000;

/**
 * Log-outs the store could not take: the person is gone on this node at once, and the store is told when it is back.
 * Fenced by generation, so that however late it comes it ends nobody else's association.
 */
export class PendingEnds {
  readonly #deps: PendingEndsDependencies;
  /** By host: a host holds one association. */
  readonly #pending = new Map<string, { readonly association: Association; readonly opId: string }>();
  #timer: { cancel(): void } | undefined;
  #stopped = false;

  constructor(deps: PendingEndsDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#stopped = false;
  }

  /** What is pending is lost to this node: the association then lasts until its deadline. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    if (this.#pending.size > 0)
      this.#deps.log.warn({ count: this.#pending.size }, 'log-outs the store was never told of');
  }

  /** `opId` is that of the attempt that failed: it may have been carried out. False when too many are pending. */
  add(association: Association, opId: string): boolean {
    if (this.#pending.size >= MOST && !this.#pending.has(association.host)) return false;
    this.#deps.view.endHere(association);
    this.#pending.set(association.host, { association, opId });
    this.#schedule();
    return true;
  }

  #schedule(): void {
    if (this.#stopped || this.#timer || this.#pending.size === 0) return;
    this.#timer = this.#deps.timers.setTimer(RETRY_MS, () => {
      void this.#flush().finally(() => {
        this.#timer = undefined;
        this.#schedule();
      });
    });
  }

  /** One after the other, until the store does not answer. */
  async #flush(): Promise<void> {
    for (const [host, pending] of [...this.#pending]) {
      if (this.#stopped || !(await this.#end(pending))) return;
      if (this.#pending.get(host) === pending) this.#pending.delete(host);
    }
  }

  /** Whether the store has answered. */
  async #end({
    association,
    opId,
  }: {
    readonly association: Association;
    readonly opId: string;
  }): Promise<boolean> {
    const { host, generation, guest } = association;
    try {
      await this.#deps.store.end({ host, generation, reason: 'loggedOut', actor: 'guest', opId });
      this.#deps.log.info({ host, guest, generation }, 'logged out in the store as well');
      return true;
    } catch (error) {
      if (error instanceof StoreUnavailable) return false;
      this.#deps.log.error({ err: error, host, guest }, 'a log-out could not be passed on');
      return true;
    }
  }
}
