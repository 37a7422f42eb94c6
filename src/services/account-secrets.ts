import type { Account } from '../domain/account.ts';
import { canonicalPassword } from '../domain/password.ts';
import type { Passcodes } from './passcodes.ts';
import type { Sealing } from './sealing.ts';
import { totpStep } from './totp.ts';

export interface AccountSecretsDependencies {
  readonly passcodes: Pick<Passcodes, 'hash' | 'verify' | 'isOutdated'>;
  readonly sealing: Sealing;
  readonly company: string;
}

/** Passwords and code secrets of accounts, under the same peppers as passcodes and apart from them. */
export class AccountSecrets {
  readonly #deps: AccountSecretsDependencies;

  constructor(deps: AccountSecretsDependencies) {
    this.#deps = deps;
  }

  hash(account: string, password: string): Promise<string> {
    return this.#deps.passcodes.hash(this.#deps.company, subject(account), canonicalPassword(password));
  }

  /** Takes as long for nobody as for a wrong password. */
  verify(account: Account | undefined, password: string): Promise<boolean> {
    return this.#deps.passcodes.verify(account && { passcodeHash: account.passwordHash }, {
      company: this.#deps.company,
      extension: subject(account?.id ?? ''),
      passcode: canonicalPassword(password),
    });
  }

  /** Made with an older pepper or for less work than today's. */
  isOutdated(passwordHash: string): boolean {
    return this.#deps.passcodes.isOutdated(passwordHash);
  }

  sealTotp(account: string, secret: Uint8Array): string {
    return this.#deps.sealing.seal(Buffer.from(secret).toString('base64'), `totp:${account}`);
  }

  /** The step a code is of; undefined: a wrong one, or a secret nobody can open any more. `now`: ms since 1970. */
  stepOf({ id, totp }: Account, code: string, now: number): number | undefined {
    const secret = totp && this.#deps.sealing.open(totp.sealedSecret, `totp:${id}`);
    return secret === undefined ? undefined : totpStep(Buffer.from(secret, 'base64'), code, now);
  }
}

/** No extension: what is hashed for a person cannot be taken for an account's. */
function subject(account: string): string {
  return `account:${account}`;
}
