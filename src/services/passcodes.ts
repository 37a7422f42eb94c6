import { createHmac } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { User } from '../domain/directory.ts';

/** OWASP's first choice for argon2id; KiB, passes, lanes. 12 ms on a core of 2023. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** Same cost as a real record and no passcode fits: what an unknown extension is checked against. */
const NOBODY = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const PEPPER_MIN_BYTES = 32;

export interface PasscodeOptions {
  /** Names the pepper within stored hashes, `[A-Za-z0-9_-]+`. */
  readonly keyId: string;
  /** At least 32 secret bytes kept outside the store: without them a leaked table of 6-digit hashes is an open book. */
  readonly pepper: Uint8Array;
  /** Earlier peppers by key id; their hashes stay good. */
  readonly olderPeppers?: ReadonlyMap<string, Uint8Array> | undefined;
  /** Hashes at once, 19 MiB each; default 4, the size of libuv's pool. */
  readonly concurrency?: number | undefined;
}

/** Stores and checks passcodes: argon2id over HMAC-SHA256(pepper, company‖0‖extension‖0‖passcode). */
export class Passcodes {
  readonly #options: PasscodeOptions;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @throws RangeError for a pepper of less than 32 bytes or a bad key id. */
  constructor(options: PasscodeOptions) {
    if (options.pepper.length < PEPPER_MIN_BYTES)
      throw new RangeError('The pepper must have 32 bytes or more');
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(options.keyId))
      throw new RangeError('The key id may hold A-Z, a-z, 0-9, _, -');
    this.#options = options;
  }

  /** `<key id>:$argon2id$…`, for `User.passcodeHash`. */
  async hash(company: string, extension: string, passcode: string): Promise<string> {
    const { keyId, pepper } = this.#options;
    const keyed = withPepper(pepper, [company, extension, passcode]);
    return `${keyId}:${await this.#limited(() => hash(keyed, COST))}`;
  }

  /**
   * Whether the passcode is this user's. Takes as long for nobody and for an unreadable hash as for a wrong passcode,
   * and never rejects.
   */
  async verify(
    user: User | undefined,
    attempt: { readonly company: string; readonly extension: string; readonly passcode: string },
  ): Promise<boolean> {
    const stored = user && this.#read(user.passcodeHash);
    const pepper = stored?.pepper ?? this.#options.pepper;
    const keyed = withPepper(pepper, [attempt.company, attempt.extension, attempt.passcode]);
    const right = await this.#limited(() => verifySafely(stored?.encoded ?? NOBODY, keyed));
    return right && stored !== undefined;
  }

  #read(passcodeHash: string): { readonly pepper: Uint8Array; readonly encoded: string } | undefined {
    const colon = passcodeHash.indexOf(':');
    const keyId = passcodeHash.slice(0, Math.max(0, colon));
    const { pepper, olderPeppers } = this.#options;
    const found = keyId === this.#options.keyId ? pepper : olderPeppers?.get(keyId);
    return found && isPasscodeHash(passcodeHash)
      ? { pepper: found, encoded: passcodeHash.slice(colon + 1) }
      : undefined;
  }

  async #limited<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= (this.#options.concurrency ?? 4)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

/** Whether a text has the form `hash` gives. */
export function isPasscodeHash(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,32}:\$argon2id\$v=19\$m=\d{1,7},t=\d{1,2},p=\d\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/.test(
    text,
  );
}

/** As base64: the argon2 package takes text only when it verifies. */
function withPepper(pepper: Uint8Array, parts: readonly string[]): string {
  return createHmac('sha256', pepper).update(parts.join('\0'), 'utf8').digest('base64');
}

async function verifySafely(encoded: string, keyed: string): Promise<boolean> {
  try {
    return await verify(encoded, keyed);
  } catch {
    return false;
  }
}
