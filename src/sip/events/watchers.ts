import type { SharedState } from '../../services/shared-state.ts';
import { parseRecord } from './record.ts';

const PREFIX = 'sub:';

/** Which hosts have subscribed to what, on whichever node. */
export class Watchers {
  readonly #shared: SharedState;
  /** `<event> <host>` → names of entries that were theirs when last looked at. */
  readonly #names = new Map<string, Set<string>>();
  /** Entry → key in `#names`. */
  readonly #keys = new Map<string, string>();
  readonly #listeners = new Set<(event: string, host: string) => void>();
  #stopListening: (() => void) | undefined;

  constructor(shared: SharedState) {
    this.#shared = shared;
  }

  start(): void {
    this.#stopListening ??= this.#shared.onChange((name) => name.startsWith(PREFIX) && this.#changed(name));
    for (const [name] of this.#shared.entries(PREFIX)) this.#changed(name);
  }

  stop(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#names.clear();
    this.#keys.clear();
  }

  /** Whether a phone of this host watches it, or its person. */
  has(event: string, host: string): boolean {
    const names = this.#names.get(`${event} ${host}`) ?? [];
    // Of one that has lapsed nobody was told.
    for (const name of [...names]) if (this.#shared.get(name) === undefined) this.#remove(name);
    return this.#names.has(`${event} ${host}`);
  }

  /** Called when the last subscription of a host to an event has ended, but for those that lapse. */
  onEnd(listener: (event: string, host: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(name: string): void {
    const record = parseRecord(this.#shared.get(name));
    const key = record && `${record.event} ${record.subscriber}`;
    const before = this.#keys.get(name);
    if (key === before) return;
    this.#remove(name);
    if (key === undefined) return this.#ended(before);
    this.#keys.set(name, key);
    const names = this.#names.get(key) ?? new Set();
    this.#names.set(key, names.add(name));
  }

  #ended(key = ''): void {
    if (this.#names.has(key)) return;
    const [event = '', host = ''] = key.split(' ');
    for (const listener of this.#listeners) listener(event, host);
  }

  #remove(name: string): void {
    const key = this.#keys.get(name);
    if (key === undefined) return;
    this.#keys.delete(name);
    const names = this.#names.get(key);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(key);
  }
}
