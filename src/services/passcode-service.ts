import type { Notice } from '../domain/association.ts';
import type { Company, User } from '../domain/directory.ts';
import { type PasscodeProblem, type PasscodeRules, passcodeProblems } from '../domain/passcode.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { Store } from '../store/store.ts';
import type { DirectoryService } from './directory-service.ts';
import type { HotelingSeals } from './hoteling-seals.ts';
import type { Passcodes } from './passcodes.ts';
import type { Log } from './ports.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

export interface PasscodeServiceDependencies {
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly store: Pick<Store, 'clearGuesses'>;
  readonly view: View;
  readonly passcodes: Pick<Passcodes, 'hash' | 'isOutdated'>;
  /** Absent: no passcode is kept for Guest In keys. */
  readonly seals?: Pick<HotelingSeals, 'sealed' | 'isDue'> | undefined;
  /** A whole number from 0 to below `limit` that nobody can foresee (node:crypto). */
  readonly randomInt: (limit: number) => number;
  readonly log: Log;
}

/** `problems`: each rule the passcode breaks. */
export type PasscodeRefusal = Refusal & { readonly problems?: readonly PasscodeProblem[] };

interface PasscodeChange extends Partial<Pick<User, 'passcodeHash' | 'passcodeOneTime'>> {
  readonly passcode: string;
  readonly instead?: string | undefined;
}

/** Passcodes renewed at once; a login beyond them leaves it to the next. */
const MAX_RENEWALS = 32;
/** Of a million passcodes of four digits thousands are left by every rule: so many in a row are no chance. */
const MAX_DRAWS = 1_000;
const STORE_UNAVAILABLE: Refusal = { refused: 'storeUnavailable' };

/** Setting, giving out, replacing and renewing passcodes. Their digits reach the hash and whoever asked, nothing else. */
export class PasscodeService {
  readonly #deps: PasscodeServiceDependencies;
  readonly #renewing = new Set<string>();

  constructor(deps: PasscodeServiceDependencies) {
    this.#deps = deps;
  }

  /**
   * An administrator sets a passcode, which also lifts a lock-out. Refused with unknownUser, passcodeTooSimple or
   * storeUnavailable.
   */
  set(extension: string, passcode: string, actor: string): Promise<'done' | PasscodeRefusal> {
    return this.#forUser(extension, (user, company) => {
      const problems = problemsOf(passcode, { extension, length: company.passcodeLength });
      return problems ?? this.#hand({ user, company, passcode, actor, oneTime: false });
    });
  }

  /**
   * A random passcode that the first login replaces, for an administrator to pass on; lifts a lock-out. It is told
   * here and never again. Refused with unknownUser or storeUnavailable.
   */
  giveOneTime(extension: string, actor: string): Promise<{ readonly passcode: string } | Refusal> {
    return this.#forUser(extension, async (user, company) => {
      const passcode = this.#draw({ extension, length: company.passcodeLength });
      const result = await this.#hand({ user, company, passcode, actor, oneTime: true });
      return isRefusal(result) ? result : { passcode };
    });
  }

  /** An administrator lifts a lock-out. Refused with unknownUser or storeUnavailable. */
  unlock(extension: string, actor: string): Promise<'done' | Refusal> {
    return this.#forUser(extension, async () => {
      await this.#deps.store.clearGuesses(extension, actor);
      this.#deps.log.info({ extension, actor }, 'unlocked');
      return 'done' as const;
    });
  }

  /**
   * A person who has just proved `previous` at a phone chooses another. `user` is who it was proved for: a passcode that
   * has changed since is no longer proved. Refused with passcodeTooSimple, badCredentials or storeUnavailable.
   */
  replace(
    user: User,
    passcode: string,
    { previous }: { readonly previous: string },
  ): Promise<'done' | PasscodeRefusal> {
    const { extension } = user;
    return this.#forUser(extension, async (_, company) => {
      const problems = problemsOf(passcode, { extension, length: company.passcodeLength, previous });
      if (problems) return problems;
      const passcodeHash = await this.#deps.passcodes.hash(company.id, extension, passcode);
      const wish = { passcode, passcodeHash, passcodeOneTime: false, instead: user.passcodeHash };
      return this.#write(extension, wish, { actor: 'guest', notice: 'passcodeSet' });
    });
  }

  /**
   * Stores a passcode that has just proved right with today's pepper and cost, and seals it for Guest In keys, where that
   * is to be done; in the background: a login neither waits for it nor fails by it, and what goes wrong is left to the
   * next one.
   */
  renew(user: User, passcode: string): void {
    const { extension, passcodeHash } = user;
    if (passcodeHash === undefined) return;
    const isDue = this.#deps.passcodes.isOutdated(passcodeHash) || this.#deps.seals?.isDue(user) === true;
    if (!isDue || this.#renewing.has(extension) || this.#renewing.size >= MAX_RENEWALS) return;
    this.#renewing.add(extension);
    this.#renew(user, passcode)
      .catch((error: unknown) => this.#deps.log.warn({ extension, err: error }, 'passcode not renewed'))
      .finally(() => this.#renewing.delete(extension));
  }

  async #renew({ extension, passcodeHash: instead = '' }: User, passcode: string): Promise<void> {
    const { passcodes, log } = this.#deps;
    const isOutdated = passcodes.isOutdated(instead);
    const result = await this.#forUser(extension, async (_, company) => {
      const passcodeHash = isOutdated ? await passcodes.hash(company.id, extension, passcode) : instead;
      return this.#write(extension, { passcode, passcodeHash, instead }, { actor: 'system' });
    });
    if (isRefusal(result)) {
      log.info({ extension, reason: result.refused }, 'passcode renewed at the next login');
    } else {
      log.info({ extension }, `passcode ${isOutdated ? 'renewed with the current pepper' : 'sealed'}`);
    }
  }

  async #hand(order: {
    readonly user: User;
    readonly company: Company;
    readonly passcode: string;
    readonly actor: string;
    readonly oneTime: boolean;
  }): Promise<'done' | Refusal> {
    const { user, company, passcode, actor, oneTime } = order;
    const { extension } = user;
    const passcodeHash = await this.#deps.passcodes.hash(company.id, extension, passcode);
    const wish = { passcode, passcodeHash, passcodeOneTime: oneTime };
    const written = await this.#write(extension, wish, { actor, notice: 'passcodeSet' });
    if (isRefusal(written)) return written;
    // Not before: guesses at the old passcode must not get a new budget.
    await this.#deps.store.clearGuesses(extension, actor);
    this.#deps.log.info({ extension, actor, oneTime }, 'passcode set');
    return written;
  }

  /** `instead`: only while this is still the hash; refused with badCredentials when it is not. */
  #write(
    extension: string,
    { instead, passcode, ...change }: PasscodeChange,
    { actor, notice }: { readonly actor: string; readonly notice?: Notice },
  ): Promise<'done' | Refusal> {
    return this.#deps.directory.editDirectory(({ users }) => {
      const user = users.get(extension);
      if (!user) return { refused: 'unknownUser' };
      if (instead !== undefined && user.passcodeHash !== instead) {
        return { refused: 'badCredentials', detail: 'the passcode has changed meanwhile' };
      }
      const changed = { ...user, ...change };
      const hotelingSecret = this.#deps.seals?.sealed(changed, passcode);
      const put = [{ kind: 'user', value: { ...changed, hotelingSecret } }] as const;
      return { put, ...(notice && { notice: { notice, extension } }) };
    }, actor);
  }

  /** A passcode of the shortest length by chance, each that obeys the rules as likely as any other. */
  #draw(rules: PasscodeRules): string {
    for (let draws = 0; draws < MAX_DRAWS; draws++) {
      const digits = Array.from({ length: rules.length.min }, () => this.#deps.randomInt(10));
      if (passcodeProblems(digits.join(''), rules).length === 0) return digits.join('');
    }
    throw new Error('The random numbers are not random');
  }

  async #forUser<T>(
    extension: string,
    work: (user: User, company: Company) => T | Promise<T>,
  ): Promise<T | Refusal> {
    const { directory } = this.#deps.view;
    const user = directory?.users.get(extension);
    if (!directory) return STORE_UNAVAILABLE;
    if (!user) return { refused: 'unknownUser' };
    return whileStoreAnswers(async () => work(user, directory.company));
  }
}

function problemsOf(passcode: string, rules: PasscodeRules): PasscodeRefusal | undefined {
  const problems = passcodeProblems(passcode, rules);
  return problems.length === 0 ? undefined : { refused: 'passcodeTooSimple', problems };
}
