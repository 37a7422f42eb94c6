import type { View } from '../domain/view.ts';
import type { Store } from '../store/store.ts';
import type { Log, Timers } from './ports.ts';
import { webhookConsumers } from './webhooks/deliveries.ts';

const FIRST_MS = 60_000;
const INTERVAL_MS = 3_600_000;
const DAY_MS = 86_400_000;

export interface LogTrimmerDependencies {
  readonly store: Pick<Store, 'trimLog'>;
  readonly view: Pick<View, 'directory'>;
  readonly timers: Timers;
  readonly log: Log;
  readonly retentionDays: number;
  /** Names of further consumers whose entries are kept until they are taken. */
  readonly consumers?: readonly string[];
}

/** Forgets changes older than the audit keeps them, every hour. Every node does this; together they do no harm. */
export class LogTrimmer {
  readonly #deps: LogTrimmerDependencies;
  #timer: { cancel(): void } | undefined;

  constructor(deps: LogTrimmerDependencies) {
    this.#deps = deps;
  }

  /** First after a minute, so that a node that restarts every day forgets too. */
  start(): void {
    this.#timer ??= this.#deps.timers.setTimer(FIRST_MS, this.#trimAndWait);
  }

  /** What is under way may go on until the store stops. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #trimAndWait = (): void => {
    this.#timer = this.#deps.timers.setTimer(INTERVAL_MS, this.#trimAndWait);
    void this.#trim();
  };

  async #trim(): Promise<void> {
    const { store, view, log, retentionDays, consumers = [] } = this.#deps;
    // Without a directory nobody can say who still waits for what.
    if (!view.directory) return;
    try {
      const waiting = [...consumers, ...webhookConsumers(view.directory)];
      const entries = await store.trimLog(retentionDays * DAY_MS, waiting);
      if (entries > 0) log.info({ entries, retentionDays }, 'old changes forgotten');
    } catch (error) {
      if (this.#timer)
        log.warn({ err: error }, 'old changes could not be forgotten; trying again in an hour');
    }
  }
}
