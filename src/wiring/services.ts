import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import { keptSecret } from '../data-folder.ts';
import type { Catalogue } from '../domain/order.ts';
import { AccountSecrets } from '../services/account-secrets.ts';
import { Accounts } from '../services/accounts.ts';
import { AddOns } from '../services/add-ons.ts';
import { ApiTokens } from '../services/api-tokens.ts';
import { Credentials } from '../services/credentials.ts';
import { DirectoryService } from '../services/directory-service.ts';
import { EditsWhileFree } from '../services/edits-while-free.ts';
import { GuestKeys } from '../services/guest-keys.ts';
import { Guests } from '../services/guests.ts';
import { Hosts } from '../services/hosts.ts';
import { HotDesk } from '../services/hot-desk.ts';
import { HotelingSeals } from '../services/hoteling-seals.ts';
import { HotelingSecrets } from '../services/hoteling-secrets.ts';
import { IdentityProvider } from '../services/identity-provider.ts';
import { DirectoryLists } from '../services/lists/directory-lists.ts';
import { Live } from '../services/live.ts';
import type { LocalView } from '../services/local-view.ts';
import { Locations } from '../services/locations.ts';
import { OrderBook } from '../services/orders/order-book.ts';
import { Orders } from '../services/orders/orders.ts';
import { Orphans } from '../services/orphans.ts';
import { OwnSessions } from '../services/own-sessions.ts';
import { PasscodeService } from '../services/passcode-service.ts';
import { Passcodes } from '../services/passcodes.ts';
import { PendingEnds } from '../services/pending-ends.ts';
import { People } from '../services/people.ts';
import { PeopleImport } from '../services/people-import/people-import.ts';
import { PepperCheck } from '../services/pepper-check.ts';
import type { Peppers } from '../services/peppers.ts';
import { Phones } from '../services/phones.ts';
import { ProviderSignIn } from '../services/provider-sign-in.ts';
import { Registrar } from '../services/registrar.ts';
import { releaseAll } from '../services/releases.ts';
import { Removals } from '../services/removals.ts';
import { Replays } from '../services/replays.ts';
import { createSealing, type Sealing } from '../services/sealing.ts';
import type { SharedState } from '../services/shared-state.ts';
import { SharedWriter } from '../services/shared-writer.ts';
import { SignIn } from '../services/sign-in.ts';
import { Sites } from '../services/sites.ts';
import type { Store } from '../store/store.ts';
import type { Running } from './running.ts';

/** In the data folder: what lets the first administrator in. */
export const SET_UP_FILE = 'first-administrator';

export interface Services {
  readonly directory: DirectoryService;
  readonly hosts: Hosts;
  readonly guests: Guests;
  readonly addOns: AddOns;
  readonly lists: DirectoryLists;
  /** Tells of changes as they happen. */
  readonly live: Live;
  readonly people: People;
  /** Many people at once, from a table. */
  readonly peopleImport: PeopleImport;
  readonly phones: Phones;
  readonly orders: Orders;
  readonly orderBook: OrderBook;
  readonly sites: Sites;
  /** Answers that are given again to the same request. */
  readonly replays: Replays;
  readonly registrar: Registrar;
  readonly hotDesk: HotDesk;
  /** Guest In and Guest Out keys of phones, and who may use them. */
  readonly guestKeys: GuestKeys;
  readonly hotelingSecrets: HotelingSecrets;
  readonly passcodes: PasscodeService;
  readonly sealing: Sealing;
  /** Who may sign in to the portal, how they do, and tokens of programs. */
  readonly signIn: SignIn;
  readonly accounts: Accounts;
  readonly ownSessions: OwnSessions;
  readonly apiTokens: ApiTokens;
  /** Absent: no identity provider is configured. */
  readonly providerSignIn: ProviderSignIn | undefined;
  readonly providerName: string;
  /** What nodes tell each other of lines, mailboxes and subscriptions. */
  readonly shared: SharedState;
}

/** What can be done, above the store and the view. */
export async function createServices(
  running: Running,
  { store, view }: { readonly store: Store; readonly view: LocalView },
): Promise<Services> {
  const { config, clock, log } = running;
  const peppers = await peppersOf(running);
  const passcodes = new Passcodes(peppers);
  const random = { uuid: randomUUID };
  const { company, sip } = config;
  const sealing = createSealing(peppers);
  const seals = new HotelingSeals({ sealing, company });
  const directory = new DirectoryService({
    ...{ store, view, passcodes, seals, realm: sip.domain, company, clock, log },
    release: (associations, actor) => releaseAll(associations, { store, random, log }, { actor }),
  });
  const draw = (limit: number): number => randomInt(limit);
  const passcodeService = new PasscodeService({
    ...{ directory, store, view, passcodes, seals, randomInt: draw, log },
  });
  const storeNow = (): number => view.now();
  const pendingEnds = await running.up(new PendingEnds({ store, view, timers: clock, log }));
  await running.up(new Orphans({ store, view, timers: clock, random, log }));
  const hotDesk = new HotDesk({
    ...{ store, view, passcodes, passcodeService, pendingEnds, random, log, storeNow },
  });
  const credentials = new Credentials({ store, view, passcodes, passcodeService });
  const guestKeys = new GuestKeys({ credentials, seals, hotDesk, view, log });
  const hotelingSecrets = new HotelingSecrets({ directory, log });
  const shared = await startShared(running, { store, view, peppers });
  const actor = `node:${running.node}`;
  const locations = await running.up(new Locations({ store, view, directory, timers: clock, log, actor }));
  const onRegistered = (host: string, address: string): void => locations.registered(host, address);
  const keeping = { store, view, timers: clock, log };
  const registrar = await running.up(new Registrar({ ...keeping, limits: sip.registration, onRegistered }));
  const edits = new EditsWhileFree({ store, directory, view, random, log });
  const hosts = new Hosts({ directory, edits, view, log });
  const guests = new Guests({ view, hotDesk, edits, log });
  const addOns = new AddOns({ view, edits, log });
  const removals = new Removals({ store, directory, view, random, log });
  const people = new People({ directory, removals, log });
  const peopleImport = new PeopleImport({ store, directory, view, random, log });
  const phones = new Phones({
    ...{ directory, edits, removals, registrar, view, realm: sip.domain, bytes: randomBytes, log },
  });
  const sites = new Sites({ directory, log });
  const replays = new Replays({ store, shared, sealing, clock });
  const lists = await running.up(new DirectoryLists({ view }));
  const live = await running.up(new Live({ store, view, timers: clock }));
  return {
    directory,
    hosts,
    guests,
    addOns,
    ...createOrders(running, { store, view, phones }),
    ...{ lists, live, people, peopleImport, phones, sites, replays },
    ...{ registrar, hotDesk, guestKeys, hotelingSecrets },
    passcodes: passcodeService,
    sealing,
    shared,
    ...(await createAccounts(running, { store, view, directory, passcodes, sealing })),
  };
}

/** What nodes tell each other; first of all whether they have the same pepper. */
async function startShared(
  { clock: timers, log, up }: Running,
  { store, view, peppers }: { readonly store: Store; readonly view: LocalView; readonly peppers: Peppers },
): Promise<SharedState> {
  const shared = await up(new SharedWriter({ store, view, timers, log }));
  await up(new PepperCheck({ peppers, shared, view, timers, log }));
  return shared;
}

/** Accounts of the portal, and tokens. */
async function createAccounts(
  { config, log, problem }: Running,
  parts: {
    readonly store: Store;
    readonly view: LocalView;
    readonly directory: DirectoryService;
    readonly passcodes: Passcodes;
    readonly sealing: Sealing;
  },
): Promise<
  Pick<Services, 'signIn' | 'ownSessions' | 'accounts' | 'apiTokens' | 'providerSignIn' | 'providerName'>
> {
  const { store, view, directory, passcodes, sealing } = parts;
  const { company, data } = config;
  const secrets = new AccountSecrets({ passcodes, sealing, company });
  const signIn = new SignIn({ directory, store, view, secrets, randomBytes, log });
  const random = { uuid: randomUUID, bytes: randomBytes };
  const isSetUp = (view.directory?.accounts.size ?? 0) > 0;
  const setUpSecret = isSetUp ? undefined : await keptSecret(data, SET_UP_FILE, problem);
  const accounts = new Accounts({ directory, store, view, secrets, signIn, random, log, setUpSecret });
  const { oidc, publicUrl = '' } = config.http;
  const provider = oidc && identityProvider(oidc, { publicUrl, log });
  return {
    signIn,
    ownSessions: new OwnSessions({ store, view, log }),
    accounts,
    apiTokens: new ApiTokens({ directory, view, random, log }),
    providerSignIn:
      provider &&
      new ProviderSignIn({ provider, rules: oidc, store, view, sealing, accounts, signIn, randomBytes, log }),
    providerName: oidc?.name ?? '',
  };
}

function identityProvider(
  { issuer, clientId, clientSecret, scopes }: NonNullable<Running['config']['http']['oidc']>,
  { publicUrl, log }: { readonly publicUrl: string; readonly log: Running['log'] },
): IdentityProvider {
  const redirectUri = new URL('/api/v1/provider/callback', publicUrl).href;
  const settings = { issuer, clientId, clientSecret, scopes, redirectUri };
  return new IdentityProvider({ settings, now: () => performance.now(), log });
}

/** Orders of phones, and lists of them. */
function createOrders(
  { config, log }: Running,
  { store, view, phones }: { readonly store: Store; readonly view: LocalView; readonly phones: Phones },
): Pick<Services, 'orders' | 'orderBook'> {
  const catalogue = catalogueOf(config.catalogue);
  return {
    orders: new Orders({ store, phones, view, catalogue, log }),
    orderBook: new OrderBook(store),
  };
}

/** The price list as it is configured. */
function catalogueOf({ currency, licenceMonthly, models, shipping }: Config['catalogue']): Catalogue {
  return {
    currency,
    licence: { monthly: licenceMonthly },
    models: models.map(({ id, name, expansionModule, once, monthly, moduleOnce, moduleMonthly }) => ({
      ...{ id, name, expansionModule, phone: { once, monthly } },
      module: { once: moduleOnce, monthly: moduleMonthly },
    })),
    shipping,
  };
}

async function peppersOf({ config, problem }: Running): Promise<Peppers> {
  const { data, pepper, pepperId, olderPeppers } = config;
  const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
  return {
    keyId: pepperId,
    pepper: bytes(pepper ?? (await keptSecret(data, 'pepper', problem))),
    olderPeppers: new Map(olderPeppers.map((older) => [older.id, bytes(older.pepper)])),
  };
}
