import { createHmac } from 'node:crypto';
import { type Account, actorOfAccount, canonicalEmail } from '../domain/account.ts';
import { type Browser, browserOf } from '../domain/browser.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { GuessKey, Store } from '../store/store.ts';
import type { AccountSecrets } from './account-secrets.ts';
import type { DirectoryService } from './directory-service.ts';
import type { Log } from './ports.ts';
import { hashOf, newSecret } from './secret-texts.ts';
import { TOTP_LIFETIME_MS } from './totp.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

export interface SignInDependencies {
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly store: Pick<
    Store,
    'reserveGuess' | 'confirmGuess' | 'claimOnce' | 'keepSession' | 'session' | 'dropSession' | 'logNotice'
  >;
  readonly view: Pick<View, 'directory'> & { now(): number };
  readonly secrets: AccountSecrets;
  /** Of node:crypto. */
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: Log;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
  readonly code?: string | undefined;
  /** Address the attempt comes from. */
  readonly source: string;
}

/** Where a session is begun. */
export interface Origin {
  /** IP address. */
  readonly address: string;
  /** As the browser tells it. */
  readonly userAgent: string | undefined;
}

export interface Session {
  /** The browser's secret; kept nowhere but there. */
  readonly id: string;
  readonly account: Account;
  /** What a page must send along with each change: only pages of ours can read it. */
  readonly csrf: string;
}

/** A session nobody uses ends. */
export const IDLE_MS = 30 * 60_000;
/** A session ends, used or not. */
export const LONGEST_MS = 12 * 3_600_000;
/** Passwords under check at once on this node; each waits for one of a few slow hashes. */
const MOST_CHECKS = 32;
/** A failure is in the change log once in this time for each account, and once for all that are none. */
const FAILURE_MS = 60_000;
const PUBLIC_ID_BYTES = 12;
const ID = /^[A-Za-z0-9_-]{43}$/;

/** What the store has of a session. */
export interface Kept {
  readonly account: string;
  /** What it is called where its owner sees it: of no use to whoever wants to be them. */
  readonly publicId: string;
  /** Says which password was proved. */
  readonly proof: string;
  readonly startedAt: number;
  readonly address: string;
  readonly browser: Browser;
}

/** Signing in and out, and who a session belongs to. */
export class SignIn {
  readonly #deps: SignInDependencies;
  #checks = 0;

  constructor(deps: SignInDependencies) {
    this.#deps = deps;
  }

  /**
   * A new session. Refused with badCredentials (also for an unknown or disabled account, after as long), codeNeeded,
   * tooManyTries, overloaded, stateUnknown or storeUnavailable.
   */
  signIn(credentials: Credentials, from: Origin): Promise<Session | Refusal> {
    return whileStoreAnswers(async () => {
      const account = await this.prove(credentials);
      if (isRefusal(account)) return account;
      const renewed = await this.#renewed(account, credentials.password);
      return this.enter(renewed, { by: 'password', from });
    });
  }

  /** A session, and a word of it in the change log. `by`: how they have proved who they are. @throws StoreUnavailable */
  async enter(
    account: Account,
    { by, from }: { readonly by: 'password' | 'provider'; readonly from: Origin },
  ): Promise<Session> {
    const session = await this.begin(account, from);
    const actor = actorOfAccount(account);
    await this.#deps.store.logNotice({ notice: 'signedIn', actor, extension: account.extension });
    this.#deps.log.info({ actor, by }, 'signed in');
    return session;
  }

  /**
   * Logs that somebody was not let in: whose account it was, or that it was none. Nobody waits for it: how long an answer
   * takes must not tell which.
   */
  noteFailure(account: Account | undefined): void {
    const { store, log } = this.#deps;
    const actor = account ? actorOfAccount(account) : 'system';
    const note = async (): Promise<void> => {
      if (!(await store.claimOnce(`sign-in-failed:${account?.id ?? 'nobody'}`, FAILURE_MS))) return;
      await store.logNotice({ notice: 'signInFailed', actor, extension: account?.extension });
      log.info({ actor }, 'sign-in failed');
    };
    note().catch((error: unknown) => log.warn({ err: error }, 'a failed sign-in could not be logged'));
  }

  /** With a hash of today's pepper and work: an older pepper can be given up some day. */
  async #renewed(account: Account, password: string): Promise<Account> {
    const { secrets, directory } = this.#deps;
    const { id, passwordHash: before = '' } = account;
    if (!secrets.isOutdated(before)) return account;
    const passwordHash = await secrets.hash(id, password);
    let after = account;
    const result = await directory.editDirectory(({ accounts }) => {
      const now = accounts.get(id);
      if (now?.passwordHash !== before) return {};
      after = { ...now, passwordHash };
      return { put: [{ kind: 'account', value: after }] };
    }, actorOfAccount(account));
    return isRefusal(result) ? account : after;
  }

  /** A session of somebody who has just proved who they are. @throws StoreUnavailable */
  async begin(account: Account, { address, userAgent }: Origin): Promise<Session> {
    const { store, view, randomBytes } = this.#deps;
    const id = newSecret(randomBytes);
    const value: Kept = {
      ...{ account: account.id, proof: proofOf(account), startedAt: view.now() },
      ...{ publicId: publicIdOf(randomBytes), address, browser: browserOf(userAgent) },
    };
    await store.keepSession(hashOf(id), { account: account.id, value, ttlMs: IDLE_MS });
    return { id, account, csrf: csrfOf(id) };
  }

  /** Undefined: there is none, or it is over. Refused with stateUnknown or storeUnavailable. */
  session(id: string): Promise<Session | undefined | Refusal> {
    return this.#find(id, IDLE_MS);
  }

  /** Whether a session goes on, as far as one can know; to ask is not to use it. */
  async lasts(id: string): Promise<boolean> {
    return (await this.#find(id)) !== undefined;
  }

  #find(id: string, ttlMs?: number): Promise<Session | undefined | Refusal> {
    if (!ID.test(id)) return Promise.resolve(undefined);
    return whileStoreAnswers(async () => {
      const { store, view } = this.#deps;
      if (!view.directory) return { refused: 'stateUnknown' } as const;
      const kept = (await store.session(hashOf(id), ttlMs)) as Kept | undefined;
      if (kept === undefined) return undefined;
      if (isTooOld(kept, view.now())) {
        await store.dropSession(hashOf(id));
        return undefined;
      }
      const account = view.directory.accounts.get(kept.account);
      if (!account || !isGoodFor(account, kept, view.now())) return undefined;
      return { id, account, csrf: csrfOf(id) };
    });
  }

  /** Refused with storeUnavailable. */
  signOut(id: string): Promise<'done' | Refusal> {
    if (!ID.test(id)) return Promise.resolve('done');
    return whileStoreAnswers(async () => {
      await this.#deps.store.dropSession(hashOf(id));
      return 'done' as const;
    });
  }

  /** Whose credentials these are; refused as `signIn` is. @throws StoreUnavailable */
  async prove(credentials: Credentials): Promise<Account | Refusal> {
    if (this.#checks >= MOST_CHECKS) return { refused: 'overloaded' };
    this.#checks += 1;
    try {
      return await this.#prove(credentials);
    } finally {
      this.#checks -= 1;
    }
  }

  async #prove(credentials: Credentials): Promise<Account | Refusal> {
    const { store, view, secrets } = this.#deps;
    const { directory } = view;
    if (!directory) return { refused: 'stateUnknown' };
    const email = canonicalEmail(credentials.email);
    const key = guessKey(email, credentials.source);
    const budget = await store.reserveGuess(key);
    if (budget.outcome !== 'reserved') return { refused: 'tooManyTries' };
    const found = directory.index.accountByEmail(email);
    const account = found?.disabled ? undefined : found;
    if (!(await secrets.verify(account, credentials.password)) || !account) {
      this.noteFailure(found);
      return { refused: 'badCredentials' };
    }
    const refusal = await this.#checkCode(account, credentials.code);
    if (refusal?.refused === 'badCredentials') this.noteFailure(account);
    if (refusal) return refusal;
    // Not before: who has the password must not get new guesses at the code by it.
    await store.confirmGuess(key);
    return account;
  }

  async #checkCode(account: Account, code: string | undefined): Promise<Refusal | undefined> {
    if (account.totp?.confirmed !== true) return undefined;
    if (code === undefined || code === '') return { refused: 'codeNeeded' };
    return (await this.takeCode(account, code)) ? undefined : { refused: 'badCredentials' };
  }

  /** Whether this code is right, and nobody has used it before. @throws StoreUnavailable */
  async takeCode(account: Account, code: string): Promise<boolean> {
    const { store, view, secrets } = this.#deps;
    const step = secrets.stepOf(account, code, view.now());
    return step !== undefined && store.claimOnce(`totp:${account.id}:${step}`, 2 * TOTP_LIFETIME_MS);
  }
}

/** Who typed what is no business of a list of counters: addresses are counted under their hash. */
function guessKey(email: string, source: string): GuessKey {
  const web = `web:${source}`;
  const extension = `account:${hashOf(email).slice(0, 32)}`;
  return { extension, known: false, host: web, source: web, limits: 'account' };
}

function publicIdOf(randomBytes: SignInDependencies['randomBytes']): string {
  return Buffer.from(randomBytes(PUBLIC_ID_BYTES)).toString('base64url');
}

function isTooOld({ startedAt }: Kept, now: number): boolean {
  return startedAt + LONGEST_MS <= now;
}

/** Whether a session still lets somebody in: the password may have changed, or the account be disabled, since. */
export function isGoodFor(account: Account, kept: Kept, now: number): boolean {
  // Those of a version that could not be listed go: what is listed is all there is.
  if (typeof kept.publicId !== 'string') return false;
  return !account.disabled && proofOf(account) === kept.proof && !isTooOld(kept, now);
}

function proofOf({ passwordHash = '' }: Account): string {
  return hashOf(passwordHash).slice(0, 32);
}

/** Bound to the session by its secret, so that it needs no place of its own. */
function csrfOf(id: string): string {
  return createHmac('sha256', id).update('hotdesk csrf 1').digest('base64url');
}
