import type { Directory, User } from '../domain/directory.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { GuessKey, Store } from '../store/store.ts';
import type { PasscodeService } from './passcode-service.ts';
import type { Passcodes } from './passcodes.ts';

export interface CredentialsDependencies {
  readonly store: Pick<Store, 'reserveGuess' | 'confirmGuess'>;
  readonly view: Pick<View, 'directory'>;
  readonly passcodes: Pick<Passcodes, 'verify' | 'blind'>;
  readonly passcodeService: Pick<PasscodeService, 'replace' | 'renew'>;
}

/** Whom somebody at a host claims to be. */
export interface Claim {
  readonly host: string;
  readonly extension: string;
  /** Signalling address the guess comes from. */
  readonly source: string;
}

export interface LogInRequest extends Claim {
  readonly passcode: string;
  /** Takes the passcode's place, before anything else is done with it. */
  readonly newPasscode?: string | undefined;
}

export interface Proved {
  readonly user: User;
  /** The request brought a new passcode, and it holds. */
  readonly passcodeChanged: boolean;
}

const STORE_UNAVAILABLE: Refusal = { refused: 'storeUnavailable' };

/** Proves that somebody is who they say. Everything that takes a passcode goes through here: one budget of guesses. */
export class Credentials {
  readonly #deps: CredentialsDependencies;

  constructor(deps: CredentialsDependencies) {
    this.#deps = deps;
  }

  /**
   * Who gives extension and passcode is this user. A passcode that was given out to be replaced is refused with
   * newPasscodeNeeded, and goes on being right, until the request brings a `newPasscode`. `mayGoOn` is asked before
   * that: who would be refused anyway is told so, and keeps the passcode.
   */
  async prove(
    request: LogInRequest,
    mayGoOn: (user: User) => Refusal | undefined = () => undefined,
  ): Promise<Proved | Refusal> {
    const { passcode, newPasscode } = request;
    const user = await this.guess(request, (claimed) => this.#verify(claimed, request));
    if (isRefusal(user)) return user;
    if (!user.passcodeOneTime && newPasscode === undefined) {
      this.#deps.passcodeService.renew(user, passcode);
      return { user, passcodeChanged: false };
    }
    const refusal = mayGoOn(user);
    if (refusal) return refusal;
    if (newPasscode === undefined) return { refused: 'newPasscodeNeeded' };
    const replaced = await this.#deps.passcodeService.replace(user, newPasscode, { previous: passcode });
    if (isRefusal(replaced)) return replaced;
    return { user: this.#deps.view.directory?.users.get(user.extension) ?? user, passcodeChanged: true };
  }

  /**
   * One guess, whatever its form. It is reserved before the slow check, so that parallel guesses share one budget, and
   * who guesses wrong learns nothing else: `verify` is called for nobody's extension too, and must take as long.
   */
  async guess(claim: Claim, verify: (user: User | undefined) => Promise<boolean>): Promise<User | Refusal> {
    const { store, view } = this.#deps;
    if (!view.directory) return STORE_UNAVAILABLE;
    if (!view.directory.hosts.has(claim.host)) return { refused: 'unknownHost' };
    const key = this.#keyOf(view.directory, claim);
    const budget = await store.reserveGuess(key);
    if (budget.outcome !== 'reserved') return overBudget(budget, verify);
    const user = view.directory?.users.get(claim.extension);
    if (!(await verify(user)) || !user) return { refused: 'badCredentials' };
    await store.confirmGuess(key);
    return user;
  }

  #keyOf({ users, company }: Directory, { extension, host, source }: Claim): GuessKey {
    if (users.has(extension)) return { extension, known: true, host, source };
    return { extension: this.#deps.passcodes.blind(company.id, extension), known: false, host, source };
  }

  #verify(user: User | undefined, { extension, passcode }: LogInRequest): Promise<boolean> {
    const company = this.#deps.view.directory?.company.id ?? '';
    return this.#deps.passcodes.verify(user, { company, extension, passcode });
  }
}

/**
 * Too many guesses for one extension is said aloud, for known and unknown extensions alike. A phone or source that
 * guesses too much is told what a wrong passcode is told, after as long.
 */
async function overBudget(
  budget: { readonly outcome: 'wait' | 'locked'; readonly counter?: string },
  verify: (user: undefined) => Promise<boolean>,
): Promise<Refusal> {
  if (budget.outcome === 'locked') return { refused: 'tooManyTries', detail: 'locked until unlocked' };
  if (budget.counter === 'extension' || budget.counter === 'pair') return { refused: 'tooManyTries' };
  await verify(undefined);
  return { refused: 'badCredentials', detail: `too many guesses by this ${budget.counter}` };
}
