import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeEvent } from '../../domain/association.ts';
import { type Consumer, type Store, StoreUnavailable } from '../store.ts';
import { COMMON, type Connection, closeRedis, describe, type Link, openRedis } from './connection.ts';
import { decodeEvent, decodeRead, decodeWhole, type StreamEntry } from './decode.ts';
import type { Keys } from './keys.ts';
import { type Lease, takeLease } from './lease.ts';
import { createPlaceKeeper, type PlaceKeeper } from './place-keeper.ts';

export interface ConsumersOptions {
  /** For a connection of each consumer's own, which waits for news. */
  readonly connection: Connection;
  readonly link: Link;
  readonly keys: Keys;
  readonly node: string;
  readonly onProblem: (text: string, error?: Error) => void;
}

export interface Consumers extends Pick<Store, 'consume'> {
  /** Ends all; to be called while the link is still open, so that other nodes can go on at once. */
  stop(): Promise<void>;
}

/** How often a node that waits asks for the lease. */
const STANDBY_MS = 1000;
const BLOCK_MS = 1000;
/** No answer for this long: the connection is given up. */
const SILENCE_MS = 3000;
const BATCH = 50;
const FIRST_REPEAT_MS = 1000;
const LAST_REPEAT_MS = 30_000;
/** How long an entry that is being taken may take on when all is to end. */
const GRACE_MS = 1000;

/** Consumers of the change log that end by their own signal or with the store. */
export function createConsumers(options: ConsumersOptions): Consumers {
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  return {
    async consume(consumer, signal) {
      if (!/^[a-z0-9:-]{1,80}$/.test(consumer.name))
        throw new TypeError('The name of a consumer may hold a-z, 0-9, : and - only');
      const either = AbortSignal.any([signal, stopping.signal]);
      const consuming = consumeOn({ ...options, consumer, asker: randomUUID(), signal: either });
      running.add(consuming);
      await consuming.finally(() => running.delete(consuming));
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

interface Context extends ConsumersOptions {
  readonly consumer: Consumer;
  readonly asker: string;
  readonly signal: AbortSignal;
}

/** Takes turns until the signal aborts; never rejects. */
async function consumeOn(context: Context): Promise<void> {
  const { consumer, signal, onProblem } = context;
  let failures = 0;
  const onWell = () => {
    failures = 0;
  };
  while (!signal.aborted) {
    let pause = STANDBY_MS;
    try {
      if (await takeTurn(context, onWell)) onWell();
    } catch (error) {
      failures += 1;
      pause = Math.min(50 * 2 ** failures, 1000);
      // The first of a row only.
      if (failures === 1 && !signal.aborted)
        onProblem(`The consumer ${consumer.name} of the change log was interrupted`, problem(error));
    }
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** Runs the consumer while this node holds the lease, which ends by rejecting; true: another node holds it. */
async function takeTurn(context: Context, onWell: () => void): Promise<boolean> {
  const { link, keys, consumer, asker, signal } = context;
  const { epoch } = link;
  const lease = await takeLease({ link, keys, consumer: consumer.name, asker });
  if (lease === undefined) return true;
  tellWhatWasLost(context, lease);
  const turn = {
    ...context,
    lease,
    epoch,
    signal: AbortSignal.any([signal, lease.signal]),
    stop: signal,
    onWell,
  };
  const keeper = createPlaceKeeper(lease);
  try {
    return await readOn(turn, keeper);
  } catch (error) {
    if (error instanceof StillTaking) lease.abandon();
    else await release(lease, keeper);
    throw error;
  }
}

/** Best effort: without it, the lease lapses and the last entries come again. */
async function release(lease: Lease, keeper: PlaceKeeper): Promise<void> {
  await lease.release(keeper.place).catch(() => undefined);
}

interface Turn extends Context {
  readonly lease: Lease;
  /** Connection over which the lease was taken: another one may lead to another Redis. */
  readonly epoch: number;
  /** Aborts with the lease, too. */
  readonly signal: AbortSignal;
  /** Aborts when the consumer is to end. */
  readonly stop: AbortSignal;
  readonly onWell: () => void;
}

/** After a fail-over the log may be shorter than what was taken. */
function tellWhatWasLost({ consumer, onProblem }: Context, { lostAfter, from }: Lease): void {
  if (lostAfter === undefined) return;
  onProblem(
    `The change log has lost entries that ${consumer.name} has taken: it was at ${lostAfter} and goes on after ${from.seq}`,
  );
  if (from.seq > lostAfter) consumer.missed(lostAfter + 1, from.seq);
}

/** Reads and takes until something fails or the turn ends. */
async function readOn(turn: Turn, keeper: PlaceKeeper): Promise<never> {
  const { keys, signal } = turn;
  const redis = openRedis(
    turn.connection,
    {
      ...COMMON,
      connectionName: `hotdesk-${turn.node}-consume`,
      maxRetriesPerRequest: null,
      commandTimeout: SILENCE_MS,
      retryStrategy: null,
    },
    // Told once by the loop that takes turns.
    () => undefined,
  );
  try {
    await untilAborted(redis.connect(), signal);
    for (;;) {
      const { id } = keeper.place;
      const reply = redis.call('XREAD', ...['COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', keys.events, id]);
      const streams = decodeRead(await untilAborted(reply, signal));
      if (streams === undefined) throw new StoreUnavailable('The change log cannot be read');
      for (const entry of streams.get(keys.events) ?? []) await takeEntry(turn, keeper, entry);
      if (turn.link.epoch !== turn.epoch) throw new StoreUnavailable('The store was connected to anew');
      turn.onWell();
    }
  } finally {
    closeRedis(redis);
  }
}

async function takeEntry(turn: Turn, keeper: PlaceKeeper, entry: StreamEntry): Promise<void> {
  const { consumer, onProblem } = turn;
  const last = keeper.place.seq;
  const event = decodeEvent(entry.fields);
  const seq = event?.seq ?? decodeWhole(entry.fields.seq) ?? last + 1;
  if (seq > last + 1) consumer.missed(last + 1, seq - 1);
  if (seq <= last)
    onProblem(`The change log was written anew: ${consumer.name} was at ${last} and now takes ${seq}`);
  if (event) await takeEvent(turn, event);
  else onProblem(`Entry ${entry.id} of the change log cannot be read: ${consumer.name} leaves it out`);
  keeper.took({ id: entry.id, seq });
}

/** Gives the event to the consumer until it takes it. @throws when the turn ends */
async function takeEvent(turn: Turn, event: ChangeEvent): Promise<void> {
  const { consumer, signal, onProblem } = turn;
  for (let pause = FIRST_REPEAT_MS; ; pause = Math.min(pause * 2, LAST_REPEAT_MS)) {
    signal.throwIfAborted();
    const error = await offer(turn, event);
    if (error === undefined) return;
    signal.throwIfAborted();
    if (pause === FIRST_REPEAT_MS)
      onProblem(
        `${consumer.name} did not take entry ${event.seq} of the change log and gets it again`,
        error,
      );
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** The consumer goes on with an entry although all is to end. */
class StillTaking extends Error {}

const LATE = Symbol('late');

/**
 * What went wrong, or undefined. When the lease is lost the entry is waited for all the same: one node that takes an
 * entry twice at the same time is worse than one that is late. When all is to end, only for a moment.
 */
async function offer({ consumer, signal, stop }: Turn, event: ChangeEvent): Promise<Error | undefined> {
  const taking = (async () => consumer.take(event, signal))().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error('not taken')),
  );
  const outcome = await untilAborted(taking, stop).catch(() =>
    Promise.race([taking, delay(GRACE_MS, LATE, { ref: false })]),
  );
  if (outcome === LATE) throw new StillTaking();
  return outcome;
}

/** The promise, or a rejection at once when the signal aborts. Nothing is left behind on a long-lived signal. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener('abort', abort, { once: true });
  promise.catch(() => undefined);
  try {
    signal.throwIfAborted();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function problem(error: unknown): Error {
  if (error instanceof StoreUnavailable) return error;
  return new Error(describe(error));
}
