import { createHash, timingSafeEqual } from 'node:crypto';
import type { User } from '../domain/directory.ts';
import type { Sealing } from './sealing.ts';

type Person = Pick<
  User,
  'extension' | 'passcodeHash' | 'passcodeOneTime' | 'hotelingKeys' | 'hotelingSecret'
>;

/**
 * Passcodes that are kept, sealed, beside their hash: phones with Guest In keys prove a passcode by MD5, which no hash
 * can check. Only of people who opted in, and never one that was given out to be replaced. What is sealed belongs to one
 * hash: when the passcode changes by whatever way, it opens no more.
 */
export class HotelingSeals {
  readonly #sealing: Sealing;
  readonly #company: string;
  readonly #decoy: string;

  /** Key and cipher are those of `sealing`: AES-256-GCM under a key made of the configured pepper. */
  constructor({ sealing, company }: { readonly sealing: Sealing; readonly company: string }) {
    this.#sealing = sealing;
    this.#company = company;
    this.#decoy = sealing.seal('000000', this.#contextOf(NOBODY));
  }

  /** What to keep of a passcode beside its hash, which the person has by now; undefined: nothing. */
  sealed(person: Omit<Person, 'hotelingSecret'>, passcode: string): string | undefined {
    return mayBeKept(person) ? this.#sealing.seal(passcode, this.#contextOf(person)) : undefined;
  }

  /** Whether the passcode, given just now, is to be sealed: from the opt-in on it is kept when it is next typed. */
  isDue(person: Person): boolean {
    return mayBeKept(person) && this.#open(person) === undefined;
  }

  /**
   * Whether the response is hexadecimal MD5 of `nonce:passcode`. Does the same work for nobody, for who has not opted in
   * and for a wrong response.
   */
  proves(
    person: Person | undefined,
    { nonce, response }: { readonly nonce: string; readonly response: string },
  ): boolean {
    const passcode = this.#open(person);
    const right = createHash('md5')
      .update(`${nonce}:${passcode ?? ''}`, 'utf8')
      .digest();
    const given = Buffer.alloc(right.length);
    const isHex = /^[0-9a-f]{32}$/i.test(response);
    given.write(isHex ? response : '', 'hex');
    const isRight = timingSafeEqual(right, given);
    return isRight && passcode !== undefined;
  }

  #open(person: Person | undefined): string | undefined {
    const isThere = person?.hotelingSecret !== undefined && mayBeKept(person);
    const [box, owner] = isThere ? [person.hotelingSecret ?? '', person] : [this.#decoy, NOBODY];
    const passcode = this.#sealing.open(box, this.#contextOf(owner));
    return isThere ? passcode : undefined;
  }

  #contextOf({ extension, passcodeHash }: Pick<Person, 'extension' | 'passcodeHash'>): string {
    return `hoteling ${this.#company} ${extension} ${passcodeHash}`;
  }
}

const NOBODY = { extension: '', passcodeHash: 'x'.repeat(100) };

function mayBeKept({ hotelingKeys, passcodeOneTime, passcodeHash }: Omit<Person, 'hotelingSecret'>): boolean {
  return hotelingKeys && !passcodeOneTime && passcodeHash !== undefined;
}
