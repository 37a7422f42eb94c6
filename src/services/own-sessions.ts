import { type Account, actorOfAccount } from '../domain/account.ts';
import type { Browser } from '../domain/browser.ts';
import type { Refusal } from '../domain/reasons.ts';
import type { KeptSession, Store } from '../store/store.ts';
import type { Log } from './ports.ts';
import { hashOf } from './secret-texts.ts';
import { IDLE_MS, isGoodFor, type Kept } from './sign-in.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

export interface OwnSessionsDependencies {
  readonly store: Pick<Store, 'sessionsOf' | 'dropSession' | 'logNotice'>;
  readonly view: { now(): number };
  readonly log: Log;
}

/** A session as whoever it belongs to may see it. Times in ms since 1970. */
export interface OwnSession {
  /** Names it, and is good for nothing else. */
  readonly id: string;
  readonly startedAt: number;
  readonly lastUsedAt: number;
  /** IP address it was begun from. */
  readonly address: string;
  readonly browser: Browser;
  /** Whether it is the one that asks. */
  readonly current: boolean;
}

/** Where somebody is signed in, for themselves. `cookie`: id of the session that asks, or of none. */
export class OwnSessions {
  readonly #deps: OwnSessionsDependencies;

  constructor(deps: OwnSessionsDependencies) {
    this.#deps = deps;
  }

  /** The one that asks first, then by when they were last used. Refused with storeUnavailable. */
  list(account: Account, cookie: string): Promise<readonly OwnSession[] | Refusal> {
    return whileStoreAnswers(async () => {
      const all = (await this.#kept(account)).map((kept) => this.#present(kept, cookie));
      return all.toSorted((a, b) => Number(b.current) - Number(a.current) || b.lastUsedAt - a.lastUsedAt);
    });
  }

  /** Ends one; what it was. Refused with unknownSession or storeUnavailable. */
  end(
    account: Account,
    { id, cookie }: { readonly id: string; readonly cookie: string },
  ): Promise<OwnSession | Refusal> {
    return whileStoreAnswers(async () => {
      const { store, log } = this.#deps;
      const found = (await this.#kept(account)).find(({ value }) => value.publicId === id);
      if (!found) return { refused: 'unknownSession' } as const;
      await store.dropSession(found.hash);
      const actor = actorOfAccount(account);
      await store.logNotice({ notice: 'sessionsEnded', actor, extension: account.extension });
      log.info({ actor }, 'session ended');
      return this.#present(found, cookie);
    });
  }

  /** Those that still let somebody in. */
  async #kept(account: Account): Promise<(KeptSession & { readonly value: Kept })[]> {
    const { store, view } = this.#deps;
    const all = (await store.sessionsOf(account.id)) as (KeptSession & { readonly value: Kept })[];
    return all.filter(({ value }) => isGoodFor(account, value, view.now()));
  }

  #present({ hash, value, leftMs }: KeptSession & { readonly value: Kept }, cookie: string): OwnSession {
    const { publicId: id, startedAt, address, browser } = value;
    // Each use gives it the whole time anew.
    const lastUsedAt = Math.max(startedAt, this.#deps.view.now() - Math.max(0, IDLE_MS - leftMs));
    return { ...{ id, startedAt, lastUsedAt, address, browser }, current: hash === hashOf(cookie) };
  }
}
