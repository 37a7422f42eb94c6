import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { Claim, Credentials } from './credentials.ts';
import type { Ended, HotDesk, LoggedIn } from './hot-desk.ts';
import type { HotelingSeals } from './hoteling-seals.ts';
import type { Log } from './ports.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

/** The answer to a challenge: hexadecimal MD5 of `nonce:passcode`. */
export interface GuestInAttempt extends Claim {
  /** Given out for this guest at this host, and used here for the first time. */
  readonly nonce: string;
  readonly response: string;
}

export interface GuestKeysDependencies {
  readonly credentials: Pick<Credentials, 'guess'>;
  readonly seals: Pick<HotelingSeals, 'proves'>;
  readonly hotDesk: Pick<HotDesk, 'associateGuest' | 'logOut'>;
  readonly view: Pick<View, 'directory'>;
  readonly log: Log;
}

/** Guest In and Guest Out keys of phones: the same guesses, the same lock-out and the same rules as at the prompts. */
export class GuestKeys {
  readonly #deps: GuestKeysDependencies;

  constructor(deps: GuestKeysDependencies) {
    this.#deps = deps;
  }

  /**
   * Who answers a challenge takes the host, if what is kept of them says that the answer is right. Refused as a login is;
   * with badCredentials also for who has not opted in or has a passcode that is to be replaced.
   */
  async guestIn(attempt: GuestInAttempt): Promise<LoggedIn | Refusal> {
    const { credentials, seals, hotDesk } = this.#deps;
    const { host, extension } = attempt;
    const user = await whileStoreAnswers(() =>
      credentials.guess(attempt, (claimed) => Promise.resolve(seals.proves(claimed, attempt))),
    );
    if (!isRefusal(user)) return hotDesk.associateGuest({ host, extension });
    this.#refused(attempt, user);
    return user;
  }

  /** Whoever is at this host leaves it (rule A2). Refused as a logout is. */
  guestOut(host: string): Promise<Ended | Refusal> {
    return this.#deps.hotDesk.logOut({ host });
  }

  /** What was typed as an extension may be a passcode: it is named only when such an extension exists. */
  #refused({ host, extension, source }: Claim, { refused: reason, detail }: Refusal): void {
    const guest = this.#deps.view.directory?.users.get(extension)?.extension;
    this.#deps.log.info({ host, guest, source, reason, detail }, 'guest in refused');
  }
}
