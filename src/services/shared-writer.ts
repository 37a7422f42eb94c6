import { LARGEST_SHARED, MOST_SHARED, SHARED_NAME, type Store, StoreUnavailable } from '../store/store.ts';
import type { LocalView } from './local-view.ts';
import type { Log, Timers } from './ports.ts';
import type { SharedPut } from './shared-memory.ts';
import type { SharedState } from './shared-state.ts';

export interface SharedWriterDependencies {
  readonly store: Pick<Store, 'putShared'>;
  readonly view: Pick<LocalView, 'shared' | 'now'>;
  readonly timers: Timers;
  readonly log: Log;
}

const MOST_IN_FLIGHT = 16;
const FIRST_RETRY_MS = 50;
/** Short: what waits is the state of lamps. */
const LONGEST_RETRY_MS = 1_000;
/** How long a stop waits for the store to take what is left. */
const LAST_CHANCE_MS = 1_000;
/** A removal of what is not known here is tried for as long. */
const REMOVAL_MS = 60_000;

/**
 * Shared state as services see it. What is put counts here at once; the store is told in the background: the newest
 * value of a name, one write of a name at a time, sixteen in all, again while the store is away.
 */
export class SharedWriter implements SharedState {
  readonly #deps: SharedWriterDependencies;
  /** The newest put of each name that the store is yet to be told; the longest waiting first. */
  readonly #waiting = new Map<string, SharedPut>();
  readonly #inFlight = new Set<string>();
  #failures = 0;
  #timer: { cancel(): void } | undefined;
  #isFull = false;
  #isRefused = false;
  #state: 'stopped' | 'running' | 'stopping' = 'stopped';
  /** Ends a stop that waits. */
  #done: (() => void) | undefined;

  constructor(deps: SharedWriterDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#state = 'running';
    this.#pump();
  }

  /** Gives the store a second to take what is left; what it does not take is known to this node only. */
  async stop(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'stopping';
    this.#timer?.cancel();
    this.#timer = undefined;
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    const timer = this.#deps.timers.setTimer(LAST_CHANCE_MS, () => this.#end());
    this.#pump();
    await done;
    timer.cancel();
    const count = this.#waiting.size;
    if (count > 0) this.#deps.log.warn({ count }, 'other nodes were never told of shared entries');
  }

  get(name: string): unknown {
    return this.#deps.view.shared.get(name);
  }

  entries(prefix: string): Iterable<readonly [name: string, value: unknown]> {
    return this.#deps.view.shared.entries(prefix);
  }

  onChange(listener: (name: string) => void): () => void {
    return this.#deps.view.shared.onChange(listener);
  }

  put(name: string, value: unknown, ttlMs: number): void {
    const { view, log } = this.#deps;
    const text = textOf(name, value);
    const put = { value: text && JSON.parse(text), expiresAt: this.#expiry(name, { value, ttlMs }) };
    // Before listeners hear of it, as they may put something else.
    const isSendable = text === undefined || Buffer.byteLength(text) <= LARGEST_SHARED;
    if (isSendable) this.#wait(name, put);
    else this.#waiting.delete(name);
    view.shared.put(name, put);
    if (isSendable) return this.#pump();
    log.error({ name }, 'a shared entry is too large for the store: it counts on this node only');
    view.shared.givenUp(name, put);
  }

  /** ms since 1970 by the store's clock. */
  #expiry(name: string, { value, ttlMs }: { value: unknown; ttlMs: number }): number {
    const { view } = this.#deps;
    if (value !== undefined) {
      if (!(ttlMs > 0 && Number.isFinite(ttlMs)))
        throw new TypeError('A shared entry lasts for a time in ms');
      return Math.ceil(view.now() + ttlMs);
    }
    return Math.max(view.shared.expiryOf(name), view.now() + REMOVAL_MS);
  }

  #wait(name: string, put: SharedPut): void {
    if (this.#waiting.size >= MOST_SHARED && !this.#waiting.has(name)) this.#makeRoom();
    this.#waiting.set(name, put);
  }

  #makeRoom(): void {
    const [oldest] = this.#waiting;
    if (!oldest) return;
    this.#waiting.delete(oldest[0]);
    this.#deps.view.shared.givenUp(...oldest);
    if (!this.#isFull)
      this.#deps.log.error({}, 'too many shared entries wait for the store, which misses the oldest');
    this.#isFull = true;
  }

  /** Writes as many as may be written at once. */
  #pump(): void {
    if (this.#state === 'stopped' || this.#timer) return;
    for (const [name, put] of this.#waiting) {
      if (this.#inFlight.size >= MOST_IN_FLIGHT) return;
      if (!this.#inFlight.has(name)) this.#begin(name, put);
    }
    if (this.#waiting.size > 0) return;
    this.#isFull = false;
    if (this.#inFlight.size === 0 && this.#state === 'stopping') this.#end();
  }

  #end(): void {
    this.#state = 'stopped';
    this.#done?.();
    this.#done = undefined;
  }

  #begin(name: string, put: SharedPut): void {
    const { view } = this.#deps;
    this.#waiting.delete(name);
    const left = put.expiresAt - view.now();
    if (left <= 0) return view.shared.lapsed(name, put);
    this.#inFlight.add(name);
    void this.#write(name, { put, left });
  }

  async #write(name: string, { put, left }: { put: SharedPut; left: number }): Promise<void> {
    const { store, view } = this.#deps;
    try {
      const position = await store.putShared(name, put.value, left);
      this.#failures = 0;
      this.#isRefused = false;
      view.shared.written(name, put, position);
    } catch (error) {
      this.#failed(name, { put, error });
    }
    this.#inFlight.delete(name);
    this.#pump();
  }

  #failed(name: string, { put, error }: { put: SharedPut; error: unknown }): void {
    if (!(error instanceof StoreUnavailable)) return this.#refused(name, { put, error });
    if (!this.#waiting.has(name)) this.#wait(name, put);
    if (this.#state === 'stopping') return this.#end();
    // Of those in flight together the first counts.
    if (this.#timer || this.#state === 'stopped') return;
    const ms = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#timer = this.#deps.timers.setTimer(ms, () => {
      this.#timer = undefined;
      this.#pump();
    });
  }

  /** A store that has no room says so for every put; one line is enough until it takes one again. */
  #refused(name: string, { put, error }: { put: SharedPut; error: unknown }): void {
    this.#deps.view.shared.givenUp(name, put);
    if (!this.#isRefused)
      this.#deps.log.error({ err: error, name }, 'the store does not take a shared entry');
    this.#isRefused = true;
  }
}

/** JSON; undefined: to be removed. @throws TypeError */
function textOf(name: string, value: unknown): string | undefined {
  if (!SHARED_NAME.test(name)) throw new TypeError('A name may hold A-Z, a-z, 0-9, ., _, :, @ and - only');
  const text = JSON.stringify(value);
  if (text === undefined && value !== undefined) throw new TypeError('A shared entry is a JSON value');
  return text;
}
