import { createHmac } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { User } from '../domain/directory.ts';
import { type Peppers, pepperTable } from './peppers.ts';

/** OWASP's first choice for argon2id; KiB, passes, lanes. 12 ms on a core of 2023. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** What the hash of an imported person may cost. */
const MOST = { memoryCost: 131_072, timeCost: 10 } as const;
/** KiB. */
const ARGON2_MIN_MEMORY = 8;
/** Same cost as a real record and no passcode fits: what an unknown extension is checked against. */
const NOBODY = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const HASH =
  /^[A-Za-z0-9_-]{1,32}:\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=\d\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/;

export interface PasscodeOptions extends Peppers {
  /** Hashes at once, 19 MiB each; default 4, the size of libuv's pool. */
  readonly concurrency?: number | undefined;
}

/**
 * Stores and checks passcodes: argon2id over HMAC-SHA256(pepper, company‖0‖extension‖0‖passcode). Without the pepper a
 * leaked table of 6-digit hashes is worth nothing.
 */
export class Passcodes {
  readonly #options: PasscodeOptions;
  readonly #peppers: ReadonlyMap<string, Uint8Array>;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @throws RangeError for peppers that will not do. */
  constructor(options: PasscodeOptions) {
    this.#peppers = pepperTable(options);
    this.#options = options;
  }

  /** `<key id>:$argon2id$…`, for `User.passcodeHash`. */
  async hash(company: string, extension: string, passcode: string): Promise<string> {
    const { keyId, pepper } = this.#options;
    const keyed = withPepper(pepper, [company, extension, passcode]);
    return `${keyId}:${await this.#limited(() => hash(keyed, COST))}`;
  }

  /**
   * A name for what somebody typed as an extension that nobody has: the same for the same digits, and they cannot be
   * told from it. They may be a passcode, typed too early.
   */
  blind(company: string, typed: string): string {
    const keyed = withPepper(this.#options.pepper, ['typed', company, typed]);
    return keyed.replace(/[^A-Za-z0-9]/g, '').slice(0, 20);
  }

  /**
   * Whether the passcode is this user's. Takes as long for nobody, for who has none and for an unreadable hash as for a
   * wrong passcode, and never rejects.
   */
  async verify(
    user: Pick<User, 'passcodeHash'> | undefined,
    attempt: { readonly company: string; readonly extension: string; readonly passcode: string },
  ): Promise<boolean> {
    const stored = this.#read(user?.passcodeHash);
    const pepper = stored?.pepper ?? this.#options.pepper;
    const keyed = withPepper(pepper, [attempt.company, attempt.extension, attempt.passcode]);
    const right = await this.#limited(async () => {
      const isRight = await verifySafely(stored?.encoded ?? NOBODY, keyed);
      await fillUp(stored ? costOf(user?.passcodeHash) : COST);
      return isRight;
    });
    return right && stored !== undefined;
  }

  /** Whether a hash was made with an older pepper or for less work than today's. */
  isOutdated(passcodeHash: string): boolean {
    if (!passcodeHash.startsWith(`${this.#options.keyId}:`)) return true;
    const { memoryCost, timeCost } = costOf(passcodeHash);
    return memoryCost < COST.memoryCost || timeCost < COST.timeCost;
  }

  #read(
    passcodeHash: string | undefined,
  ): { readonly pepper: Uint8Array; readonly encoded: string } | undefined {
    if (passcodeHash === undefined || !isPasscodeHash(passcodeHash)) return undefined;
    const colon = passcodeHash.indexOf(':');
    const pepper = this.#peppers.get(passcodeHash.slice(0, colon));
    return pepper && { pepper, encoded: passcodeHash.slice(colon + 1) };
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

/** Whether a text has the form `hash` gives, and costs no more to check than a login may. */
export function isPasscodeHash(text: string): boolean {
  if (!HASH.test(text)) return false;
  const { memoryCost, timeCost } = costOf(text);
  return memoryCost <= MOST.memoryCost && timeCost <= MOST.timeCost;
}

interface Cost {
  readonly memoryCost: number;
  readonly timeCost: number;
}

function costOf(passcodeHash = ''): Cost {
  const [, memory, passes] = HASH.exec(passcodeHash) ?? [];
  return { memoryCost: Number(memory ?? 0), timeCost: Number(passes ?? 0) };
}

/** Works off what a check of less cost than today's has saved: its time would tell that the extension exists. */
async function fillUp(spent: Cost): Promise<void> {
  const left = COST.memoryCost * COST.timeCost - spent.memoryCost * spent.timeCost;
  const memoryCost = Math.floor(left / COST.timeCost);
  if (memoryCost >= ARGON2_MIN_MEMORY) await hash('', { ...COST, memoryCost });
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
