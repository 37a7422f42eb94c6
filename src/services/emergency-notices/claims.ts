import type { Store } from '../../store/store.ts';
import type { Timers } from '../ports.ts';
import { pause } from './pause.ts';

const DAY_MS = 86_400_000;
/** ms a claim may take: people are told now, by two nodes if need be. */
const PATIENCE_MS = 500;
/** ms between tries to claim afterwards what was done without, and how many. */
const AGAIN_MS = 1_000;
const MOST_TRIES = 900;

/** Has one node tell, as long as the store answers. */
export class Claims {
  readonly #store: Pick<Store, 'claimOnce' | 'available'>;
  readonly #timers: Timers;

  constructor(store: Pick<Store, 'claimOnce' | 'available'>, timers: Timers) {
    this.#store = store;
    this.#timers = timers;
  }

  /** `away`: the store has not said in time. Never rejects. */
  async claim(name: string, signal: AbortSignal): Promise<'ours' | 'theirs' | 'away'> {
    if (!this.#store.available) return 'away';
    const answered = new AbortController();
    const given = AbortSignal.any([answered.signal, signal]);
    const late = pause(this.#timers, PATIENCE_MS, given).then(() => 'away' as const);
    const claim = this.#ask(name);
    const result = await Promise.race([claim, late]);
    answered.abort();
    return result;
  }

  /** Claims as soon as the store answers, so that no other node does what is done. Never rejects. */
  async insist(name: string, signal: AbortSignal): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES && !signal.aborted; tries++) {
      if ((await this.claim(name, signal)) !== 'away') return;
      await pause(this.#timers, AGAIN_MS, signal);
    }
  }

  async #ask(name: string): Promise<'ours' | 'theirs' | 'away'> {
    try {
      return (await this.#store.claimOnce(name, DAY_MS)) ? 'ours' : 'theirs';
    } catch {
      return 'away';
    }
  }
}
