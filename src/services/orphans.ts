import { type Association, type ChangeEvent, isAgainstRules } from '../domain/association.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { LocalView } from './local-view.ts';
import type { Log, Random, Timers } from './ports.ts';

export interface OrphansDependencies {
  readonly store: Pick<Store, 'end'>;
  readonly view: Pick<LocalView, 'associations' | 'directory' | 'knows' | 'lacks' | 'onChange'>;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}

const AGAIN_MS = 10_000;

/**
 * Nobody stays logged in who no longer exists, or at a phone that does not: also not who logged in while the directory
 * changed. Nor does anybody whose login crossed a change of the rules it went by, such as an add-on taken away: starts
 * and changes stand in one log, so each start is judged by the directory as it was then. What changes later is the
 * business of who changes it (edits-while-free). Looks at each change of the directory, at each login, and every 10 s.
 * Every node does this; the fence makes it one release all the same.
 */
export class Orphans {
  readonly #deps: OrphansDependencies;
  #unsubscribe: (() => void) | undefined;
  #timer: { cancel(): void } | undefined;
  #sweep: Promise<void> | undefined;
  /** Generations of associations that were against the rules from the start. */
  readonly #crossed = new Set<number>();
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
    if (event.kind === 'end') this.#crossed.delete(event.association.generation);
    if (event.kind === 'start' && this.#isAgainstRules(event.association))
      this.#crossed.add(event.association.generation);
    const matters =
      event.kind === 'directory' || (event.kind === 'start' && this.#isOrphan(event.association));
    if (matters) this.#look();
  }

  #look(): void {
    this.#isStale = true;
    this.#sweep ??= this.#sweepUp().finally(() => {
      this.#sweep = undefined;
      this.#timer?.cancel();
      if (!this.#unsubscribe) return;
      // Something has changed since the sweep saw that there was no more to do.
      if (this.#isStale) this.#look();
      else this.#timer = this.#deps.timers.setTimer(AGAIN_MS, () => this.#look());
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

  #isAgainstRules(association: Association): boolean {
    const { view } = this.#deps;
    const host = view.directory?.hosts.get(association.host);
    const user = view.directory?.users.get(association.guest);
    if (!host || !user) return false;
    const owner = host.owner === undefined ? undefined : view.directory?.users.get(host.owner);
    const people = [user.extension, host.owner ?? user.extension];
    const isKnown =
      view.knows({ kind: 'host', id: host.id }) && people.every((id) => view.knows({ kind: 'user', id }));
    return isKnown && isAgainstRules(association, { host, user, owner });
  }

  #isOrphan({ host, guest, generation }: Association): boolean {
    const { view } = this.#deps;
    if (this.#crossed.has(generation)) return true;
    return view.lacks({ kind: 'host', id: host }) || view.lacks({ kind: 'user', id: guest });
  }

  /** Whether the store has answered. Who has come back into the directory meanwhile stays. */
  async #release(association: Association): Promise<boolean> {
    if (!this.#isOrphan(association)) return true;
    const { store, random, log } = this.#deps;
    const { host, guest, generation } = association;
    const why = this.#crossed.has(generation) ? 'the rules had changed' : 'no longer in the directory';
    const opId = random.uuid();
    try {
      const { outcome } = await store.end({ host, generation, reason: 'released', actor: 'system', opId });
      if (outcome === 'ended') log.info({ host, guest, generation }, `released: ${why}`);
      return true;
    } catch (error) {
      if (error instanceof StoreUnavailable) return false;
      log.error({ err: error, host, guest }, 'who is no longer in the directory could not be released');
      return true;
    }
  }
}
