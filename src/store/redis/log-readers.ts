import type { Store } from '../store.ts';
import { type ConsumersOptions, createConsumers } from './consumers.ts';
import { createDeadLetters } from './dead-letters.ts';
import { createHistory } from './history.ts';
import { createOnce } from './once.ts';
import { createTrimmer } from './trim.ts';

export interface LogReadersOptions extends ConsumersOptions {
  /** Beyond it the oldest entries go, taken or not; default 1,000,000. */
  readonly maxEntries: number | undefined;
}

export interface LogReaders {
  readonly methods: Pick<
    Store,
    | 'claimOnce'
    | 'dropClaim'
    | 'consume'
    | 'forgetConsumer'
    | 'history'
    | 'trimLog'
    | 'addDeadLetter'
    | 'deadLetters'
    | 'dropDeadLetter'
  >;
  /** Ends the consumers; to be called while the link is still open. */
  stop(): Promise<void>;
}

/** Those who read the change log at their own pace: consumers, people, and the trimmer that knows them. */
export function createLogReaders({ maxEntries = 1_000_000, ...options }: LogReadersOptions): LogReaders {
  const { link, keys } = options;
  const consumers = createConsumers(options);
  return {
    stop: () => consumers.stop(),
    methods: {
      consume: consumers.consume,
      async forgetConsumer(name) {
        await link.send('HDEL', keys.cursors, name);
      },
      ...createHistory(options),
      ...createTrimmer({ link, keys, maxEntries }),
      ...createDeadLetters(options),
      ...createOnce(link, keys),
    },
  };
}
