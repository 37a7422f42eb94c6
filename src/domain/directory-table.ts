import type { Account, ApiToken } from './account.ts';
import type { Company, Directory, Host, Site, User, Webhook } from './directory.ts';
import { callbackNumberOf, type DirectoryIndex } from './directory-index.ts';

/** One entry of a directory by kind; what `put` replaces has the same id. */
export type DirectoryEntry =
  | { readonly kind: 'company'; readonly value: Company }
  | { readonly kind: 'site'; readonly value: Site }
  | { readonly kind: 'user'; readonly value: User }
  | { readonly kind: 'host'; readonly value: Host }
  | { readonly kind: 'webhook'; readonly value: Webhook }
  | { readonly kind: 'account'; readonly value: Account }
  | { readonly kind: 'token'; readonly value: ApiToken };

/** A directory that changes entry by entry, with what calls look up; each change costs the same at any size. */
export class DirectoryTable implements Directory {
  readonly sites = new Map<string, Site>();
  readonly users = new Map<string, User>();
  readonly hosts = new Map<string, Host>();
  readonly webhooks = new Map<string, Webhook>();
  readonly accounts = new Map<string, Account>();
  readonly tokens = new Map<string, ApiToken>();
  readonly index = new TableIndex();
  #company: Company | undefined;

  /** A directory without a company is none yet. */
  get isComplete(): boolean {
    return this.#company !== undefined;
  }

  /** @throws TypeError before the company is put */
  get company(): Company {
    if (!this.#company) throw new TypeError('The directory has no company yet');
    return this.#company;
  }

  put({ kind, value }: DirectoryEntry): void {
    switch (kind) {
      case 'company':
        this.#company = value;
        return;
      case 'site':
        return this.#putSite(value);
      case 'user':
        this.#removeUser(value.extension);
        this.users.set(value.extension, value);
        return this.index.addUser(value);
      case 'host':
        this.#removeHost(value.id);
        this.hosts.set(value.id, value);
        return this.index.addHost(value, callbackNumberOf(value, this));
      case 'webhook':
        this.webhooks.set(value.id, value);
        return;
      case 'account':
        this.#removeAccount(value.id);
        this.accounts.set(value.id, value);
        return this.index.addAccount(value);
      case 'token':
        this.tokens.set(value.id, value);
    }
  }

  /** The company cannot be removed. */
  remove(kind: Exclude<DirectoryEntry['kind'], 'company'>, id: string): void {
    if (kind === 'user') this.#removeUser(id);
    if (kind === 'host') this.#removeHost(id);
    if (kind === 'webhook') this.webhooks.delete(id);
    if (kind === 'account') this.#removeAccount(id);
    if (kind === 'token') this.tokens.delete(id);
    if (kind === 'site') this.#siteChanges(id, () => this.sites.delete(id));
  }

  #putSite(site: Site): void {
    this.#siteChanges(site.id, () => this.sites.set(site.id, site));
  }

  /** The callback number of a site is that of its hosts without one. */
  #siteChanges(id: string, change: () => void): void {
    const site = this.sites.get(id);
    if (site) this.index.countSite(site, -1);
    const before = site?.callbackNumber;
    change();
    const changed = this.sites.get(id);
    if (changed) this.index.countSite(changed, 1);
    const after = changed?.callbackNumber;
    if (before === after) return;
    for (const host of this.hosts.values()) {
      if (host.site === id && host.callbackNumber === undefined)
        this.index.moveCallback(host, { before, after });
    }
  }

  #removeUser(extension: string): void {
    const user = this.users.get(extension);
    if (!user) return;
    this.users.delete(extension);
    this.index.removeUser(user);
  }

  #removeAccount(id: string): void {
    const account = this.accounts.get(id);
    if (!account) return;
    this.accounts.delete(id);
    this.index.removeAccount(account);
  }

  #removeHost(id: string): void {
    const host = this.hosts.get(id);
    if (!host) return;
    this.hosts.delete(id);
    this.index.removeHost(host, callbackNumberOf(host, this));
  }
}

const NONE: readonly Host[] = [];

class TableIndex implements DirectoryIndex {
  readonly #userByNumber = new Map<string, User>();
  readonly #byOwner = new Map<string, Host[]>();
  readonly #byReserved = new Map<string, Host[]>();
  readonly #byCallback = new Map<string, Host[]>();
  /** How many extensions have this length. */
  readonly #lengths = new Map<number, number>();
  /** How many extensions go on after these digits. */
  readonly #prefixes = new Map<string, number>();

  /** How many sites have this prefix, this number, and both. */
  readonly #outsideLines = new Map<string, number>();
  readonly #siteNumbers = new Map<string, number>();
  readonly #behindPrefix = new Map<string, number>();

  readonly #accountByEmail = new Map<string, Account>();

  accountByEmail(email: string): Account | undefined {
    return this.#accountByEmail.get(email);
  }

  readonly #accountBySubject = new Map<string, Account>();

  accountBySubject(subject: string): Account | undefined {
    return this.#accountBySubject.get(subject);
  }

  addAccount(account: Account): void {
    this.#accountByEmail.set(account.email, account);
    if (account.subject !== undefined) this.#accountBySubject.set(account.subject, account);
  }

  removeAccount(account: Account): void {
    // Another account may have the address by now.
    if (this.#accountByEmail.get(account.email) === account) this.#accountByEmail.delete(account.email);
    const { subject = '' } = account;
    if (this.#accountBySubject.get(subject) === account) this.#accountBySubject.delete(subject);
  }

  userByNumber(number: string): User | undefined {
    return this.#userByNumber.get(number);
  }

  hostsOfOwner(extension: string): readonly Host[] {
    return this.#byOwner.get(extension) ?? NONE;
  }

  hostsReservedFor(extension: string): readonly Host[] {
    return this.#byReserved.get(extension) ?? NONE;
  }

  hostsByCallback(number: string): readonly Host[] {
    return this.#byCallback.get(number) ?? NONE;
  }

  hasExtensionOfLength(digits: number): boolean {
    return this.#lengths.has(digits);
  }

  continuesToExtension(digits: string): boolean {
    return this.#prefixes.has(digits);
  }

  isSiteEmergency(digits: string, prefix?: string): boolean {
    return prefix === undefined
      ? this.#siteNumbers.has(digits)
      : this.#behindPrefix.has(`${prefix} ${digits}`);
  }

  isOutsideLine(prefix: string): boolean {
    return this.#outsideLines.has(prefix);
  }

  /** `by`: 1 when it comes, -1 when it goes. */
  countSite({ outsideLinePrefix: prefix, emergencyNumbers }: Site, by: 1 | -1): void {
    if (prefix !== '') count(this.#outsideLines, prefix, by);
    for (const number of emergencyNumbers) {
      count(this.#siteNumbers, number, by);
      if (prefix !== '') count(this.#behindPrefix, `${prefix} ${number}`, by);
    }
  }

  addUser(user: User): void {
    for (const number of user.numbers) this.#userByNumber.set(number, user);
    count(this.#lengths, user.extension.length, 1);
    for (const prefix of prefixesOf(user.extension)) count(this.#prefixes, prefix, 1);
  }

  removeUser(user: User): void {
    for (const number of user.numbers) {
      // Another user may have the number by now.
      if (this.#userByNumber.get(number) === user) this.#userByNumber.delete(number);
    }
    count(this.#lengths, user.extension.length, -1);
    for (const prefix of prefixesOf(user.extension)) count(this.#prefixes, prefix, -1);
  }

  addHost(host: Host, callback: string | undefined): void {
    if (host.kind === 'user') add(this.#byOwner, host.owner, host);
    add(this.#byReserved, host.reservedFor, host);
    add(this.#byCallback, callback, host);
  }

  removeHost(host: Host, callback: string | undefined): void {
    if (host.kind === 'user') drop(this.#byOwner, host.owner, host);
    drop(this.#byReserved, host.reservedFor, host);
    drop(this.#byCallback, callback, host);
  }

  moveCallback(
    host: Host,
    { before, after }: { readonly before: string | undefined; readonly after: string | undefined },
  ): void {
    drop(this.#byCallback, before, host);
    add(this.#byCallback, after, host);
  }
}

function prefixesOf(extension: string): string[] {
  return Array.from(extension.slice(1), (_, i) => extension.slice(0, i + 1));
}

function count<K>(counts: Map<K, number>, key: K, by: number): void {
  const n = (counts.get(key) ?? 0) + by;
  if (n > 0) counts.set(key, n);
  else counts.delete(key);
}

function add(groups: Map<string, Host[]>, key: string | undefined, host: Host): void {
  if (key === undefined) return;
  const group = groups.get(key);
  if (group) group.push(host);
  else groups.set(key, [host]);
}

function drop(groups: Map<string, Host[]>, key: string | undefined, host: Host): void {
  const left = key === undefined ? undefined : groups.get(key)?.filter((other) => other !== host);
  if (key === undefined || left === undefined) return;
  if (left.length > 0) groups.set(key, left);
  else groups.delete(key);
}
