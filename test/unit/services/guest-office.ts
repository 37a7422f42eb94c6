import type { Company, Host, User } from '../../../src/domain/directory.ts';
import type { Refusal } from '../../../src/domain/reasons.ts';
import { AddOns } from '../../../src/services/add-ons.ts';
import { allEntries, toStored } from '../../../src/services/directory-document.ts';
import { DirectoryService } from '../../../src/services/directory-service.ts';
import { EditsWhileFree } from '../../../src/services/edits-while-free.ts';
import { Guests } from '../../../src/services/guests.ts';
import { Hosts } from '../../../src/services/hosts.ts';
import { HotDesk } from '../../../src/services/hot-desk.ts';
import { LocalView } from '../../../src/services/local-view.ts';
import { Orphans } from '../../../src/services/orphans.ts';
import { PasscodeService } from '../../../src/services/passcode-service.ts';
import { PendingEnds } from '../../../src/services/pending-ends.ts';
import type { Follower } from '../../../src/store/store.ts';
import { directory, host, user } from '../domain/example.ts';
import { FakePasscodes, fakeHash } from './fake-passcodes.ts';
import { Harness } from './harness.ts';

/** Everything that hosts and guests can do, over a fake store. */

export const PASSCODE = '583914';
export const ACTOR = 'admin:kim';
export const HOUR = 3_600_000;

/** 1001 holds all; 1002 lends u1002 for a day; 1003, of Leeds, is a guest only; 1004 has no guest add-on. */
export const people = [
  user('1001', { addOns: ['host', 'guest'] }),
  user('1002', { addOns: ['host'] }),
  user('1003', { addOns: ['guest'], site: 'leeds', associationLimitHours: 8 }),
  user('1004', { addOns: [], hotDeskLicence: false }),
  user('1005', { addOns: ['guest'], associationLimitHours: 8, hotDeskLicence: false }),
].map((one) => ({ ...one, passcodeHash: fakeHash(PASSCODE) }));

export const phones = [
  host('d1'),
  host('d2'),
  host('u1001', { kind: 'user', owner: '1001' }),
  host('u1002', { kind: 'user', owner: '1002', associationLimitHours: 24 }),
];

export async function guestOffice({
  company = {},
  users = people,
  hosts = phones,
}: {
  readonly company?: Partial<Company>;
  readonly users?: readonly User[];
  readonly hosts?: readonly Host[];
} = {}) {
  const harness = new Harness();
  const entries = toStored(allEntries(directory({ company, users, hosts })));
  await harness.store.writeDirectory({ put: entries, remove: [], actor: 'test' });
  await harness.follow();
  const first = node(harness, harness.view);
  const events = () => harness.store.log.map(({ kind, actor, ...rest }) => ({ kind, actor, ...rest }));
  return {
    ...{ harness, ...first, store: harness.store, view: harness.view, events },
    /** Who sits where, as the store has it. */
    seats: async () => {
      const { associations } = await harness.store.snapshot();
      return associations.map(({ host: at, guest }) => `${guest}@${at}`).sort();
    },
    hostNow: (id: string) => harness.view.directory?.hosts.get(id),
    userNow: (extension: string) => harness.view.directory?.users.get(extension),
  };
}

/** The services of one node. */
export function node(harness: Harness, view: LocalView) {
  const { store, log, clock, random } = harness;
  const passcodes = new FakePasscodes();
  const deps = { store, view, log, clock, random, passcodes };
  const service = new DirectoryService({ ...deps, company: 'acme', realm: 'test' });
  const passcodeService = new PasscodeService({ ...deps, directory: service, randomInt: () => 0 });
  const pendingEnds = new PendingEnds({ ...deps, timers: clock });
  const hotDesk = new HotDesk({ ...deps, passcodeService, pendingEnds, storeNow: () => view.now() });
  const edits = new EditsWhileFree({ ...deps, directory: service });
  return {
    ...{ hotDesk, passcodes, service },
    orphans: new Orphans({ ...deps, timers: clock }),
    hosts: new Hosts({ directory: service, edits, view, log }),
    guests: new Guests({ view, hotDesk, edits, log }),
    addOns: new AddOns({ view, edits, log }),
    logIn: (at: string, extension: string) =>
      hotDesk.logIn({ host: at, extension, passcode: PASSCODE, source: '192.0.2.1' }),
  };
}

/** Another node, which hears of what happens when it is told to. */
export async function slowNode(harness: Harness) {
  const { clock, log, store } = harness;
  const view = new LocalView({ clock, log });
  const unheard: (() => void)[] = [];
  let isSlow = false;
  const slowly = (tell: () => void): void => void (isSlow ? unheard.push(tell) : tell());
  const follower = new Proxy<Follower>(view, {
    get: (_, name: keyof Follower) => {
      const tell = (view[name] as (...told: unknown[]) => unknown).bind(view);
      return SLOW.has(name) ? (...told: unknown[]) => slowly(() => tell(...told)) : tell;
    },
  });
  await store.follow(follower, new AbortController().signal);
  isSlow = true;
  const hear = (): void => {
    for (const tell of unheard.splice(0)) tell();
  };
  return { ...node(harness, view), view, hear };
}

const SLOW: ReadonlySet<keyof Follower> = new Set(['onEntries', 'onEvent', 'onBindings', 'onShared']);

export function reason(result: object): string | undefined {
  return 'refused' in result ? (result as Refusal).refused : undefined;
}
