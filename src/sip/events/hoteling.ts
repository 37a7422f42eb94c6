import type { Association, ChangeEvent } from '../../domain/association.ts';
import { isRefusal } from '../../domain/reasons.ts';
import type { View } from '../../domain/view.ts';
import type { GuestKeys } from '../../services/guest-keys.ts';
import type { Clock, Log } from '../ports.ts';
import { guestExtension } from './guest-address.ts';
import {
  challengeDocument,
  guestDocument,
  HOTELING_TYPE,
  readSetHoteling,
  type SetHoteling,
} from './hoteling-documents.ts';
import { HotelingNonces } from './hoteling-nonces.ts';
import type { Admission, EventDocument, EventPackage, Subscription } from './package.ts';

/** Shown for an association without an end, as phones expect a number: 999 h, the longest limit there is (rule B2). */
export const NEVER_SECONDS = 999 * 3_600;
/** ms to wait until this node, too, knows of what it has just done. */
const SEEN_MS = 1_000;

export interface HotelingDependencies {
  readonly keys: Pick<GuestKeys, 'guestIn' | 'guestOut'>;
  readonly view: Pick<View, 'directory' | 'associationAt'> & {
    /** The store's clock, ms since 1970. */
    now(): number;
    onChange(listener: (event: ChangeEvent) => void): () => void;
  };
  readonly clock: Clock;
  readonly log: Log;
  /** Hexadecimal text of 32 digits or more that nobody can foresee. */
  readonly drawNonce: () => string;
}

/**
 * `x-broadworks-hoteling`: Guest In and Guest Out keys. A phone watches who is at itself; a guest comes by a challenge
 * and its answer, MD5 of `nonce:passcode`, and goes without one (rule A2). No answer of ours says why somebody was not
 * let in: the state is told, and it is what it was.
 */
export class Hoteling implements EventPackage {
  readonly event = 'x-broadworks-hoteling';
  readonly contentType = HOTELING_TYPE;
  readonly expires = { min: 60, standard: 3_600, max: 86_400 };
  readonly #deps: HotelingDependencies;
  readonly #nonces: HotelingNonces;

  constructor(deps: HotelingDependencies) {
    this.#deps = deps;
    this.#nonces = new HotelingNonces(deps.clock, deps.drawNonce);
  }

  /** Only a phone itself, and only while it is one of ours. */
  admit({ subscriber, resource }: { readonly subscriber: string; readonly resource: string }): Admission {
    if (resource !== subscriber) return { status: 403, reason: 'Not your phone' };
    const { directory } = this.#deps.view;
    return !directory || directory.hosts.has(resource)
      ? 'admitted'
      : { status: 404, reason: 'No such phone' };
  }

  stateFor({ resource }: Pick<Subscription, 'resource'>): EventDocument {
    return this.#document(this.#deps.view.associationAt(resource));
  }

  watch(changed: (resource: string) => void): () => void {
    return this.#deps.view.onChange((event) => {
      if ('association' in event) changed(event.association.host);
    });
  }

  async received(subscription: Subscription, document: EventDocument): Promise<EventDocument | undefined> {
    const { log } = this.#deps;
    const { subscriber: host } = subscription;
    const wish = readSetHoteling(document);
    if (!wish) {
      log.info({ host }, 'a phone sent a hoteling document that is not understood');
      return undefined;
    }
    try {
      return await this.#carryOut(subscription, wish);
    } catch (error) {
      log.error({ err: error, host }, 'a Guest In or Guest Out key failed');
      return undefined;
    }
  }

  #carryOut(subscription: Subscription, wish: SetHoteling): Promise<EventDocument | undefined> {
    if (wish.kind === 'guestOut') return this.#guestOut(subscription.resource);
    const guest = guestExtension(wish.guestAddress, this.#deps.view.directory);
    if (wish.kind === 'answer') return this.#guestIn(subscription, { ...wish, guest });
    // Also for who does not exist: a phone must not tell who does.
    const nonce = this.#nonces.issue(subscription.id, guest);
    return Promise.resolve(challengeDocument(wish.guestAddress, nonce));
  }

  async #guestIn(
    { id, resource: host, source }: Subscription,
    answer: { readonly guest: string; readonly nonce: string; readonly response: string },
  ): Promise<EventDocument | undefined> {
    const { guest: extension, nonce, response } = answer;
    if (!this.#nonces.take(id, answer)) {
      this.#deps.log.info({ host, source, reason: 'no such challenge' }, 'guest in refused');
      return undefined;
    }
    const result = await this.#deps.keys.guestIn({ host, extension, source, nonce, response });
    if (isRefusal(result)) return undefined;
    const { association } = result;
    const isSeen = await this.#isSeen(() => this.#generationAt(host) >= association.generation);
    return isSeen ? undefined : this.#document(association);
  }

  async #guestOut(host: string): Promise<EventDocument | undefined> {
    const result = await this.#deps.keys.guestOut(host);
    if (isRefusal(result)) return undefined;
    const { generation } = result.association;
    const isSeen = await this.#isSeen(() => this.#generationAt(host) !== generation);
    return isSeen ? undefined : this.#document(undefined);
  }

  #generationAt(host: string): number {
    return this.#deps.view.associationAt(host)?.generation ?? -1;
  }

  /** Waits until this node sees it so; false: it does not, for now. */
  #isSeen(isSo: () => boolean): Promise<boolean> {
    if (isSo()) return Promise.resolve(true);
    const { view, clock } = this.#deps;
    return new Promise((resolve) => {
      const settle = (): void => {
        stop();
        timer.cancel();
        resolve(isSo());
      };
      const stop = view.onChange(() => isSo() && settle());
      const timer = clock.setTimer(SEEN_MS, settle);
    });
  }

  #document(association: Association | undefined): EventDocument {
    if (!association) return guestDocument(undefined, 'nobody');
    const { guest, generation, expiresAt } = association;
    const left = expiresAt === 'never' ? NEVER_SECONDS * 1000 : expiresAt - this.#deps.view.now();
    const seconds = Math.max(0, Math.ceil(left / 1000));
    return guestDocument({ extension: guest, seconds }, `${guest} ${generation} ${expiresAt}`);
  }
}
