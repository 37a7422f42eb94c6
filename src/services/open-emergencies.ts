import type { EmergencyRecord } from '../domain/emergency-record.ts';

/** As many as the store keeps; honest use is a handful. */
const MOST_OPEN = 10_000;

/**
 * Emergency records whose callback time is not over, as far as this node knows: its own from the moment of the call,
 * those of other nodes from the store, those of its last life from its disk. One that was opened stays until its time
 * is over, whatever the store says: it may have forgotten.
 */
export class OpenEmergencies {
  /** By id, in the order in which they were learnt. */
  readonly #records = new Map<string, EmergencyRecord>();
  /** Callback number → host → the record of it that is open longest. */
  readonly #byNumber = new Map<string, Map<string, EmergencyRecord>>();

  /** Whether it was news. The longest known goes when there are too many. */
  add(record: EmergencyRecord, now: number): boolean {
    if (this.#records.has(record.id) || record.callbackUntil <= now) return false;
    if (this.#records.size >= MOST_OPEN) this.#makeRoom(now);
    this.#records.set(record.id, record);
    this.#index(record);
    return true;
  }

  /** An open record of each desk with this callback number, newest first. */
  of(callbackNumber: string, now: number): EmergencyRecord[] {
    const found = [...(this.#byNumber.get(callbackNumber)?.values() ?? [])];
    return found.filter(({ callbackUntil }) => callbackUntil > now).sort(newestFirst);
  }

  /** All that are open, newest first. */
  all(now: number): EmergencyRecord[] {
    return [...this.#records.values()].filter(({ callbackUntil }) => callbackUntil > now).sort(newestFirst);
  }

  #index(record: EmergencyRecord): void {
    const { callbackNumber, host = '' } = record;
    if (callbackNumber === undefined) return;
    const hosts = this.#byNumber.get(callbackNumber) ?? new Map<string, EmergencyRecord>();
    this.#byNumber.set(callbackNumber, hosts);
    const known = hosts.get(host);
    if (!known || record.callbackUntil >= known.callbackUntil) hosts.set(host, record);
  }

  #makeRoom(now: number): void {
    for (const record of this.#records.values()) if (record.callbackUntil <= now) this.#remove(record);
    if (this.#records.size < MOST_OPEN) return;
    for (const oldest of this.#records.values()) return this.#remove(oldest);
  }

  #remove(record: EmergencyRecord): void {
    const { id, callbackNumber = '', host = '' } = record;
    this.#records.delete(id);
    const hosts = this.#byNumber.get(callbackNumber);
    if (hosts?.get(host) !== record) return;
    hosts.delete(host);
    if (hosts.size === 0) this.#byNumber.delete(callbackNumber);
  }
}

function newestFirst(a: EmergencyRecord, b: EmergencyRecord): number {
  return b.at - a.at;
}
