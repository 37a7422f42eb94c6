import { type Association, type AssociationPlan, decideAssociation } from '../domain/association.ts';
import type { Directory, Host, User } from '../domain/directory.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import { type AssociateReply, type EndReply, type Store, StoreUnavailable } from '../store/store.ts';
import type { Passcodes } from './passcodes.ts';
import type { Log, Random } from './ports.ts';

export interface HotDeskDependencies {
  readonly store: Pick<Store, 'associate' | 'end' | 'reserveGuess' | 'confirmGuess'>;
  readonly view: View;
  readonly passcodes: Pick<Passcodes, 'verify'>;
  readonly random: Random;
  readonly log: Log;
}

export interface LogInRequest {
  readonly host: string;
  readonly extension: string;
  readonly passcode: string;
  /** Signalling address the guess comes from. */
  readonly source: string;
}

export interface LoggedIn {
  readonly user: User;
  readonly association: Association;
  /** The host the person left by this (rule B5c). */
  readonly movedFrom?: Host | undefined;
}

export interface Ended {
  readonly user: User;
  readonly association: Association;
}

const STORE_UNAVAILABLE: Refusal = { refused: 'storeUnavailable' };

/** Logging in and out at a host (rules A1, A2, A5, A7, B5, B6). Extensions are logged once known, digits never. */
export class HotDesk {
  readonly #deps: HotDeskDependencies;

  constructor(deps: HotDeskDependencies) {
    this.#deps = deps;
  }

  /**
   * A person at a host gives extension and passcode. The guess is reserved before the slow check, so that parallel
   * guesses share one budget, and who has no right passcode learns nothing else: not whether the extension exists,
   * is licensed, or sits elsewhere.
   */
  async logIn(request: LogInRequest): Promise<LoggedIn | Refusal> {
    const result = await this.#whileStoreAnswers(() => this.#logIn(request));
    if (isRefusal(result)) this.#refused('login refused', request, result);
    else this.#done('logged in', result);
    return result;
  }

  /** Whoever is at this host leaves it (rule A2). Refused with nobodyHere or storeUnavailable. */
  logOut({ host }: { readonly host: string }): Promise<Ended | Refusal> {
    return this.#end({ host, reason: 'loggedOut', actor: 'guest' });
  }

  /** An administrator puts a person at a host; the same rules as for a login, passcode aside. */
  async associate(request: {
    readonly host: string;
    readonly extension: string;
    readonly actor: string;
  }): Promise<LoggedIn | Refusal> {
    const result = await this.#whileStoreAnswers(async () => {
      const { directory } = this.#deps.view;
      if (!directory) return STORE_UNAVAILABLE;
      const user = directory.users.get(request.extension);
      if (!directory.hosts.has(request.host)) return { refused: 'unknownHost' } as const;
      return user ? this.#place(directory, { ...request, user }) : ({ refused: 'unknownUser' } as const);
    });
    if (isRefusal(result)) this.#refused('association refused', request, result);
    else this.#done('associated by an administrator', result);
    return result;
  }

  /** An administrator frees a host (rule A5). */
  async release({
    host,
    actor,
  }: {
    readonly host: string;
    readonly actor: string;
  }): Promise<Ended | Refusal> {
    const { directory } = this.#deps.view;
    if (!directory) return STORE_UNAVAILABLE;
    if (!directory.hosts.has(host)) return { refused: 'unknownHost' };
    return this.#end({ host, reason: 'released', actor });
  }

  async #logIn(request: LogInRequest): Promise<LoggedIn | Refusal> {
    const { store, view } = this.#deps;
    const { directory } = view;
    if (!directory) return STORE_UNAVAILABLE;
    if (!directory.hosts.has(request.host)) return { refused: 'unknownHost' };
    const key = { extension: request.extension, host: request.host, source: request.source };
    const budget = await store.reserveGuess(key);
    const user = directory.users.get(request.extension);
    if (budget.outcome !== 'reserved') return this.#overBudget(budget, directory, request);
    if (!(await this.#verify(user, directory, request)) || !user) return { refused: 'badCredentials' };
    await store.confirmGuess(key);
    return this.#place(directory, { host: request.host, user, actor: 'guest' });
  }

  /**
   * Too many guesses for one extension is said aloud, for known and unknown extensions alike. A phone or source that
   * guesses too much is told what a wrong passcode is told, after as long.
   */
  async #overBudget(
    budget: { readonly outcome: 'wait' | 'locked'; readonly counter?: string },
    directory: Directory,
    request: LogInRequest,
  ): Promise<Refusal> {
    if (budget.outcome === 'locked') return { refused: 'tooManyTries', detail: 'locked until unlocked' };
    if (budget.counter === 'extension') return { refused: 'tooManyTries' };
    await this.#verify(undefined, directory, request);
    return { refused: 'badCredentials', detail: `too many guesses by this ${budget.counter}` };
  }

  #verify(user: User | undefined, directory: Directory, request: LogInRequest): Promise<boolean> {
    const { extension, passcode } = request;
    return this.#deps.passcodes.verify(user, { company: directory.company.id, extension, passcode });
  }

  async #place(
    directory: Directory,
    request: { readonly host: string; readonly user: User; readonly actor: string },
  ): Promise<LoggedIn | Refusal> {
    const host = directory.hosts.get(request.host);
    if (!host) return { refused: 'unknownHost' };
    const owner = host.owner === undefined ? undefined : directory.users.get(host.owner);
    // Who sits where is left to the store's atomic step: this node may be a moment behind.
    const plan = decideAssociation({ company: directory.company, host, user: request.user, owner });
    if (isRefusal(plan)) return plan;
    const reply = await this.#commit(plan, request.actor);
    return toResult(reply, request.user, directory);
  }

  #commit(plan: AssociationPlan, actor: string): Promise<AssociateReply> {
    const command = { ...plan, actor, opId: this.#deps.random.uuid() };
    return this.#twice(() => this.#deps.store.associate(command));
  }

  async #end(command: {
    readonly host: string;
    readonly reason: 'loggedOut' | 'released';
    readonly actor: string;
  }): Promise<Ended | Refusal> {
    const opId = this.#deps.random.uuid();
    const result = await this.#whileStoreAnswers(async () => {
      const reply = await this.#twice(() => this.#deps.store.end({ ...command, opId }));
      return this.#endResult(reply);
    });
    const text = command.reason === 'loggedOut' ? 'logged out' : 'released by an administrator';
    if (isRefusal(result)) this.#refused(`not ${text}`, { host: command.host }, result);
    else this.#done(text, result);
    return result;
  }

  #endResult(reply: EndReply): Ended | Refusal {
    if (reply.outcome === 'none') return { refused: 'nobodyHere' };
    if (reply.outcome !== 'ended') return { refused: 'notYours' };
    const user = this.#deps.view.directory?.users.get(reply.association.guest);
    if (!user) return { refused: 'nobodyHere', detail: 'the guest has left the directory' };
    return { user, association: reply.association };
  }

  /** The same operation once more when the first answer got lost; its op id makes it one operation. */
  async #twice<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return work();
    }
  }

  async #whileStoreAnswers<T>(work: () => Promise<T | Refusal>): Promise<T | Refusal> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoreUnavailable) return STORE_UNAVAILABLE;
      throw error;
    }
  }

  #done(text: string, { association, ...rest }: LoggedIn | Ended): void {
    const { host, guest, site, generation } = association;
    const movedFrom = 'movedFrom' in rest ? rest.movedFrom?.id : undefined;
    this.#deps.log.info({ host, guest, site, generation, ...(movedFrom && { movedFrom }) }, text);
  }

  /** What was typed as an extension may be a passcode: it is named only when such an extension exists. */
  #refused(
    text: string,
    request: { host: string; extension?: string; source?: string },
    refusal: Refusal,
  ): void {
    const { host, extension = '', source } = request;
    const guest = this.#deps.view.directory?.users.get(extension)?.extension;
    const { refused: reason, detail } = refusal;
    this.#deps.log.info({ host, guest, source, reason, detail }, text);
  }
}

function toResult(reply: AssociateReply, user: User, directory: Directory): LoggedIn | Refusal {
  switch (reply.outcome) {
    case 'associated': {
      const movedFrom = reply.movedFrom === undefined ? undefined : directory.hosts.get(reply.movedFrom);
      return { user, association: reply.association, movedFrom };
    }
    case 'occupied':
      return { refused: 'occupied', detail: `held by ${reply.by.guest}` };
    case 'elsewhere':
      return { refused: 'guestElsewhere', detail: `at ${reply.at.host}` };
    case 'alreadyHere':
      return { refused: 'alreadyHere' };
  }
}
