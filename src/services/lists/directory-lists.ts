import type { ChangeEvent } from '../../domain/association.ts';
import type { Directory, Host, Site, User } from '../../domain/directory.ts';
import { type AvailableHost, availableHost, mayTake, refuseGuestEverywhere } from '../../domain/guests.ts';
import { type Listing, matcher, type Row } from '../../domain/listing.ts';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import { parseEntryName } from '../directory-document.ts';
import type { LocalView } from '../local-view.ts';
import { buildListings, type Listings, renewListings, touch } from './listings.ts';
import { type Page, type PageQuery, readPage } from './pages.ts';
import type { HostSort, SiteSort, UserSort } from './rows.ts';

export interface DirectoryListsDependencies {
  readonly view: Pick<LocalView, 'directory' | 'onChange' | 'associationAt' | 'associationOf' | 'bindingsOf'>;
}

/** What every list can be narrowed to. */
interface Narrowing<Entry> {
  /** Words, or how words begin. */
  readonly q?: string | undefined;
  /** Site id. */
  readonly site?: string | undefined;
  /** What whoever asks may see; absent: everything. */
  readonly maySee?: ((entry: Entry) => boolean) | undefined;
}

export interface HostQuery extends PageQuery<HostSort>, Narrowing<Host> {
  readonly kind?: HostKind | undefined;
  readonly status?: 'free' | 'inUse' | undefined;
  /** Extension of whoever's they are. */
  readonly owner?: string | undefined;
  readonly registered?: boolean | undefined;
  /** false: has moved since anybody confirmed its address. */
  readonly verified?: boolean | undefined;
}

/** `unassigned`: taken from its user, and nobody's yet. */
export type HostKind = Host['kind'] | 'unassigned';

export interface UserQuery extends PageQuery<UserSort>, Narrowing<User> {
  readonly addOn?: 'host' | 'guest' | undefined;
  readonly loggedIn?: boolean | undefined;
}

export interface SiteQuery extends PageQuery<SiteSort>, Narrowing<Site> {}

export interface AvailableQuery {
  readonly q?: string | undefined;
  readonly site?: string | undefined;
  readonly free?: boolean | undefined;
  /** What whoever asks may see; absent: everything. */
  readonly maySee?: ((host: Host) => boolean) | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** A page of entries as they are now. */
export interface EntryPage<Entry> {
  readonly entries: readonly Entry[];
  readonly next: string | undefined;
  readonly total: number;
}

/** How often a list is built anew because everything changes while it is. */
const TRIES = 5;
/** Changes at once after which putting everything in order anew, in slices, costs less. */
const MANY = 200;
const BUSY: Refusal = { refused: 'overloaded', detail: 'the directory changes all the time' };

/** Kind of a host as administrators see it. */
export function kindOf({ kind, reservedFor }: Pick<Host, 'kind' | 'reservedFor'>): HostKind {
  return reservedFor === undefined ? kind : 'unassigned';
}

/**
 * Long lists of the directory, page by page. They are put in order once, when somebody first asks for one, in slices;
 * from then on each change costs a few comparisons.
 */
export class DirectoryLists {
  readonly #deps: DirectoryListsDependencies;
  #unsubscribe: (() => void) | undefined;
  #listings: Listings | undefined;
  #building: Promise<Listings | undefined> | undefined;
  /** Names of entries that `#listings` does not have as they are now. */
  #stale: 'all' | Set<string> = 'all';

  constructor(deps: DirectoryListsDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#unsubscribe ??= this.#deps.view.onChange((event) => this.#follow(event));
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#listings = undefined;
    this.#stale = 'all';
  }

  /** Puts the lists in order now, so that whoever asks first need not wait. */
  async prepare(): Promise<void> {
    await this.#ready();
  }

  /** Refused with stateUnknown, invalidCursor or overloaded, as all lists. */
  async hosts(query: HostQuery): Promise<EntryPage<Host> | Refusal> {
    const wants = this.#wants(query, ({ hosts }) => hosts, this.#hostTest(query));
    const page = await this.#read(({ hosts }) => hosts, query, [wants]);
    return this.#entries(page, ({ hosts }) => hosts);
  }

  async users(query: UserQuery): Promise<EntryPage<User> | Refusal> {
    const wants = this.#wants(query, ({ users }) => users, this.#userTest(query));
    const page = await this.#read(({ users }) => users, query, [wants]);
    return this.#entries(page, ({ users }) => users);
  }

  async sites(query: SiteQuery): Promise<EntryPage<Site> | Refusal> {
    const wants = this.#wants(query, ({ sites }) => sites, undefined);
    const page = await this.#read(({ sites }) => sites, query, [wants]);
    return this.#entries(page, ({ sites }) => sites);
  }

  /**
   * Hosts this person may take (B3), their own aside: those of their own site first, then by name. Refused with
   * unknownUser, notLicensed and guestDisabled besides.
   */
  async hostsFor(extension: string, query: AvailableQuery): Promise<EntryPage<AvailableHost> | Refusal> {
    const { directory } = this.#deps.view;
    if (!directory) return { refused: 'stateUnknown' };
    const user = directory.users.get(extension);
    const no = user ? refuseGuestEverywhere(user) : ({ refused: 'unknownUser' } as const);
    if (no || !user) return no ?? { refused: 'unknownUser' };
    const status = query.free === undefined ? undefined : query.free ? ('free' as const) : ('inUse' as const);
    const test = this.#hostTest({ status });
    const isOffered = (host: Host): boolean => mayTake(user, host, directory.users) && (test?.(host) ?? true);
    const wants = this.#wants(query, ({ hosts }) => hosts, isOffered);
    const near = (row: Row<HostSort>): boolean => row.site === user.site && (wants?.(row) ?? true);
    const far = (row: Row<HostSort>): boolean => row.site !== user.site && (wants?.(row) ?? true);
    const page = await this.#read(({ hosts }) => hosts, { sort: 'nickname', ...query }, [near, far]);
    const found = this.#entries(page, ({ hosts }) => hosts);
    if (isRefusal(found)) return found;
    return { ...found, entries: found.entries.flatMap((host) => this.#available(user, host) ?? []) };
  }

  #available(user: User, host: Host): AvailableHost | undefined {
    const { view } = this.#deps;
    return view.directory && availableHost(user, host, { directory: view.directory, view });
  }

  #hostTest({
    kind,
    status,
    owner,
    registered,
    verified,
  }: Partial<HostQuery>): ((host: Host) => boolean) | undefined {
    const { view } = this.#deps;
    if ([kind, status, owner, registered, verified].every((wish) => wish === undefined)) return undefined;
    return (host) =>
      (owner === undefined || host.owner === owner) &&
      (kind === undefined || kindOf(host) === kind) &&
      (status === undefined || (view.associationAt(host.id) === undefined) === (status === 'free')) &&
      (verified === undefined || (host.location?.verified ?? true) === verified) &&
      (registered === undefined || view.bindingsOf(host.id).length > 0 === registered);
  }

  #userTest({ addOn, loggedIn }: Partial<UserQuery>): ((user: User) => boolean) | undefined {
    const { view } = this.#deps;
    if (addOn === undefined && loggedIn === undefined) return undefined;
    return (user) =>
      (addOn === undefined || user.addOns.includes(addOn)) &&
      (loggedIn === undefined || (view.associationOf(user.extension) !== undefined) === loggedIn);
  }

  /** Cheap questions first; undefined: every row. */
  #wants<Entry>(
    { q, site, maySee }: Narrowing<Entry>,
    mapOf: (directory: Directory) => ReadonlyMap<string, Entry>,
    test: ((entry: Entry) => boolean) | undefined,
  ): ((row: Pick<Row<string>, 'id' | 'site' | 'text'>) => boolean) | undefined {
    if (q === undefined && site === undefined && !maySee && !test) return undefined;
    const hasWords = matcher(q ?? '');
    return (row) => {
      if (site !== undefined && row.site !== site) return false;
      if (q !== undefined && !hasWords(row.text)) return false;
      if (!maySee && !test) return true;
      const entry = this.#deps.view.directory && mapOf(this.#deps.view.directory).get(row.id);
      return entry !== undefined && (maySee?.(entry) ?? true) && (test?.(entry) ?? true);
    };
  }

  async #read<Sort extends string>(
    listingOf: (listings: Listings) => Listing<Sort>,
    query: PageQuery<Sort>,
    groups: Parameters<typeof readPage<Sort>>[2],
  ): Promise<Page | Refusal> {
    const listings = await this.#ready();
    return isRefusal(listings) ? listings : readPage(listingOf(listings), query, groups);
  }

  #entries<Entry>(
    page: Page | Refusal,
    mapOf: (directory: Directory) => ReadonlyMap<string, Entry>,
  ): EntryPage<Entry> | Refusal {
    const { directory } = this.#deps.view;
    if (isRefusal(page)) return page;
    if (!directory) return { refused: 'stateUnknown' };
    const entries = page.ids.flatMap((id) => mapOf(directory).get(id) ?? []);
    return { entries, next: page.next, total: page.total };
  }

  async #ready(): Promise<Listings | Refusal> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (this.#listings && this.#isCurrent && !this.#building) return this.#listings;
      if (!this.#deps.view.directory) return { refused: 'stateUnknown' };
      this.#building ??= this.#buildOnce();
      const built = await this.#building;
      if (built) return built;
    }
    return BUSY;
  }

  async #buildOnce(): Promise<Listings | undefined> {
    try {
      return await this.#build();
    } catch (error) {
      this.#stale = 'all';
      throw error;
    } finally {
      this.#building = undefined;
    }
  }

  get #isCurrent(): boolean {
    return this.#stale !== 'all' && this.#stale.size === 0;
  }

  /** Undefined when more has changed meanwhile than is told by touching it. */
  async #build(): Promise<Listings | undefined> {
    const { view } = this.#deps;
    const [old, stale, { directory }] = [this.#listings, this.#stale, view];
    if (!directory) return undefined;
    this.#stale = new Set();
    const facts = { directory, view };
    const listings = await (old ? renewListings(old, stale, facts) : buildListings(facts));
    // Without being told of changes it would only be right now.
    if (!this.#unsubscribe) {
      this.#stale = 'all';
      return listings;
    }
    this.#listings = listings;
    if (view.directory !== directory) this.#stale = 'all';
    this.#catchUp(listings);
    return this.#isCurrent ? listings : undefined;
  }

  #catchUp(listings: Listings): void {
    const missed = this.#stale;
    if (missed === 'all' || missed.size > MANY) return;
    this.#stale = new Set();
    for (const name of missed) {
      this.#touch(listings, name);
      // Some rows may have been made before the site was called so, and the site's own after.
      if (name.startsWith('site:')) this.#stale.add(name);
    }
  }

  #follow(event: ChangeEvent): void {
    if (event.kind === 'start' || event.kind === 'end') {
      const { host, guest } = event.association;
      this.#note([`host:${host}`, `user:${guest}`]);
    }
    if (event.kind !== 'directory') return;
    if (event.entries !== 'all') return this.#note(event.entries);
    this.#stale = 'all';
    this.#renew();
  }

  #note(names: readonly string[]): void {
    if (this.#listings && this.#isCurrent && !this.#building && names.length <= MANY) {
      for (const name of names) this.#touch(this.#listings, name);
    } else if (this.#stale !== 'all') for (const name of names) this.#stale.add(name);
    if (!this.#isCurrent) this.#renew();
  }

  /** Where somebody has looked, somebody will again; what cannot be done is told to who asks. */
  #renew(): void {
    if (this.#listings && !this.#building) this.#ready().catch(() => undefined);
  }

  #touch(listings: Listings, name: string): void {
    const { view } = this.#deps;
    const key = parseEntryName(name);
    if (!key || key.kind === 'company' || !view.directory) return;
    const isSame = touch(listings, key, { directory: view.directory, view });
    // The name of a site stands in the rows of all who are there.
    if (!isSame && this.#stale !== 'all') this.#stale.add(name);
  }
}
