import type { Association, ChangeEvent } from '../domain/association.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { LocalView } from './local-view.ts';
import type { Log, Random, Timers } from './ports.ts';

export interface OrphansDependencies {
  readonly store: Pick<Store, 'end'>;
  readonly view: Pick<LocalView, 'associations' | 'lacks' | 'onChange'>;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}

const AGAIN_MS = 10_000;

/**
 * Nobody stays logged in who no longer exists, or at a phone that does not: also not who logged in while the directory
 * changed. Looks at each change of the directory, at each login, and every 10 s. Every node does this; the fence makes
 * it one release all the same.
 */
export class Orphans {
  readonly #deps: OrphansDependencies;
  #unsubscribe: (() => void) | undefined;
  #timer: { cancel(): void } | undefined;
  #sweep: Promise<void> | undefined;
  /** Something has changed since the sweep under way looked. */
  #isStale = false;

  constructor(deps: OrphansDependencies) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#unsubscribe) return;
    this.#unsubscribe = this.#deps.view.onChange((event) => this.#changed(event));
    this.#look();
  }

  /** Resolves when no release is under way any more. */
  async stop(): Promise<void> {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#sweep;
  }

  #changed(event: ChangeEvent): void {
    const matters =
      event.kind === 'directory' || (event.kind === 'start' && this.#isOrphan(event.association));
    if (matters) this.#look();
  }

  #look(): void {
    this.#isStale = true;
    this.#sweep ??= this.#sweepUp().finally(() => {
      this.#sweep = undefined;
      this.#timer?.cancel();
      if (this.#unsubscribe) this.#timer = this.#deps.timers.setTimer(AGAIN_MS, () => this.#look());
    });
  }

  /** One after the other, until the store does not answer. Never rejects. */
  async #sweepUp(): Promise<void> {
    while (this.#isStale && this.#unsubscribe) {
      this.#isStale = false;
      const orphans = [...this.#deps.view.associations()].filter((one) => this.#isOrphan(one));
      for (const orphan of orphans) {
        if (!this.#unsubscribe || !(await this.#release(orphan))) return;
      }
    }
  }

  #isOrphan({ host, guest }: Association): boolean {
    const { view } = this.#deps;
    return view.lacks({ kind: 'host', id: host }) || view.lacks({ kind: 'user', id: guest });
  }

  /** Whether the store has answered. Who has come back into the directory meanwhile stays. */
  async #release(association: Association): Promise<boolean> {
    if (!this.#isOrphan(association)) return true;
    const { store, random, log } = this.#deps;
    const { host, guest, generation } = association;
    const opId = random.uuid();
    try {
      const { outcome } = await store.end({ host, generation, reason: 'released', actor: 'system', opId });
      if (outcome === 'ended') log.info({ host, guest, generation }, 'released: no longer in the directory');
      return true;
    } catch (error) {
      if (error instanceof StoreUnavailable) return false;
      log.error({ err: error, host, guest }, 'who is no longer in the directory could not be released');
      return true;
    }
  }
}
