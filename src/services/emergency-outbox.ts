import type { EmergencyRecord, EmergencyStage } from '../domain/emergency-record.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { Log, Timers } from './ports.ts';

export interface EmergencyOutboxDependencies {
  readonly store: Pick<Store, 'noteEmergency'>;
  readonly timers: Timers;
  readonly log: Log;
  /** The store's clock, ms since 1970. */
  now(): number;
  readonly actor: string;
}

interface Waiting {
  readonly record: EmergencyRecord;
  readonly stage: EmergencyStage;
  /** Times the store answered that it cannot. */
  failures: number;
}

const RETRY_MS = 1_000;
const MOST_WAITING = 1_000;
/** A store that answers and cannot keep one record is not asked for ever. */
const MOST_FAILURES = 10;

/** What the store is yet to be told of emergency calls: in their order, until it has it or their time is over. */
export class EmergencyOutbox {
  readonly #deps: EmergencyOutboxDependencies;
  readonly #waiting = new Set<Waiting>();
  #timer: { cancel(): void } | undefined;
  #flushing = false;
  #isFull = false;
  #stopped = false;

  constructor(deps: EmergencyOutboxDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#stopped = false;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    const count = this.#waiting.size;
    if (count > 0) this.#deps.log.error({ count }, 'what the store was never told of emergency calls');
  }

  /** The store is told a moment later; beyond a thousand the longest waiting goes. */
  add(record: EmergencyRecord, stage: EmergencyStage): void {
    if (this.#waiting.size >= MOST_WAITING) this.#makeRoom();
    this.#waiting.add({ record, stage, failures: 0 });
    this.#schedule(0);
  }

  #makeRoom(): void {
    const [oldest] = this.#waiting;
    if (oldest) this.#waiting.delete(oldest);
    if (!this.#isFull)
      this.#deps.log.error({}, 'too much of emergency calls waits for the store, which misses the oldest');
    this.#isFull = true;
  }

  #schedule(ms: number): void {
    if (this.#stopped || this.#flushing || this.#timer) return;
    this.#timer = this.#deps.timers.setTimer(ms, () => {
      this.#timer = undefined;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    const hasFailed = !(await this.#tellAll());
    this.#flushing = false;
    if (this.#waiting.size === 0) this.#isFull = false;
    else this.#schedule(hasFailed ? RETRY_MS : 0);
  }

  /** One after the other, so that the log has them in order; false as soon as the store does not take one. */
  async #tellAll(): Promise<boolean> {
    for (const waiting of [...this.#waiting]) {
      if (this.#stopped) return true;
      if (!this.#waiting.has(waiting)) continue;
      if (!(await this.#tell(waiting))) return false;
      this.#waiting.delete(waiting);
    }
    return true;
  }

  /** Whether there is nothing more to do about it. */
  async #tell(waiting: Waiting): Promise<boolean> {
    const { record, stage } = waiting;
    const { store, log, actor } = this.#deps;
    try {
      await store.noteEmergency(record, stage, actor);
      return true;
    } catch (error) {
      waiting.failures += error instanceof StoreUnavailable ? 0 : 1;
      const isOver = record.callbackUntil <= this.#deps.now() || waiting.failures >= MOST_FAILURES;
      if (isOver) log.error({ err: error, record: record.id, stage }, 'the store misses an emergency call');
      return isOver;
    }
  }
}
