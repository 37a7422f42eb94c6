import { createHmac } from 'node:crypto';
import type { View } from '../domain/view.ts';
import type { Peppers } from './peppers.ts';
import type { Log, Timers } from './ports.ts';
import type { SharedState } from './shared-state.ts';

/** As good as for ever; each start of a node finds it again. */
const KEPT_MS = 400 * 86_400_000;
/** While the store is away: what is not known here may be there. */
const AGAIN_MS = 10_000;

export interface PepperCheckDependencies {
  readonly peppers: Peppers;
  readonly shared: Pick<SharedState, 'get' | 'put' | 'onChange'>;
  readonly view: Pick<View, 'knowledge'>;
  readonly timers: Timers;
  readonly log: Log;
}

/**
 * Nodes of one store must have one pepper: with another, every right PIN is wrong here, and who types it often enough is
 * locked out at all nodes. Each tells the others a digest of the pepper under its name, from which nobody gets it back.
 */
export class PepperCheck {
  readonly #deps: PepperCheckDependencies;
  readonly #name: string;
  readonly #own: string;
  #isTold = false;
  #stopListening: (() => void) | undefined;
  #timer: { cancel(): void } | undefined;

  constructor(deps: PepperCheckDependencies) {
    const { keyId, pepper } = deps.peppers;
    this.#deps = deps;
    this.#name = `pepper:${keyId}`;
    this.#own = createHmac('sha256', pepper)
      .update('hotdesk pepper check 1')
      .digest('base64url')
      .slice(0, 22);
  }

  start(): void {
    this.#stopListening ??= this.#deps.shared.onChange((name) => name === this.#name && this.#look());
    this.#look();
  }

  stop(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#timer?.cancel();
  }

  #look(): void {
    const { shared, peppers, view, timers, log } = this.#deps;
    const there = shared.get(this.#name);
    this.#timer?.cancel();
    if (there === undefined && view.knowledge !== 'fresh')
      this.#timer = timers.setTimer(AGAIN_MS, () => this.#look());
    else if (there === undefined) shared.put(this.#name, this.#own, KEPT_MS);
    else if (there !== this.#own && !this.#isTold) {
      this.#isTold = true;
      log.error({ name: peppers.keyId }, OTHER_PEPPER);
    }
  }
}

const OTHER_PEPPER =
  'this store has been used with another pepper of this name: PINs and passwords made with that are wrong here. ' +
  'Give all nodes the same HOTDESK_PEPPER (the file pepper in the data folder of the first); if it is lost, give the ' +
  'new one another pepperId';
