import type { User } from '../../../src/domain/directory.ts';

/** A hash of the right form that takes no time: the digits stand in the place of the salt. */
export function fakeHash(passcode: string, keyId = 'k'): string {
  return `${keyId}:$argon2id$v=19$m=19456,t=2,p=1$${passcode.padEnd(22, 'A')}$${'A'.repeat(43)}`;
}

/** Passcodes without the slow part; `k` is the current key, `old` an older one. */
export class FakePasscodes {
  /** Whom each passcode was checked for: `-` where nobody has the extension. */
  readonly verified: string[] = [];
  readonly hashed: string[] = [];
  /** Called before a hash is given. */
  onHash: () => unknown = () => undefined;

  async verify(user: User | undefined, { passcode }: { passcode: string }): Promise<boolean> {
    this.verified.push(user?.extension ?? '-');
    const stored = user?.passcodeHash;
    return stored === fakeHash(passcode) || stored === fakeHash(passcode, 'old');
  }

  async hash(company: string, extension: string, passcode: string): Promise<string> {
    this.hashed.push(`${company} ${extension}`);
    await this.onHash();
    return fakeHash(passcode);
  }

  blind(_company: string, typed: string): string {
    return `blind${[...typed].map((c) => 'abcdefghij'[Number(c)]).join('')}`;
  }

  isOutdated(passcodeHash: string): boolean {
    return !passcodeHash.startsWith('k:');
  }
}
