import { type Account, actorOfAccount, canonicalEmail, isLastAdministrator } from '../domain/account.ts';
import type { Notice } from '../domain/association.ts';
import type { Directory } from '../domain/directory.ts';
import { type PasswordProblem, passwordProblems } from '../domain/password.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { Store } from '../store/store.ts';
import { type AccountPage, type AccountQuery, pageOf } from './account-pages.ts';
import type { AccountSecrets } from './account-secrets.ts';
import type { DirectoryEdit, DirectoryRefusal, DirectoryService } from './directory-service.ts';
import { isOtherTag } from './entry-tag.ts';
import type { Log } from './ports.ts';
import { hashOf, isSecretOf, newSecret } from './secret-texts.ts';
import type { SignIn } from './sign-in.ts';
import { TOTP_SECRET_BYTES, totpSecret } from './totp.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

export interface AccountsDependencies {
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly store: Pick<Store, 'dropSessionsOf' | 'logNotice'>;
  readonly view: Pick<View, 'directory'> & { now(): number };
  readonly secrets: AccountSecrets;
  readonly signIn: Pick<SignIn, 'prove' | 'takeCode'>;
  readonly random: { uuid(): string; bytes(size: number): Uint8Array };
  readonly log: Log;
  /** What lets the first administrator in, while there is no account; undefined: nothing does. */
  readonly setUpSecret: string | undefined;
}

export type AccountWish = Pick<Account, 'email' | 'name' | 'role' | 'sites' | 'extension' | 'subject'>;
export type AccountChange = Partial<AccountWish> & { readonly disabled?: boolean };

export interface ChangeOptions {
  readonly actor: string;
  /** Tag of what was read; absent: whatever is there is changed. */
  readonly ifTag?: string | undefined;
}

/** Told once. */
export interface Link {
  /** What the link must carry. */
  readonly token: string;
  /** ms since 1970. */
  readonly expiresAt: number;
}

/** `problems`: what is wrong with the password, or with the account. */
export type PasswordRefusal = Refusal & { readonly passwordProblems?: readonly PasswordProblem[] };

export interface Proof {
  readonly password: string;
  readonly code?: string | undefined;
  readonly source: string;
}

/** How long a link to set a password is good for. */
const LINK_MS = 24 * 3_600_000;
const MOST_ACCOUNTS = 200_000;
const TOKEN = /^([a-z0-9-]{1,64})\.([A-Za-z0-9_-]{43})$/;
const UNKNOWN: Refusal = { refused: 'unknownAccount' };
const VOID: Refusal = { refused: 'linkVoid' };

/** Accounts of the portal: who may sign in, as what, and how they prove it. */
export class Accounts {
  readonly #deps: AccountsDependencies;

  constructor(deps: AccountsDependencies) {
    this.#deps = deps;
  }

  /** By e-mail, page by page. Refused with stateUnknown. */
  async list(query: AccountQuery): Promise<AccountPage | Refusal> {
    const { directory } = this.#deps.view;
    return directory ? pageOf(directory.accounts.values(), query) : { refused: 'stateUnknown' };
  }

  /** Refused with unknownAccount or stateUnknown. */
  get(id: string): Account | Refusal {
    const { directory } = this.#deps.view;
    if (!directory) return { refused: 'stateUnknown' };
    return directory.accounts.get(id) ?? UNKNOWN;
  }

  /** What makes the first administrator; undefined: there is one. */
  get setUpSecret(): string | undefined {
    return this.needsSetUp ? this.#deps.setUpSecret : undefined;
  }

  /** Whether the first administrator is still to come. */
  get needsSetUp(): boolean {
    const { directory } = this.#deps.view;
    return this.#deps.setUpSecret !== undefined && directory?.accounts.size === 0;
  }

  /**
   * The first administrator, by whoever can read the file of the set-up secret. Refused with linkVoid as soon as there
   * is any account, passwordTooSimple, invalidDirectory, storeUnavailable or stateUnknown.
   */
  async setUp(
    secret: string,
    wish: { readonly email: string; readonly name: string; readonly password: string },
  ): Promise<Account | PasswordRefusal | DirectoryRefusal> {
    const { setUpSecret, random, secrets } = this.#deps;
    if (setUpSecret === undefined || !this.needsSetUp || !isSecretOf(secret, hashOf(setUpSecret)))
      return VOID;
    const [email, id] = [canonicalEmail(wish.email), random.uuid()];
    const weak = problemsOf(wish.password, email);
    if (weak) return weak;
    const passwordHash = await secrets.hash(id, wish.password);
    const account: Account = {
      id,
      email,
      name: wish.name,
      role: 'administrator',
      disabled: false,
      passwordHash,
    };
    const edit = ({ accounts }: Directory): DirectoryEdit | Refusal =>
      accounts.size > 0 ? VOID : { put: [{ kind: 'account', value: account }] };
    const result = await this.#deps.directory.editDirectory(edit, actorOfAccount(account));
    if (isRefusal(result)) return result;
    this.#deps.log.info({ actor: actorOfAccount(account) }, 'first administrator set up');
    return account;
  }

  /** Refused with tooManyAccounts, invalidDirectory, storeUnavailable or stateUnknown. */
  async create(
    wish: AccountWish,
    actor: string,
  ): Promise<{ readonly account: Account; readonly link: Link } | DirectoryRefusal> {
    const id = this.#deps.random.uuid();
    const { link, kept } = this.#newLink(id);
    const account: Account = { id, ...wish, email: canonicalEmail(wish.email), disabled: false, link: kept };
    const result = await this.#add(account, actor);
    return isRefusal(result) ? result : { account, link };
  }

  #add(account: Account, actor: string): Promise<'done' | DirectoryRefusal> {
    const edit = ({ accounts }: Directory): DirectoryEdit | Refusal =>
      accounts.size >= MOST_ACCOUNTS
        ? { refused: 'tooManyAccounts' }
        : { put: [{ kind: 'account', value: account }] };
    return this.#deps.directory.editDirectory(edit, actor);
  }

  /** Somebody an identity provider vouches for: no password, no link. Refused as `create` is. */
  async admit(wish: AccountWish): Promise<Account | DirectoryRefusal> {
    const id = this.#deps.random.uuid();
    const account: Account = { id, ...wish, email: canonicalEmail(wish.email), disabled: false };
    const result = await this.#add(account, actorOfAccount(account));
    return isRefusal(result) ? result : account;
  }

  /**
   * Changes an account; what it may do is read at each request, and one that is disabled is signed out. Refused with
   * unknownAccount, changedMeanwhile, lastAdministrator, invalidDirectory, storeUnavailable or stateUnknown.
   */
  async change(
    id: string,
    change: AccountChange,
    { actor, ifTag }: ChangeOptions,
  ): Promise<Account | DirectoryRefusal> {
    const { email, ...rest } = change;
    const changed = await this.#edit(id, { actor }, (account, all) => {
      if (isOtherTag(account, ifTag)) return { refused: 'changedMeanwhile' };
      const after = { ...account, ...rest, ...(email !== undefined && { email: canonicalEmail(email) }) };
      const demoted = after.role !== 'administrator' || after.disabled;
      return demoted && isLastAdministrator(account, all) ? { refused: 'lastAdministrator' } : after;
    });
    if (!isRefusal(changed) && changed.disabled) await this.#signOutEverywhere(id);
    return changed;
  }

  /** Every session ends, wherever it is. Refused with unknownAccount, storeUnavailable or stateUnknown. */
  signOut(id: string, actor: string): Promise<'done' | Refusal> {
    return whileStoreAnswers(async () => {
      const account = this.get(id);
      if (isRefusal(account)) return account;
      const { store } = this.#deps;
      await store.dropSessionsOf(id);
      await store.logNotice({ notice: 'sessionsEnded', actor, extension: account.extension });
      this.#deps.log.info({ actor, account: id }, 'signed out everywhere');
      return 'done' as const;
    });
  }

  /** Refused with unknownAccount, lastAdministrator, storeUnavailable or stateUnknown. */
  async remove(id: string, actor: string): Promise<'done' | DirectoryRefusal> {
    const result = await this.#deps.directory.editDirectory(({ accounts }): DirectoryEdit | Refusal => {
      const account = accounts.get(id);
      if (!account) return UNKNOWN;
      if (isLastAdministrator(account, accounts.values())) return { refused: 'lastAdministrator' };
      return { remove: [{ kind: 'account', id }] };
    }, actor);
    if (result === 'done') await this.#signOutEverywhere(id);
    return result;
  }

  /** A link to set a new password; the old one goes on until then, and an older link does not. Refused as `change` is. */
  async reset(id: string, actor: string): Promise<Link | DirectoryRefusal> {
    const { link, kept } = this.#newLink(id);
    const changed = await this.#edit(id, { actor }, (account) => ({ ...account, link: kept }));
    return isRefusal(changed) ? changed : link;
  }

  /** Sets the password by a link, once. Refused with linkVoid, passwordTooSimple, storeUnavailable or stateUnknown. */
  async setPassword(token: string, password: string): Promise<Account | PasswordRefusal | DirectoryRefusal> {
    const [, id = '', secret = ''] = TOKEN.exec(token) ?? [];
    const account = this.#deps.view.directory?.accounts.get(id);
    if (!account || !this.#isGood(account, secret)) return VOID;
    const weak = problemsOf(password, account.email);
    if (weak) return weak;
    const passwordHash = await this.#deps.secrets.hash(id, password);
    return this.#writePassword(account, (now) =>
      this.#isGood(now, secret) ? { ...now, passwordHash } : VOID,
    );
  }

  /** Somebody changes their own password. Refused as `SignIn.signIn` is, or with passwordTooSimple. */
  changePassword(
    { email }: Account,
    proof: Proof & { readonly newPassword: string },
  ): Promise<Account | PasswordRefusal | DirectoryRefusal> {
    return whileStoreAnswers(async () => {
      const weak = problemsOf(proof.newPassword, email);
      if (weak) return weak;
      const account = await this.#deps.signIn.prove({ email, ...proof });
      if (isRefusal(account)) return account;
      const passwordHash = await this.#deps.secrets.hash(account.id, proof.newPassword);
      return this.#writePassword(account, (now) =>
        now.passwordHash === account.passwordHash ? { ...now, passwordHash } : { refused: 'badCredentials' },
      );
    });
  }

  /** A secret for an authenticator app, told once; asked for from when `confirmTotp` has seen a code. */
  beginTotp(
    { email }: Account,
    proof: Proof,
  ): Promise<{ readonly secret: string; readonly uri: string } | DirectoryRefusal> {
    return whileStoreAnswers(async () => {
      const account = await this.#deps.signIn.prove({ email, ...proof });
      if (isRefusal(account)) return account;
      const secret = this.#deps.random.bytes(TOTP_SECRET_BYTES);
      const sealedSecret = this.#deps.secrets.sealTotp(account.id, secret);
      const changed = await this.#edit(account.id, { actor: actorOfAccount(account) }, (now) =>
        now.totp?.confirmed ? { refused: 'totpOn' } : { ...now, totp: { sealedSecret, confirmed: false } },
      );
      if (isRefusal(changed)) return changed;
      const { text, uri } = totpSecret(secret, email);
      return { secret: text, uri };
    });
  }

  /** Refused with wrongCode, totpOn, storeUnavailable or stateUnknown. */
  confirmTotp(account: Account, code: string): Promise<Account | DirectoryRefusal> {
    return whileStoreAnswers(async () => {
      if (account.totp?.confirmed) return { refused: 'totpOn' };
      if (!(await this.#deps.signIn.takeCode(account, code))) return { refused: 'wrongCode' };
      return this.#edit(account.id, { actor: actorOfAccount(account), notice: 'codesOn' }, (now) =>
        now.totp && now.totp.sealedSecret === account.totp?.sealedSecret
          ? { ...now, totp: { ...now.totp, confirmed: true } }
          : { refused: 'wrongCode' },
      );
    });
  }

  /** Somebody switches their own codes off, by password and code. */
  removeOwnTotp({ email }: Account, proof: Proof): Promise<Account | DirectoryRefusal> {
    return whileStoreAnswers(async () => {
      const account = await this.#deps.signIn.prove({ email, ...proof });
      return isRefusal(account) ? account : this.removeTotp(account.id, actorOfAccount(account));
    });
  }

  /** For who has lost their phone. Refused as `change` is. */
  removeTotp(id: string, actor: string): Promise<Account | DirectoryRefusal> {
    return this.#edit(id, { actor, notice: 'codesOff' }, ({ totp: _, ...account }) => account);
  }

  /** The link is used up, and whoever is signed in anywhere is no more. */
  async #writePassword(
    { id }: Account,
    change: (account: Account) => Account | Refusal,
  ): Promise<Account | DirectoryRefusal> {
    const who = this.#deps.view.directory?.accounts.get(id);
    const actor = who ? actorOfAccount(who) : 'system';
    let changed: Account | undefined;
    const result = await this.#deps.directory.editDirectory(({ accounts }): DirectoryEdit | Refusal => {
      const account = accounts.get(id);
      const after = account ? change(account) : UNKNOWN;
      if (isRefusal(after)) return after;
      const { link: _, ...value } = after;
      changed = value;
      return { put: [{ kind: 'account', value }], notice: noticeOf(value, 'passwordSet') };
    }, actor);
    if (isRefusal(result) || !changed) return isRefusal(result) ? result : UNKNOWN;
    this.#deps.log.info({ actor }, 'password set');
    await this.#signOutEverywhere(id);
    return changed;
  }

  async #edit(
    id: string,
    { actor, notice }: { readonly actor: string; readonly notice?: Notice },
    change: (account: Account, all: Iterable<Account>) => Account | Refusal,
  ): Promise<Account | DirectoryRefusal> {
    let changed: Account | undefined;
    const result = await this.#deps.directory.editDirectory(({ accounts }): DirectoryEdit | Refusal => {
      const account = accounts.get(id);
      const after = account ? change(account, accounts.values()) : UNKNOWN;
      if (isRefusal(after)) return after;
      changed = after;
      const told = notice && noticeOf(after, notice);
      return { put: [{ kind: 'account', value: after }], ...(told && { notice: told }) };
    }, actor);
    return result === 'done' && changed ? changed : (result as DirectoryRefusal);
  }

  /** Sessions are worth nothing any more by what they were begun with; should the store be away, they go by themselves. */
  async #signOutEverywhere(id: string): Promise<void> {
    const result = await whileStoreAnswers(() =>
      this.#deps.store.dropSessionsOf(id).then(() => 'done' as const),
    );
    if (isRefusal(result)) this.#deps.log.warn({ account: id }, 'sessions are left to end by themselves');
  }

  #isGood({ link, disabled }: Account, secret: string): boolean {
    if (!link || disabled || link.expiresAt <= this.#deps.view.now()) return false;
    return isSecretOf(secret, link.hash);
  }

  #newLink(id: string): { readonly link: Link; readonly kept: NonNullable<Account['link']> } {
    const secret = newSecret((size) => this.#deps.random.bytes(size));
    const expiresAt = this.#deps.view.now() + LINK_MS;
    return { link: { token: `${id}.${secret}`, expiresAt }, kept: { hash: hashOf(secret), expiresAt } };
  }
}

function noticeOf({ extension }: Account, notice: Notice): { notice: Notice; extension?: string } {
  return { notice, ...(extension !== undefined && { extension }) };
}

function problemsOf(password: string, email: string): PasswordRefusal | undefined {
  const problems = passwordProblems(password, { email });
  return problems.length === 0 ? undefined : { refused: 'passwordTooSimple', passwordProblems: problems };
}
