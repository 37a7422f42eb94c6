import type { Account } from '../domain/account.ts';
import { turn } from './turns.ts';

export interface AccountQuery {
  /** In the name or the e-mail address. */
  readonly q?: string | undefined;
  /** E-mail address the page before ended with. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface AccountPage {
  readonly accounts: readonly Account[];
  readonly next: string | undefined;
  /** Of all pages. */
  readonly total: number;
}

const READ_AT_ONCE = 1_000;

/**
 * A page of accounts in the order of their e-mail addresses, which goes on behind the page before, whoever else has
 * come or gone. There may be one for everybody: they are read in turns of a millisecond or so, and only a page is sorted.
 */
export async function pageOf(
  all: Iterable<Account>,
  { q = '', cursor = '', limit }: AccountQuery,
): Promise<AccountPage> {
  const text = q.trim().toLowerCase();
  const first = new First(limit + 1);
  let total = 0;
  for (const [i, account] of [...all].entries()) {
    if (i % READ_AT_ONCE === READ_AT_ONCE - 1) await turn();
    const { name, email } = account;
    if (!email.includes(text) && !name.toLowerCase().includes(text)) continue;
    total += 1;
    if (email > cursor) first.offer(account);
  }
  const found = first.sorted();
  const accounts = found.slice(0, limit);
  return { accounts, next: found.length > limit ? accounts.at(-1)?.email : undefined, total };
}

/** The first of many, whatever order they come in. */
class First {
  readonly #most: number;
  #found: Account[] = [];
  /** Whoever comes behind this is not among them. */
  #last: string | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  offer(account: Account): void {
    if (this.#last !== undefined && account.email > this.#last) return;
    this.#found.push(account);
    if (this.#found.length < 4 * this.#most) return;
    this.#found = this.sorted();
    this.#last = this.#found.at(-1)?.email;
  }

  sorted(): Account[] {
    return this.#found.sort((a, b) => (a.email < b.email ? -1 : 1)).slice(0, this.#most);
  }
}
