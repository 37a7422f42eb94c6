import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeEvent } from '../../../src/domain/association.ts';
import type { Binding, BindingSet } from '../../../src/domain/binding.ts';
import { createRedisStore, type RedisStoreOptions } from '../../../src/store/redis/redis-store.ts';
import type {
  AssociateCommand,
  EndCommand,
  Follower,
  SharedEntry,
  Snapshot,
  Store,
} from '../../../src/store/store.ts';

let companies = 0;

/** Company ids are never used twice, so that tests share a Redis without sharing state. */
export function newCompany(): string {
  companies += 1;
  return `c${process.pid}-${companies}`;
}

/** A started store and what it complained of; patient, as a busy machine's disk may be slow. */
export async function openStore(
  path: string,
  options: Partial<RedisStoreOptions> = {},
): Promise<Store & { readonly problems: string[] }> {
  const problems: string[] = [];
  const store = createRedisStore({
    connection: { path },
    company: newCompany(),
    node: 'n1',
    commandTimeoutMs: 2000,
    clock: { now: Date.now },
    onProblem: (text, error) => problems.push(error ? `${text}: ${error.message}` : text),
    ...options,
  });
  await store.start();
  return Object.assign(store, { problems });
}

export function login(host: string, guest: string, more: Partial<AssociateCommand> = {}): AssociateCommand {
  return {
    ...{
      host,
      guest,
      site: 'london',
      limitMs: 60_000,
      idleLimitMs: 'never',
      occupied: 'deny',
      secondDesk: 'move',
    },
    ...{ actor: 'guest', opId: randomUUID() },
    ...more,
  } as AssociateCommand;
}

export function logout(who: Partial<EndCommand>): EndCommand {
  return { reason: 'loggedOut', actor: 'guest', opId: randomUUID(), ...who };
}

export function binding(more: Partial<Binding> = {}): Binding {
  return {
    contact: 'sip:cp1@127.0.0.1:5060',
    callId: 'a@b',
    cseq: 1,
    expiresAt: Date.now() + 60_000,
    q: 1,
    flow: { protocol: 'udp', address: '127.0.0.1', port: 5060 },
    path: [],
    userAgent: 'test',
    ...more,
  };
}

/** Keeps what it is told. */
export interface Recorder extends Follower {
  readonly snapshots: Snapshot[];
  readonly events: ChangeEvent[];
  /** Positions passed over. */
  readonly skipped: number[];
  readonly bindings: { aor: string; set: BindingSet }[];
  readonly shared: { name: string; entry: SharedEntry | undefined; position: number }[];
  /** As loaded last. */
  readonly sharedEntries: ReadonlyMap<string, SharedEntry>;
  readonly sharedPosition: number;
  readonly contacts: { at: number; offsetMs: number }[];
  readonly directory: ReadonlyMap<string, unknown>;
  /** How often the whole directory came, and in how many pages. */
  readonly loads: number;
  readonly pages: number;
}

export function record(): Recorder {
  const snapshots: Snapshot[] = [];
  const events: ChangeEvent[] = [];
  const skipped: number[] = [];
  const bindings: { aor: string; set: BindingSet }[] = [];
  const shared: Recorder['shared'] = [];
  const contacts: { at: number; offsetMs: number }[] = [];
  let directory = new Map<string, unknown>();
  let sharedEntries: ReadonlyMap<string, SharedEntry> = new Map();
  let sharedPosition = 0;
  let [loads, pages] = [0, 0];
  return {
    ...{ snapshots, events, skipped, bindings, shared, contacts },
    get directory() {
      return directory;
    },
    get loads() {
      return loads;
    },
    get pages() {
      return pages;
    },
    get sharedEntries() {
      return sharedEntries;
    },
    get sharedPosition() {
      return sharedPosition;
    },
    onSharedEntries(position) {
      const loading = new Map<string, SharedEntry>();
      return {
        page: (entries) => {
          for (const [name, entry] of entries) {
            if (entry && entry.expiresAt > Date.now()) loading.set(name, entry);
            else loading.delete(name);
          }
        },
        done: () => {
          sharedEntries = loading;
          sharedPosition = position;
        },
      };
    },
    onDirectory() {
      const loading = new Map<string, unknown>();
      return {
        page: (entries) => {
          pages += 1;
          for (const [name, value] of entries) loading.set(name, value);
        },
        done: () => {
          loads += 1;
          directory = loading;
        },
      };
    },
    onEntries(entries) {
      for (const [name, value] of entries) {
        if (value === undefined) directory.delete(name);
        else directory.set(name, value);
      }
    },
    onSnapshot: (snapshot) => snapshots.push(snapshot),
    onEvent: (event) => events.push(event),
    onSkipped: (seq) => skipped.push(seq),
    onBindings: (aor, set) => bindings.push({ aor, set }),
    onShared: (name, entry, position) => shared.push({ name, entry, position }),
    onContact: (offsetMs) => contacts.push({ at: Date.now(), offsetMs }),
  };
}

/** Shared entries as a new follower gets them. */
export async function sharedIn(store: Store): Promise<ReadonlyMap<string, SharedEntry>> {
  const seen = record();
  const end = new AbortController();
  await store.follow(seen, end.signal);
  end.abort();
  return seen.sharedEntries;
}

/** Waits until the condition holds, 10 s at most. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (await condition()) return;
    await delay(5);
  }
  throw new Error('did not happen within 10 s');
}

export async function timed<T>(promise: Promise<T>): Promise<{ error: unknown; ms: number }> {
  const start = performance.now();
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  return { error, ms: performance.now() - start };
}
