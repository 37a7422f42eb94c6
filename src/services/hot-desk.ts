import { type Association, type AssociationPlan, decideAssociation } from '../domain/association.ts';
import type { Directory, Host, User } from '../domain/directory.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import {
  type AssociateReply,
  type EndReply,
  type GuessKey,
  type Store,
  StoreUnavailable,
} from '../store/store.ts';
import { msUntilDailyLogOut } from './daily-log-out.ts';
import type { PasscodeService } from './passcode-service.ts';
import type { Passcodes } from './passcodes.ts';
import type { PendingEnds } from './pending-ends.ts';
import type { Log, Random } from './ports.ts';

export interface HotDeskDependencies {
  readonly store: Pick<Store, 'associate' | 'end' | 'reserveGuess' | 'confirmGuess'>;
  readonly view: View;
  readonly passcodes: Pick<Passcodes, 'verify' | 'blind'>;
  readonly passcodeService: Pick<PasscodeService, 'replace' | 'renew'>;
  readonly pendingEnds: Pick<PendingEnds, 'add'>;
  readonly random: Random;
  readonly log: Log;
  /** The store's clock as far as this node knows it, ms since 1970. */
  readonly storeNow: () => number;
}

export interface LogInRequest {
  readonly host: string;
  readonly extension: string;
  readonly passcode: string;
  /** Takes the passcode's place, before the association. */
  readonly newPasscode?: string | undefined;
  /** Signalling address the guess comes from. */
  readonly source: string;
}

/** `passcodeChanged`: the new passcode holds all the same. */
export type LogInRefusal = Refusal & { readonly passcodeChanged?: boolean };

export interface LoggedIn {
  readonly user: User;
  readonly association: Association;
  /** The host the person left by this (rule B5c). */
  readonly movedFrom?: Host | undefined;
}

/** The guest may have left the directory. */
export interface Ended {
  readonly association: Association;
}

interface Placing {
  readonly host: string;
  readonly extension: string;
  readonly actor: string;
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
   * is licensed, or sits elsewhere. A right passcode that was given out to be replaced is refused with
   * newPasscodeNeeded, and goes on being right, until the request brings a `newPasscode`.
   */
  async logIn(request: LogInRequest): Promise<LoggedIn | LogInRefusal> {
    const result = await this.#whileStoreAnswers<LoggedIn, LogInRefusal>(() => this.#logIn(request));
    if (isRefusal(result)) this.#refused('login refused', request, result);
    else this.#done('logged in', result);
    return result;
  }

  /**
   * Whoever is at this host leaves it (rule A2). With the store away they are gone on this node at once, and the store
   * is told when it is back. Refused with nobodyHere, or with storeUnavailable where this node does not know who is there.
   */
  logOut({ host }: { readonly host: string }): Promise<Ended | Refusal> {
    return this.#end({ host, reason: 'loggedOut', actor: 'guest' });
  }

  /** An administrator puts a person at a host; the same rules as for a login, passcode aside. */
  async associate(request: Placing): Promise<LoggedIn | Refusal> {
    const result = await this.#whileStoreAnswers(() => this.#place(request));
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

  async #logIn(request: LogInRequest): Promise<LoggedIn | LogInRefusal> {
    const { store, view, passcodeService } = this.#deps;
    const { extension, host, passcode } = request;
    if (!view.directory) return STORE_UNAVAILABLE;
    if (!view.directory.hosts.has(host)) return { refused: 'unknownHost' };
    const key = this.#guessOf(view.directory, request);
    const budget = await store.reserveGuess(key);
    if (budget.outcome !== 'reserved') return this.#overBudget(budget, request);
    const user = view.directory?.users.get(extension);
    if (!(await this.#verify(user, request)) || !user) return { refused: 'badCredentials' };
    await store.confirmGuess(key);
    if (user.passcodeOneTime || request.newPasscode !== undefined)
      return this.#replaceAndPlace(user, request);
    passcodeService.renew(user, passcode);
    return this.#place({ host, extension, actor: 'guest' });
  }

  #guessOf({ users, company }: Directory, { extension, host, source }: LogInRequest): GuessKey {
    if (users.has(extension)) return { extension, known: true, host, source };
    return { extension: this.#deps.passcodes.blind(company.id, extension), known: false, host, source };
  }

  /** Who could not log in anyway is told so first, and keeps the passcode. */
  async #replaceAndPlace(user: User, request: LogInRequest): Promise<LoggedIn | LogInRefusal> {
    const { host, newPasscode, passcode: previous } = request;
    const place = { host, extension: user.extension, actor: 'guest' };
    const plan = this.#plan(place);
    if (isRefusal(plan)) return plan;
    if (newPasscode === undefined) return { refused: 'newPasscodeNeeded' };
    const replaced = await this.#deps.passcodeService.replace(user, newPasscode, { previous });
    if (isRefusal(replaced)) return replaced;
    const result = await this.#whileStoreAnswers(() => this.#place(place));
    return isRefusal(result) ? { ...result, passcodeChanged: true } : result;
  }

  /**
   * Too many guesses for one extension is said aloud, for known and unknown extensions alike. A phone or source that
   * guesses too much is told what a wrong passcode is told, after as long.
   */
  async #overBudget(
    budget: { readonly outcome: 'wait' | 'locked'; readonly counter?: string },
    request: LogInRequest,
  ): Promise<Refusal> {
    if (budget.outcome === 'locked') return { refused: 'tooManyTries', detail: 'locked until unlocked' };
    if (budget.counter === 'extension' || budget.counter === 'pair') return { refused: 'tooManyTries' };
    await this.#verify(undefined, request);
    return { refused: 'badCredentials', detail: `too many guesses by this ${budget.counter}` };
  }

  #verify(user: User | undefined, { extension, passcode }: LogInRequest): Promise<boolean> {
    const company = this.#deps.view.directory?.company.id ?? '';
    return this.#deps.passcodes.verify(user, { company, extension, passcode });
  }

  async #place(request: Placing): Promise<LoggedIn | Refusal> {
    const plan = this.#plan(request);
    if (isRefusal(plan)) return plan;
    const user = this.#deps.view.directory?.users.get(plan.guest);
    return user ? this.#result(await this.#commit(plan, request.actor), user) : { refused: 'unknownUser' };
  }

  /** What to ask of the store. Read anew each time: the directory changes in place. */
  #plan({ host: id, extension }: Placing): AssociationPlan | Refusal {
    const { directory } = this.#deps.view;
    if (!directory) return STORE_UNAVAILABLE;
    const [host, user] = [directory.hosts.get(id), directory.users.get(extension)];
    if (!host) return { refused: 'unknownHost' };
    if (!user) return { refused: 'unknownUser' };
    const owner = host.owner === undefined ? undefined : directory.users.get(host.owner);
    const site = directory.sites.get(host.site);
    const untilDailyLogOutMs = site && msUntilDailyLogOut(site, this.#deps.storeNow());
    // Who sits where is left to the store's atomic step: this node may be a moment behind.
    return decideAssociation({ company: directory.company, host, user, owner, untilDailyLogOutMs });
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
    const isLogOut = command.reason === 'loggedOut';
    let result = await this.#whileStoreAnswers(async () => {
      const reply = await this.#twice(() => this.#deps.store.end({ ...command, opId }));
      return this.#endResult(reply);
    });
    if (isLogOut && result === STORE_UNAVAILABLE) result = this.#endHere(command.host, opId);
    const text = isLogOut ? 'logged out' : 'released by an administrator';
    if (isRefusal(result)) this.#refused(`not ${text}`, { host: command.host }, result);
    else this.#done(text, result);
    return result;
  }

  #endHere(host: string, opId: string): Ended | Refusal {
    const association = this.#deps.view.associationAt(host);
    if (!association || !this.#deps.pendingEnds.add(association, opId)) return STORE_UNAVAILABLE;
    return { association };
  }

  #endResult(reply: EndReply): Ended | Refusal {
    if (reply.outcome === 'none') return { refused: 'nobodyHere' };
    if (reply.outcome !== 'ended') return { refused: 'notYours' };
    return { association: reply.association };
  }

  #result(reply: AssociateReply, user: User): LoggedIn | Refusal {
    switch (reply.outcome) {
      case 'associated': {
        const movedFrom = this.#deps.view.directory?.hosts.get(reply.movedFrom ?? '');
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

  /** The same operation once more when the first answer got lost; its op id makes it one operation. */
  async #twice<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return work();
    }
  }

  async #whileStoreAnswers<T, R = Refusal>(work: () => Promise<T | R>): Promise<T | R | Refusal> {
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
