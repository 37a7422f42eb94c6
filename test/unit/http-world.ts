import { afterEach, beforeEach, expect } from 'vitest';
import type { ApiToken } from '../../src/domain/account.ts';
import type { Association } from '../../src/domain/association.ts';
import type { Company, Directory, Host, Site, User } from '../../src/domain/directory.ts';
import type { Catalogue } from '../../src/domain/order.ts';
import type { AdminView, View } from '../../src/domain/view.ts';
import { createHttp, type Http, type HttpServices } from '../../src/http/create-http.ts';
import { changedCompany } from '../../src/services/company-change.ts';
import { tableOf } from '../../src/services/directory-document.ts';
import { DirectoryLists } from '../../src/services/lists/directory-lists.ts';
import { userOf } from '../../src/services/people.ts';
import type { Session } from '../../src/services/sign-in.ts';
import type { WebPhoneFacts } from '../../src/services/web-phones.ts';

/** A running HTTP edge over services the tests steer: a fresh one for each test of the file that imports this. */

export const TOKEN = 'administrator-token-for-tests';
const SECRETS = ['SECRET-HASH', 'SECRET-SEALED', 'SECRET-MD5', 'SECRET-SHA256', 'SECRET-INTERNAL', TOKEN];
const DAY = Date.UTC(2031, 4, 6);

export const reception: Host = {
  id: 'cp0004f2000001',
  kind: 'commonArea',
  nickname: 'Reception desk',
  site: 'london',
  model: 'VVX 411',
  mac: '0004f2000001',
  expansionModule: false,
  enabled: true,
  accessLevel: 'company',
  digest: { md5: 'SECRET-MD5', sha256: 'SECRET-SHA256' },
  address: {
    customerName: 'Demo',
    houseNumber: '10',
    street: 'Example Street',
    city: 'London',
    postcode: 'N1',
    country: 'GB',
  },
};
const owned: Host = { ...reception, id: 'u1002', kind: 'user', owner: '1002', associationLimitHours: 8 };

export const alice: User = {
  extension: '1001',
  name: 'Alice Archer',
  site: 'london',
  numbers: ['+442079460001'],
  callerId: '+442079460001',
  plan: 'connect',
  hotDeskLicence: true,
  addOns: ['guest'],
  guestEnabled: true,
  passcodeHash: 'SECRET-HASH',
  hotelingKeys: true,
  hotelingSecret: 'SECRET-SEALED',
  passcodeOneTime: false,
};

const catalogueForTests: Catalogue = {
  currency: 'GBP',
  licence: { monthly: 0 },
  models: [
    {
      ...{ id: 'vvx-411', name: 'VVX 411', expansionModule: 'optional' },
      ...{ phone: { once: 14_500, monthly: 0 }, module: { once: 11_900, monthly: 0 } },
    },
  ],
  shipping: [{ id: 'standard', name: 'Standard', once: 500 }],
};

const company: Company = {
  id: 'demo',
  name: 'Demo',
  country: 'GB',
  featureAccessCodes: { logIn: '*90', logOut: '*91' },
  associationLimit: 12,
  hotDeskLicences: 3,
  occupiedDeskPolicy: 'deny',
  secondDeskPolicy: 'move',
  ringOwnPhone: { commonArea: true, user: false },
  addOnLicences: { host: 5, guest: 5 },
  expiryWarningMinutes: 5,
  passcodeLength: { min: 6, max: 12 },
};

export const london: Site = {
  ...{ id: 'london', name: 'London', timeZone: 'Europe/London', outsideLinePrefix: '' },
  ...{ callbackNumber: '+442079460100', callbackMinutes: 60 },
  ...{ emergencyNumbers: [], emergencyTestNumbers: [], emergencyContacts: { emails: [], phones: [] } },
};

export const directory: Directory = tableOf([
  { kind: 'company', value: company },
  { kind: 'site', value: london },
  { kind: 'user', value: alice },
  { kind: 'host', value: owned },
  { kind: 'host', value: reception },
]);

export const association: Association = {
  host: reception.id,
  guest: '1001',
  site: 'london',
  generation: 7,
  startedAt: DAY,
  expiresAt: DAY + 12 * 3_600_000,
  idleLimitMs: 'never',
};

export interface World {
  view: { -readonly [K in 'knowledge' | 'directory']: View[K] };
  association: Association | undefined;
  answer: unknown;
  /** Answer of the phones of an order. */
  ready: unknown;
  readiness: { store: boolean; sip: boolean; media: boolean };
  calls: unknown[];
  logged: unknown[];
  now: number;
  /** What becomes of a session that is begun. */
  fails: Error | undefined;
  /** Whose every cookie is. */
  session: Session | undefined;
  readonly tokens: Map<string, ApiToken>;
  /** Undefined: there are no phones in browsers. */
  webPhone: WebPhoneFacts | undefined;
}

export let world: World;
export let http: Http;
export let base: string;

export function services(): HttpServices {
  const called = async (...call: unknown[]) => {
    world.calls.push(call);
    if (world.answer instanceof Error) throw world.answer;
    return world.answer as never;
  };
  const view: AdminView = {
    get knowledge() {
      return world.view.knowledge;
    },
    get directory() {
      return world.view.directory;
    },
    get emergencyDirectory() {
      return world.view.directory;
    },
    emergencyRecords: () => [],
    associationAt: (host) => (world.association?.host === host ? world.association : undefined),
    associationOf: (guest) => (world.association?.guest === guest ? world.association : undefined),
    hostByFlow: () => undefined,
    lastSeenAt: (host) => (host === reception.id ? DAY : undefined),
    bindingsOf: (host) =>
      host !== reception.id
        ? []
        : [
            {
              contact: 'sip:cp0004f2000001@192.0.2.7:5060',
              callId: 'x',
              cseq: 1,
              expiresAt: DAY,
              q: 1,
              flow: { protocol: 'udp', address: '192.0.2.7', port: 5060 },
              path: [],
              userAgent: 'PolycomVVX-VVX_411-UA/5.9',
            },
          ],
  };
  return {
    view,
    hotDesk: {
      associate: (command) => called('associate', command),
      release: (command) => called('release', command),
    },
    directory: {
      exportYaml: () => called('exportYaml'),
      importYaml: (text, options) => called('importYaml', text, options),
      updateCompany: async (change, actor) => {
        const answer = await called('updateCompany', change, actor);
        return answer ?? changedCompany(company, change);
      },
      updateUser: async (extension, change, options) =>
        (await called('updateUser', extension, options)) ?? change(alice),
    },
    guests: {
      connect: (command) => called('connect', command),
      disconnect: (command) => called('disconnect', command),
      change: async (extension, change, { actor }) =>
        (await called('changeGuest', extension, change, actor)) ?? alice,
    },
    lists: new DirectoryLists({ view: Object.assign(view, { onChange: () => () => undefined }) }),
    people: {
      add: async (person, actor) => (await called('addPerson', person, actor)) ?? userOf(person),
      remove: (...command) => called('removePerson', ...command),
    },
    peopleImport: { run: (csv, options) => called('importPeople', csv, options) },
    phones: {
      add: async (phone, actor) => {
        const { digest } = reception;
        const host = { ...phone, id: phone.id ?? 'new', digest };
        return (await called('addPhone', phone, actor)) ?? { host, sipPassword: 'told-once' };
      },
      remove: (...command) => called('removePhone', ...command),
      unassign: async (...command) =>
        (await called('unassign', ...command)) ?? { ...reception, reservedFor: '1001', enabled: false },
      convert: async (...command) => (await called('convert', ...command)) ?? reception,
      assign: async (...command) => (await called('assignPhone', ...command)) ?? owned,
    },
    orders: {
      catalogue: catalogueForTests,
      quote: () => world.answer as never,
      get: (...command) => called('getOrder', ...command),
      create: (...command) => called('createOrder', ...command),
      change: (...command) => called('changeOrder', ...command),
      ready: async (...command) => {
        const answer = await called('readyPhones', ...command);
        return (world.ready as never) ?? answer;
      },
      convert: (...command) => called('convertWithOrder', ...command),
    },
    orderBook: {
      page: (query) => called('orderPage', query),
      all: (filter) => called('allOrders', filter),
    },
    sites: {
      add: async (site, actor) => (await called('addSite', site, actor)) ?? site,
      change: async (id, change, options) =>
        (await called('changeSite', id, change, options)) ?? { ...london, ...change },
      remove: (...command) => called('removeSite', ...command),
    },
    live: { watch: async (watcher, after) => called('watch', watcher, after), look: () => undefined },
    replays: {
      run: async (request, work) => {
        world.calls.push(['replay', request.key, request.route]);
        return work();
      },
    },
    addOns: {
      assign: async (extension, assignment, options) =>
        (await called('assign', extension, assignment, options)) ?? { ...alice, ...assignment },
    },
    hotelingSecrets: {
      enable: async (...command) =>
        (await called('enableKeys', ...command)) ?? { ...alice, hotelingKeys: true },
      disable: async (...command) =>
        (await called('disableKeys', ...command)) ?? { ...alice, hotelingKeys: false },
    },
    hosts: {
      change: async (id, change, actor) =>
        (await called('changeHost', id, change, actor)) ?? { ...reception, ...change },
      verifyAddress: async (id, actor) => (await called('verifyAddress', id, actor)) ?? reception,
    },
    passcodes: {
      set: (...command) => called('set', ...command),
      giveOneTime: (...command) => called('giveOneTime', ...command),
      unlock: (...command) => called('unlock', ...command),
    },
    webPhones: {
      get url() {
        return world.webPhone?.url;
      },
      about: () => world.webPhone,
    },
    webhooks: {
      list: () => world.answer as never,
      get: (id) => {
        world.calls.push(['get', id]);
        return world.answer as never;
      },
      create: (wish, actor) => called('create', wish, actor),
      change: (id, wish, options) => called('change', id, wish, options),
      renewSecret: (id, actor) => called('renewSecret', id, actor),
      remove: (id, actor) => called('remove', id, actor),
      test: (id, actor) => called('test', id, actor),
      deadLetters: (query) => called('deadLetters', query),
      deliveries: (...query) => called('deliveries', ...query),
      resend: (...command) => called('resend', ...command),
    },
    audit: {
      page: (query) => called('page', query),
      stays: (query) => called('stays', query),
      export: (filter) => called('export', filter),
      exportStays: (filter) => called('exportStays', filter),
    },
    usage: { report: (query) => called('usage', query) },
    emergencies: {
      list: () => called('emergencies'),
      acknowledge: (id, actor) => called('acknowledge', [id, actor]),
    },
    signIn: {
      signIn: (credentials) => called('signIn', credentials),
      begin: (account) => (world.fails ? Promise.reject(world.fails) : called('begin', account)),
      lasts: async () => true,
      session: async () => world.session,
      signOut: (id) => called('signOut', id),
    },
    ownSessions: {
      list: (...query) => called('ownSessions', ...query),
      end: (...command) => called('endSession', ...command),
    },
    accounts: {
      needsSetUp: false,
      list: (query) => called('listAccounts', query),
      get: (id) => (world.session?.account.id === id ? world.session.account : (world.answer as never)),
      create: (...command) => called('createAccount', ...command),
      change: (...command) => called('changeAccount', ...command),
      remove: (...command) => called('removeAccount', ...command),
      signOut: (...command) => called('signOutEverywhere', ...command),
      reset: (...command) => called('reset', ...command),
      setPassword: (...command) => called('setPassword', ...command),
      changePassword: (...command) => called('changePassword', ...command),
      beginTotp: (...command) => called('beginTotp', ...command),
      confirmTotp: (...command) => called('confirmTotp', ...command),
      removeOwnTotp: (...command) => called('removeOwnTotp', ...command),
      removeTotp: (...command) => called('removeTotp', ...command),
      setUp: (...command) => called('setUp', ...command),
    },
    providerName: '',
    apiTokens: {
      list: () => world.answer as never,
      create: (...command) => called('createToken', ...command),
      remove: (...command) => called('removeToken', ...command),
      find: (text) => world.tokens.get(text),
    },
    readiness: () => world.readiness,
  };
}

beforeEach(async () => {
  world = {
    view: { knowledge: 'fresh', directory },
    association: undefined,
    answer: undefined,
    ready: undefined,
    readiness: { store: true, sip: true, media: true },
    calls: [],
    logged: [],
    now: 0,
    fails: undefined,
    session: undefined,
    tokens: new Map(),
    webPhone: undefined,
  };
  const log = {
    error: (...line: unknown[]) => void world.logged.push(line),
    warn: (...line: unknown[]) => void world.logged.push(line),
  };
  http = createHttp({
    host: '127.0.0.1',
    port: 0,
    adminToken: TOKEN,
    services: services(),
    log,
    now: () => world.now,
  });
  const { host, port } = await http.start();
  base = `http://${host}:${port}`;
});

afterEach(() => http.stop());

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the body is what the test is about
  readonly json: any;
}

export async function request(
  method: string,
  path: string,
  options: { body?: unknown; token?: string; type?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { body, token = TOKEN, type = 'application/json' } = options;
  const headers: Record<string, string> = {
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    ...options.headers,
  };
  if (body !== undefined) headers['content-type'] = type;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${base}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: text }),
  });
  return readAnswer(response);
}

async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  for (const secret of SECRETS) expect(text).not.toContain(secret);
  const type = response.headers.get('content-type') ?? '';
  return {
    status: response.status,
    type,
    headers: response.headers,
    text,
    json: type.includes('json') ? JSON.parse(text) : undefined,
  };
}

export function expectProblem(answer: Answer, status: number, more: object = {}): void {
  expect(answer.status).toBe(status);
  expect(answer.type).toMatch(/^application\/problem\+json/);
  expect(answer.json).toMatchObject({ status, type: expect.any(String), title: expect.any(String), ...more });
}
