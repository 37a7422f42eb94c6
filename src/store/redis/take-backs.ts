import { setTimeout as delay } from 'node:timers/promises';
import type { Link } from './connection.ts';
import { associationKeys, type Keys } from './keys.ts';
import { replicated } from './replicated.ts';

/** Undoing in the background of logins that were refused as unavailable although Redis may have carried them out. */
export interface TakeBacks {
  begin(opId: string): void;
  /** Somebody repeats the operation, and its outcome is theirs now; whether it was to be undone. */
  cancel(opId: string): boolean;
  stop(): void;
}

export interface TakeBackOptions {
  readonly link: Link;
  readonly keys: Keys;
  readonly node: string;
  /** Replicas that must have it undone: a master that was replaced meanwhile has undone nothing. */
  readonly waitForReplicas: number;
  readonly onProblem: (text: string, error?: Error) => void;
}

/** Most of the hour for which the operation is remembered. */
const TRIES = 1000;
const LONGEST_PAUSE_MS = 3000;
/** Short, as logins wait behind it; who is slow has confirmed by the next try. */
const REPLICA_MS = 5;
/** Far more than the circuit breaker lets happen in an hour. */
const MOST_PENDING = 1000;

/** Creates the list of what is to be undone; it tries until Redis answers. */
export function createTakeBacks(options: TakeBackOptions): TakeBacks {
  const pending = new Map<string, AbortController>();
  const cancel = (opId: string): boolean => {
    pending.get(opId)?.abort();
    return pending.delete(opId);
  };
  return {
    begin(opId) {
      if (pending.size >= MOST_PENDING) return options.onProblem('Too many unconfirmed logins to undo');
      const cancelled = new AbortController();
      pending.set(opId, cancelled);
      void takeBack(options, { opId, signal: cancelled.signal }).finally(() => {
        if (pending.get(opId) === cancelled) pending.delete(opId);
      });
    },
    cancel,
    stop() {
      if (pending.size > 0)
        options.onProblem(`${pending.size} unconfirmed logins are not undone: this node stops`);
      for (const opId of [...pending.keys()]) cancel(opId);
    },
  };
}

async function takeBack(
  { link, keys, node, waitForReplicas, onProblem }: TakeBackOptions,
  { opId, signal }: { readonly opId: string; readonly signal: AbortSignal },
): Promise<void> {
  const call = {
    script: 'takeBack',
    keys: [...associationKeys(keys), keys.operation(opId)],
    args: [`node:${node}`],
  } as const;
  let failure: Error | undefined;
  for (let n = 0; n < TRIES && !signal.aborted; n++) {
    const { epoch } = link;
    failure = await link.run(call).then(
      () => undefined,
      (error: Error) => error,
    );
    if (failure === undefined) {
      if (await replicated({ link, epoch, replicas: waitForReplicas, withinMs: REPLICA_MS })) return;
      failure = new Error('too few replicas confirmed it');
    }
    const pause = Math.min(100 * 2 ** n, LONGEST_PAUSE_MS);
    // Not a reason for the process to stay.
    await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
  }
  if (!signal.aborted) onProblem('An unconfirmed login could not be undone', failure);
}
