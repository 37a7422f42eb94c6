import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type Follower, StoreUnavailable } from '../store.ts';
import { COMMON, type Connection, closeRedis, describe, openRedis } from './connection.ts';
import {
  decodeBindings,
  decodeEvent,
  decodeRead,
  decodeWhole,
  laterKindAt,
  type StreamEntry,
} from './decode.ts';
import { type DirectorySource, readDirectory, readEntries } from './directory.ts';
import type { Keys } from './keys.ts';
import { runScript } from './scripts.ts';
import { decodeShared, readShared } from './shared.ts';
import { loadSnapshot, type Position } from './snapshot.ts';

export interface FollowOptions {
  readonly connection: Connection;
  readonly keys: Keys;
  readonly node: string;
  readonly clock: { now(): number };
  readonly onProblem: (text: string, error?: Error) => void;
}

/** How long one read waits for news; the most a freshness time can be off. */
const BLOCK_MS = 400;
/** No answer for this long: the connection is given up. */
const SILENCE_MS = 2000;
const OFFSET_EVERY_MS = 10_000;
/** A round trip longer than this says too little about the offset. */
const OFFSET_ROUND_TRIP_MS = 100;
const BATCH = 500;

/** A gap or an entry that cannot be read: the state must be loaded anew. */
const RELOAD = Symbol('reload');

/**
 * Follows both streams until the signal aborts; connects again for ever, and loads the state anew at each connection
 * and after each gap. Resolves when following has ended; `onLoaded` is called at the first snapshot.
 */
export async function followStreams(
  options: FollowOptions,
  follower: Follower,
  signals: { readonly signal: AbortSignal; readonly onLoaded: () => void },
): Promise<void> {
  const { signal } = signals;
  let failures = 0;
  let told = false;
  const noting: Follower = {
    onSnapshot: (snapshot) => follower.onSnapshot(snapshot),
    onSharedEntries: (position) => follower.onSharedEntries(position),
    onDirectory: () => follower.onDirectory(),
    onEntries: (entries) => follower.onEntries(entries),
    onEvent: (event) => follower.onEvent(event),
    onSkipped: (seq) => follower.onSkipped(seq),
    onBindings: (aor, set) => follower.onBindings(aor, set),
    onShared: (...change) => follower.onShared(...change),
    onContact: (offsetMs) => {
      failures = 0;
      told = false;
      signals.onLoaded();
      follower.onContact(offsetMs);
    },
  };
  while (!signal.aborted) {
    const session = createSession(options, guarded(noting, signal));
    try {
      await untilAborted(session.run(), signal);
    } catch (error) {
      if (!told && !signal.aborted) options.onProblem('Following the store was interrupted', problem(error));
      told = true;
    } finally {
      session.close();
    }
    failures += 1;
    await delay(Math.min(50 * 2 ** Math.min(failures, 5), 1000), undefined, { signal }).catch(
      () => undefined,
    );
  }
}

/** The receiver failed, not the store. */
class FollowerFailed extends Error {}

/** Passes calls on until the signal aborts, and marks what the receiver throws. */
function guarded(follower: Follower, signal: AbortSignal): Follower {
  const pass = (call: () => void) => {
    if (signal.aborted) return;
    try {
      call();
    } catch (error) {
      throw new FollowerFailed('the receiver of changes failed', { cause: error });
    }
  };
  return {
    onSnapshot: (snapshot) => pass(() => follower.onSnapshot(snapshot)),
    onSharedEntries: (position) => {
      const loading = follower.onSharedEntries(position);
      return {
        page: (entries) => pass(() => loading.page(entries)),
        done: () => pass(() => loading.done()),
      };
    },
    onDirectory: () => {
      const loading = follower.onDirectory();
      return {
        page: (entries) => pass(() => loading.page(entries)),
        done: (version) => pass(() => loading.done(version)),
      };
    },
    onEntries: (entries) => pass(() => follower.onEntries(entries)),
    onEvent: (event) => pass(() => follower.onEvent(event)),
    onSkipped: (seq) => pass(() => follower.onSkipped(seq)),
    onBindings: (aor, set) => pass(() => follower.onBindings(aor, set)),
    onShared: (...change) => pass(() => follower.onShared(...change)),
    onContact: (offsetMs) => pass(() => follower.onContact(offsetMs)),
  };
}

interface Place extends Position {
  /** Shared entries read already that the contact stream has further on: older entries of theirs are old news. */
  readonly newer: ReadonlyMap<string, number>;
  /** Changes of the directory up to here need not be read again. */
  readonly directoryVersion: number;
}

/** One connection's worth of following; `run` ends by rejecting. */
function createSession(options: FollowOptions, follower: Follower) {
  const redis = openRedis(
    options.connection,
    {
      ...COMMON,
      connectionName: `hotdesk-${options.node}-follow`,
      maxRetriesPerRequest: null,
      commandTimeout: SILENCE_MS,
      retryStrategy: null,
    },
    // Told once by the loop above.
    () => undefined,
  );
  const measure = createOffsetMeter(redis, options.clock);
  const { keys, onProblem } = options;
  const source: DirectorySource = {
    keys,
    onProblem,
    call: (command, ...args) => redis.call(command, ...args),
  };

  async function load(): Promise<Place> {
    const run = (call: Parameters<typeof runScript>[1]) => runScript(redis, call);
    const { snapshot, position } = await loadSnapshot({ keys, run, onProblem });
    follower.onSnapshot(snapshot);
    const loading = follower.onSharedEntries(position.contactSeq);
    const newer = await readShared(source, position.contactSeq, loading.page);
    loading.done();
    return { ...position, newer, directoryVersion: await loadDirectory(source, follower) };
  }

  return {
    async run(): Promise<never> {
      await redis.connect();
      let position = await load();
      for (;;) {
        follower.onContact(await measure());
        const next = await readOn(redis, position, { ...options, source, follower });
        position = next === RELOAD ? await load() : next;
      }
    },
    close: () => closeRedis(redis),
  };
}

/** Reads what is new after a position and passes it on; the position after it, or RELOAD. */
async function readOn(
  redis: Redis,
  from: Place,
  to: FollowOptions & Receiver,
): Promise<Place | typeof RELOAD> {
  const { events, contactStream } = to.keys;
  const reply = decodeRead(
    await redis.call(
      'XREAD',
      ...['COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', events, contactStream, from.eventId, from.contactId],
    ),
  );
  if (reply === undefined) return RELOAD;
  let { seq, eventId, contactSeq, contactId, directoryVersion } = from;
  const { newer } = from;
  for (const entry of reply.get(events) ?? []) {
    const known = await passEvent(entry, { seq, directoryVersion }, to);
    if (known === undefined) return RELOAD;
    directoryVersion = known;
    seq += 1;
    eventId = entry.id;
  }
  for (const entry of reply.get(contactStream) ?? []) {
    if (!passContact(entry, { contactSeq, newer }, to)) return RELOAD;
    contactSeq += 1;
    contactId = entry.id;
  }
  return { seq, eventId, contactSeq, contactId, newer, directoryVersion };
}

type Receiver = Pick<FollowOptions, 'onProblem'> & {
  readonly source: DirectorySource;
  readonly follower: Follower;
};

/**
 * Passes an entry of the change log on if it is the next one and can be read; undefined: it is not. The version of the
 * directory that is known then: a long import is many changes, and whoever reads all of it reads it once for most of them.
 */
async function passEvent(
  entry: StreamEntry,
  { seq, directoryVersion }: Pick<Place, 'seq' | 'directoryVersion'>,
  { follower, source, onProblem }: Receiver,
): Promise<number | undefined> {
  const event = decodeEvent(entry.fields);
  if (event === undefined && laterKindAt(entry.fields) === seq + 1) {
    follower.onSkipped(seq + 1);
    return directoryVersion;
  }
  if (event === undefined)
    onProblem(`Entry ${entry.id} of the change log cannot be read: the state is loaded anew`);
  if (event?.seq !== seq + 1) return undefined;
  let known = directoryVersion;
  if (event.kind === 'directory' && event.seq > directoryVersion) {
    known = event.seq;
    if (event.entries === 'all') known = Math.max(known, await loadDirectory(source, follower));
    else follower.onEntries(await readEntries(source, event.entries));
  }
  follower.onEvent(event);
  return known;
}

/** The version that was read. */
async function loadDirectory(source: DirectorySource, follower: Follower): Promise<number> {
  const loading = follower.onDirectory();
  const version = await readDirectory(source, loading.page);
  loading.done(version);
  return version;
}

/** Passes an entry of the contact stream on if it is the next one and can be read. */
function passContact(
  entry: StreamEntry,
  { contactSeq, newer }: Pick<Place, 'contactSeq' | 'newer'>,
  { follower, onProblem }: Receiver,
): boolean {
  const { n, aor, set, name } = entry.fields;
  const bindings = decodeBindings(set ?? '');
  const shared = decodeShared(entry.fields);
  if ((aor === undefined || !bindings) && (name === undefined || !shared)) {
    onProblem(`Entry ${entry.id} of the contact stream cannot be read: the state is loaded anew`);
    return false;
  }
  if (decodeWhole(n) !== contactSeq + 1) return false;
  if (aor !== undefined && bindings) follower.onBindings(aor, bindings);
  else if (name !== undefined && shared && shared.position >= (newer.get(name) ?? 0))
    follower.onShared(name, shared.entry, shared.position);
  return true;
}

/** Store clock − ours in ms, asked for every 10 s. */
function createOffsetMeter(redis: Redis, clock: { now(): number }): () => Promise<number> {
  let offset: number | undefined;
  let due = Number.NEGATIVE_INFINITY;
  return async () => {
    const sent = clock.now();
    if (offset !== undefined && sent < due && sent > due - 2 * OFFSET_EVERY_MS) return offset;
    const [seconds, micros] = (await redis.time()).map(Number);
    const received = clock.now();
    due = received + OFFSET_EVERY_MS;
    const measured = Math.round(seconds! * 1000 + micros! / 1000 - (sent + received) / 2);
    if (offset === undefined || received - sent <= OFFSET_ROUND_TRIP_MS) offset = measured;
    return offset;
  };
}

/** The promise, or a rejection at once when the signal aborts. */
async function untilAborted(promise: Promise<never>, signal: AbortSignal): Promise<void> {
  let abort = () => {};
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
  });
  signal.addEventListener('abort', abort, { once: true });
  promise.catch(() => undefined);
  try {
    if (!signal.aborted) await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function problem(error: unknown): Error {
  if (error instanceof FollowerFailed || error instanceof StoreUnavailable) return error;
  return new Error(describe(error));
}
