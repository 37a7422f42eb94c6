import type { Clock, Timer } from '../clock.ts';
import type { Uri } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';

interface Entry {
  flow: Flow;
  timer: Timer;
}

/** Node's timers end at 2^31 ms. */
const LONGEST_SECONDS = 1_000_000;

/**
 * Which connection a registered device can be reached on (DP §17, RFC 5626 in spirit): `user@host:port` of its
 * Contact → its TCP connection, for the granted time. UDP sources are remembered too, only to know that the
 * device speaks UDP.
 */
export class RegisteredFlows {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, max: number) {
    this.#clock = clock;
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Remembers `flow` for a Contact, for `seconds`; 0 forgets. */
  remember(contact: Uri, flow: Flow, seconds: number): void {
    const key = flow.reliable ? addressOf(contact) : peer(flow.remoteAddress, flow.remotePort);
    this.#forget(key);
    if (seconds <= 0 || this.#entries.size >= this.#max) return;
    const timer = this.#clock.setTimer(Math.min(seconds, LONGEST_SECONDS) * 1_000, () =>
      this.#entries.delete(key),
    );
    this.#entries.set(key, { flow, timer });
  }

  /** The living connection of a registered Contact; undefined when there is none. */
  find(uri: Uri): Flow | undefined {
    const key = addressOf(uri);
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (!entry.flow.closed) return entry.flow;
    this.#forget(key);
    return undefined;
  }

  /** True when a device registered over UDP from this address. */
  speaksUdp(address: string, port: number): boolean {
    return this.#entries.has(peer(address, port));
  }

  /** Drops what was remembered for a closed connection. */
  closed(flow: Flow): void {
    for (const [key, entry] of this.#entries) if (entry.flow === flow) this.#forget(key);
  }

  stop(): void {
    for (const key of [...this.#entries.keys()]) this.#forget(key);
  }

  #forget(key: string): void {
    this.#entries.get(key)?.timer.cancel();
    this.#entries.delete(key);
  }
}

function addressOf(uri: Uri): string {
  return `${uri.user ?? ''}@${uri.host.toLowerCase()}:${uri.port ?? ''}`;
}

function peer(address: string, port: number): string {
  return `udp ${address} ${port}`;
}
