import type { BindingSet } from '../domain/binding.ts';
import {
  decideRegistration,
  type RegisteredContact,
  type RegisterRequest,
  type RegistrationLimits,
  type RegistrationRefusal,
} from '../domain/registration.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { LocalView } from './local-view.ts';
import type { Log, Timers } from './ports.ts';

const TRIES = 3;
/** ms until what the store could not take is offered again. */
const AGAIN_MS = 1_000;

/** As of a phone that says so itself (RFC 3261 10.2.2). */
const SIGN_OFF: RegisterRequest = {
  ...{ contacts: '*', expires: 0, callId: '', cseq: 0, path: [], userAgent: '' },
  flow: { protocol: 'udp', address: '', port: 0 },
};

export interface RegistrarDependencies {
  readonly store: Pick<Store, 'available' | 'writeBindings' | 'snapshot'>;
  readonly view: LocalView;
  readonly timers: Timers;
  readonly log: Log;
  readonly limits: RegistrationLimits;
  /** Told where a phone has registered from; returns at once. */
  readonly onRegistered?: ((aor: string, address: string) => void) | undefined;
}

export interface Registered {
  readonly contacts: readonly RegisteredContact[];
  readonly set: BindingSet;
}

/** The registrar of RFC 3261 10.3: domain decides, the store keeps, and this node knows at once. */
export class Registrar {
  readonly #deps: RegistrarDependencies;
  /** The last REGISTER under way for an AOR; never rejects. */
  readonly #last = new Map<string, Promise<void>>();
  #storeAway = false;
  #flushing = false;
  #unsubscribe: (() => void) | undefined;
  #timer: { cancel(): void } | undefined;

  constructor(deps: RegistrarDependencies) {
    this.#deps = deps;
  }

  /** From now on, bindings taken without the store are written when it is back. */
  start(): void {
    this.#unsubscribe ??= this.#deps.view.onReconnect(() => void this.#flushSafely());
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /**
   * Carries out a REGISTER for an authenticated AOR. With the store away the binding counts on this node and the
   * answer is still yes: a phone must stay reachable. Those of one AOR are carried out in the order they came.
   */
  register(aor: string, request: RegisterRequest): Promise<Registered | RegistrationRefusal> {
    const before = this.#last.get(aor) ?? Promise.resolve();
    const answer = before.then(() => this.#carryOut(aor, request));
    const isOver = (): void => {
      if (this.#last.get(aor) === over) this.#last.delete(aor);
    };
    const over = answer.then(isOver, isOver);
    this.#last.set(aor, over);
    return answer;
  }

  /**
   * Before a phone comes that is to have this name: who was registered by it is another one, which has been removed, and calls
   * for the new one must not ring there. Never rejects: what is left then lapses by itself.
   */
  async forgetFormer(aor: string): Promise<void> {
    const { view, log } = this.#deps;
    if (view.bindingSetOf(aor).bindings.length === 0 || !view.lacks({ kind: 'host', id: aor })) return;
    try {
      await this.register(aor, SIGN_OFF);
      log.info({ aor }, 'registrations of a phone that was removed are forgotten');
    } catch (error) {
      log.error({ err: error, aor }, 'registrations of a phone that was removed are not forgotten');
    }
  }

  async #carryOut(aor: string, request: RegisterRequest): Promise<Registered | RegistrationRefusal> {
    const { view, limits } = this.#deps;
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const current = view.bindingSetOf(aor);
      const decision = decideRegistration({ current, request, now: view.now(), limits });
      if ('status' in decision) return decision;
      const { set, changed, contacts } = decision;
      const written = changed ? await this.#write(aor, current.version, set) : 'written';
      if (written === 'away') this.#keep(aor, set);
      else if (view.unsavedAors().length > 0) void this.#flushSafely();
      if (written !== 'conflict') {
        this.#tellWhere(aor, request, set);
        return { contacts, set };
      }
      await this.#refresh(aor);
    }
    this.#deps.log.warn({ aor }, 'registration refused: other writers were first, three times');
    return { status: 500, reason: 'Try Again' };
  }

  /** A query and a sign-off say nothing of where a phone stands. Whatever comes of it, the phone is registered. */
  #tellWhere(aor: string, { callId, cseq, flow }: RegisterRequest, { bindings }: BindingSet): void {
    const { onRegistered, log } = this.#deps;
    if (!bindings.some((binding) => binding.callId === callId && binding.cseq === cseq)) return;
    try {
      onRegistered?.(aor, flow.address);
    } catch (error) {
      log.error({ err: error, aor }, 'the network of a phone could not be noted');
    }
  }

  #keep(aor: string, { bindings }: BindingSet): void {
    this.#deps.view.bindingsUnsaved(aor, bindings);
    this.#flushLater();
  }

  /** The store may have failed a single write, and nobody speaks of that. */
  #flushLater(): void {
    if (this.#timer || !this.#unsubscribe || this.#deps.view.unsavedAors().length === 0) return;
    this.#timer = this.#deps.timers.setTimer(AGAIN_MS, () => {
      this.#timer = undefined;
      void this.#flushSafely();
    });
  }

  /** Writes what was taken while the store was away. Whoever wrote later than this node wins. */
  async flush(): Promise<void> {
    const { view } = this.#deps;
    for (const aor of view.unsavedAors()) {
      const { version, bindings } = view.bindingSetOf(aor);
      const written = await this.#write(aor, version, { version: version + 1, bindings });
      if (written === 'away') return;
      if (written === 'conflict') await this.#refresh(aor);
    }
  }

  async #flushSafely(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      await this.flush();
    } catch (error) {
      this.#deps.log.error({ err: error }, 'registrations kept on this node could not be written');
    } finally {
      this.#flushing = false;
      this.#flushLater();
    }
  }

  async #write(aor: string, expected: number, set: BindingSet): Promise<'written' | 'conflict' | 'away'> {
    const { store, view } = this.#deps;
    if (!store.available) return this.#away();
    try {
      const written = await store.writeBindings(aor, expected, set);
      this.#storeAway = false;
      if (!written) return 'conflict';
      view.bindingsSaved(aor, set);
      return 'written';
    } catch (error) {
      if (error instanceof StoreUnavailable) return this.#away();
      throw error;
    }
  }

  /** Takes the stored bindings of one AOR into the view after a lost race, without waiting for the stream. */
  async #refresh(aor: string): Promise<void> {
    try {
      const { bindings } = await this.#deps.store.snapshot();
      this.#deps.view.bindingsRead(aor, bindings.get(aor));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }

  #away(): 'away' {
    if (!this.#storeAway)
      this.#deps.log.warn({}, 'registrations are kept on this node: the store does not answer');
    this.#storeAway = true;
    return 'away';
  }
}
