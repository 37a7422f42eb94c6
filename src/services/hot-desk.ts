import { type Association, type AssociationPlan, decideAssociation } from '../domain/association.ts';
import type { Host, User } from '../domain/directory.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import { type AssociateReply, type EndReply, type Store, StoreUnavailable } from '../store/store.ts';
import { Credentials, type CredentialsDependencies, type LogInRequest } from './credentials.ts';
import { msUntilDailyLogOut } from './daily-log-out.ts';
import type { PendingEnds } from './pending-ends.ts';
import type { Log, Random } from './ports.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

export type { LogInRequest } from './credentials.ts';

export interface HotDeskDependencies extends CredentialsDependencies {
  readonly store: Pick<Store, 'associate' | 'end' | 'reserveGuess' | 'confirmGuess'>;
  readonly view: View;
  readonly pendingEnds: Pick<PendingEnds, 'add'>;
  readonly random: Random;
  readonly log: Log;
  /** The store's clock as far as this node knows it, ms since 1970. */
  readonly storeNow: () => number;
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
  /** Whose limit counts: the host's for who stands before it, the guest's own otherwise (rules B3, B5a). */
  readonly how: 'atHost' | 'remotely';
}

interface Ending {
  readonly host?: string;
  readonly guest?: string;
  readonly generation?: number;
  readonly reason: 'loggedOut' | 'released';
  readonly actor: string;
}

const STORE_UNAVAILABLE: Refusal = { refused: 'storeUnavailable' };

/** Logging in and out at a host (rules A1, A2, A5, A7, B3–B6). Extensions are logged once known, digits never. */
export class HotDesk {
  readonly #deps: HotDeskDependencies;
  readonly #credentials: Credentials;

  constructor(deps: HotDeskDependencies) {
    this.#deps = deps;
    this.#credentials = new Credentials(deps);
  }

  /**
   * A person at a host gives extension and passcode, and takes it. Who has no right passcode learns nothing else: not
   * whether the extension exists, is licensed, or sits elsewhere. Refused with newPasscodeNeeded as `identify` is.
   */
  async logIn(request: LogInRequest): Promise<LoggedIn | LogInRefusal> {
    const result = await whileStoreAnswers<LoggedIn | LogInRefusal>(() => this.#logIn(request));
    if (isRefusal(result)) this.#refused('login refused', request, result);
    else this.#done('logged in', result);
    return result;
  }

  /**
   * Who gives extension and passcode at a host is this user; nothing else changes. Same budget of guesses, same answers
   * and same time as a login. A right passcode that was given out to be replaced is refused with newPasscodeNeeded, and
   * goes on being right, until the request brings a `newPasscode`.
   */
  async identify(request: LogInRequest): Promise<{ readonly user: User } | LogInRefusal> {
    const result = await whileStoreAnswers(() => this.#credentials.prove(request));
    if (isRefusal(result)) {
      this.#refused('not identified', request, result);
      return result;
    }
    const { user } = result;
    this.#deps.log.info({ host: request.host, guest: user.extension }, 'identified');
    return { user };
  }

  /**
   * A person just identified takes this host, standing before it: the limit is the host's (rule B5a). Refused as
   * `logIn` is, credentials aside.
   */
  associateGuest(request: {
    readonly host: string;
    readonly extension: string;
  }): Promise<LoggedIn | Refusal> {
    return this.#placeAndLog({ ...request, actor: 'guest', how: 'atHost' });
  }

  /**
   * A person just identified leaves this host, or, without `host`, wherever they sit (rule B6). Refused with notYours
   * (another guest is there), nobodyHere, unknownHost, unknownUser or storeUnavailable; what is said of `logOut` with
   * the store away is so here. `actor`: who acts for them, when it is not themselves; an administrator releases.
   */
  async leave(request: {
    readonly extension: string;
    readonly host?: string;
    readonly actor?: string;
  }): Promise<Ended | Refusal> {
    const { extension: guest, host, actor = 'guest' } = request;
    const { directory } = this.#deps.view;
    if (!directory) return STORE_UNAVAILABLE;
    if (!directory.users.has(guest)) return { refused: 'unknownUser' };
    if (host !== undefined && !directory.hosts.has(host)) return { refused: 'unknownHost' };
    const reason = actor.startsWith('admin') ? 'released' : 'loggedOut';
    return this.#end({ guest, ...(host !== undefined && { host }), reason, actor });
  }

  /**
   * Whoever is at this host leaves it (rule A2). With the store away they are gone on this node at once, and the store
   * is told when it is back. Refused with nobodyHere, or with storeUnavailable where this node does not know who is there.
   */
  logOut({ host }: { readonly host: string }): Promise<Ended | Refusal> {
    return this.#end({ host, reason: 'loggedOut', actor: 'guest' });
  }

  /**
   * An administrator puts a person at a host, or they themselves do so from afar; the same rules as for a login, passcode
   * aside, but that the guest's own limit counts, which must not be longer than the host's (limitTooLong, rule B3).
   */
  associate(request: {
    readonly host: string;
    readonly extension: string;
    readonly actor: string;
  }): Promise<LoggedIn | Refusal> {
    return this.#placeAndLog({ ...request, how: 'remotely' });
  }

  /**
   * An administrator frees a host (rule A5). `generation`: only from this association; refused with changedMeanwhile
   * when another has begun there since.
   */
  async release({
    host,
    actor,
    generation,
  }: {
    readonly host: string;
    readonly actor: string;
    readonly generation?: number | undefined;
  }): Promise<Ended | Refusal> {
    const { directory } = this.#deps.view;
    if (!directory) return STORE_UNAVAILABLE;
    if (!directory.hosts.has(host)) return { refused: 'unknownHost' };
    return this.#end({ host, ...(generation !== undefined && { generation }), reason: 'released', actor });
  }

  async #logIn(request: LogInRequest): Promise<LoggedIn | LogInRefusal> {
    const { host, extension } = request;
    const place: Placing = { host, extension, actor: 'guest', how: 'atHost' };
    const proved = await this.#credentials.prove(request, () => refusalIn(this.#plan(place)));
    if (isRefusal(proved)) return proved;
    if (!proved.passcodeChanged) return this.#place(place);
    const result = await whileStoreAnswers(() => this.#place(place));
    return isRefusal(result) ? { ...result, passcodeChanged: true } : result;
  }

  async #placeAndLog(request: Placing): Promise<LoggedIn | Refusal> {
    const result = await whileStoreAnswers(() => this.#place(request));
    if (isRefusal(result)) this.#refused('association refused', request, result);
    else this.#done(request.how === 'atHost' ? 'logged in' : 'associated from afar', result);
    return result;
  }

  async #place(request: Placing): Promise<LoggedIn | Refusal> {
    const plan = this.#plan(request);
    if (isRefusal(plan)) return plan;
    const user = this.#deps.view.directory?.users.get(plan.guest);
    return user ? this.#result(await this.#commit(plan, request.actor), user) : { refused: 'unknownUser' };
  }

  /** What to ask of the store. Read anew each time: the directory changes in place. */
  #plan({ host: id, extension, how }: Placing): AssociationPlan | Refusal {
    const { directory } = this.#deps.view;
    if (!directory) return STORE_UNAVAILABLE;
    const [host, user] = [directory.hosts.get(id), directory.users.get(extension)];
    if (!host) return { refused: 'unknownHost' };
    if (!user) return { refused: 'unknownUser' };
    const owner = host.owner === undefined ? undefined : directory.users.get(host.owner);
    const site = directory.sites.get(host.site);
    const untilDailyLogOutMs = site && msUntilDailyLogOut(site, this.#deps.storeNow());
    // Who sits where is left to the store's atomic step: this node may be a moment behind.
    const { company } = directory;
    return decideAssociation({ company, host, user, owner, how, untilDailyLogOutMs });
  }

  #commit(plan: AssociationPlan, actor: string): Promise<AssociateReply> {
    const { directory } = this.#deps.view;
    const [guest, host] = [directory?.users.get(plan.guest)?.name, directory?.hosts.get(plan.host)?.nickname];
    const names = guest !== undefined && host !== undefined ? { guest, host } : undefined;
    const command = { ...plan, names, actor, opId: this.#deps.random.uuid() };
    return this.#twice(() => this.#deps.store.associate(command));
  }

  async #end(command: Ending): Promise<Ended | Refusal> {
    const opId = this.#deps.random.uuid();
    const isLogOut = command.reason === 'loggedOut';
    let result = await whileStoreAnswers(async () => {
      const reply = await this.#twice(() => this.#deps.store.end({ ...command, opId }));
      return this.#endResult(reply);
    });
    if (isLogOut && isRefusal(result) && result.refused === 'storeUnavailable')
      result = this.#endHere(command, opId);
    const text = isLogOut ? 'logged out' : 'released by an administrator';
    if (isRefusal(result)) this.#refused(`not ${text}`, { ...command, extension: command.guest }, result);
    else this.#done(text, result);
    return result;
  }

  #endHere({ host, guest }: Ending, opId: string): Ended | Refusal {
    const { view, pendingEnds } = this.#deps;
    const association = host === undefined ? view.associationOf(guest ?? '') : view.associationAt(host);
    if (!association) return STORE_UNAVAILABLE;
    if (guest !== undefined && association.guest !== guest) return { refused: 'notYours' };
    return pendingEnds.add(association, opId) ? { association } : STORE_UNAVAILABLE;
  }

  #endResult(reply: EndReply): Ended | Refusal {
    if (reply.outcome === 'none') return { refused: 'nobodyHere' };
    if (reply.outcome === 'stale') return { refused: 'changedMeanwhile', detail: 'somebody else is there' };
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

  #done(text: string, { association, ...rest }: LoggedIn | Ended): void {
    const { host, guest, site, generation } = association;
    const movedFrom = 'movedFrom' in rest ? rest.movedFrom?.id : undefined;
    this.#deps.log.info({ host, guest, site, generation, ...(movedFrom && { movedFrom }) }, text);
  }

  /** What was typed as an extension may be a passcode: it is named only when such an extension exists. */
  #refused(
    text: string,
    request: { host?: string; extension?: string | undefined; source?: string },
    refusal: Refusal,
  ): void {
    const { host, extension = '', source } = request;
    const guest = this.#deps.view.directory?.users.get(extension)?.extension;
    const { refused: reason, detail } = refusal;
    this.#deps.log.info({ host, guest, source, reason, detail }, text);
  }
}

function refusalIn(plan: AssociationPlan | Refusal): Refusal | undefined {
  return isRefusal(plan) ? plan : undefined;
}
