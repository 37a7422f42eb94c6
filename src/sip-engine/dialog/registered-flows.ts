import type { Clock, Timer } from '../clock.ts';
import type { Uri } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';

/** Where a request is to go, as a route says it. */
interface Place {
  host: string;
  port: number;
}

interface Entry {
  flow: Flow;
  timer: Timer;
}

type Table = Map<string, Entry>;

/** Node's timers end at 2^31 ms. */
const LONGEST_SECONDS = 1_000_000;

/**
 * Which connection a registered device can be reached on (DP §17, RFC 5626 in spirit): `user@host:port` of its
 * Contact → its TCP or WebSocket connection, for the granted time. UDP sources are remembered too, only to know that the
 * device speaks UDP.
 */
export class RegisteredFlows {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #entries: Table = new Map();
  /** The WebSockets of `#entries` once more, by Contact and where they come from. */
  readonly #webSockets: Table = new Map();

  constructor(clock: Clock, max: number) {
    this.#clock = clock;
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Remembers `flow` for a Contact, for `seconds`; 0 forgets. */
  remember(contact: Uri, flow: Flow, seconds: number): void {
    const { remoteAddress: host, remotePort: port } = flow;
    const key = flow.reliable ? addressOf(contact) : peer(host, port);
    this.#keep(this.#entries, key, { flow, seconds });
    if (flow.protocol === 'ws') {
      this.#keep(this.#webSockets, webSocket(contact, { host, port }), { flow, seconds });
    }
  }

  /** The living connection of a registered Contact; undefined when there is none. */
  find(uri: Uri): Flow | undefined {
    return living(this.#entries, addressOf(uri));
  }

  /**
   * The living WebSocket from `place` over which this Contact was registered. The place alone does not tell: it may be that of
   * a proxy, and by now somebody else's.
   */
  findWebSocket(uri: Uri, place: Place): Flow | undefined {
    return living(this.#webSockets, webSocket(uri, place));
  }

  /** True when a device registered over UDP from this address. */
  speaksUdp(address: string, port: number): boolean {
    return this.#entries.has(peer(address, port));
  }

  /** Drops what was remembered for a closed connection. */
  closed(flow: Flow): void {
    for (const table of [this.#entries, this.#webSockets]) {
      for (const [key, entry] of table) if (entry.flow === flow) forget(table, key);
    }
  }

  stop(): void {
    for (const table of [this.#entries, this.#webSockets]) {
      for (const key of [...table.keys()]) forget(table, key);
    }
  }

  #keep(table: Table, key: string, { flow, seconds }: { flow: Flow; seconds: number }): void {
    forget(table, key);
    if (seconds <= 0 || table.size >= this.#max) return;
    const timer = this.#clock.setTimer(Math.min(seconds, LONGEST_SECONDS) * 1_000, () => table.delete(key));
    table.set(key, { flow, timer });
  }
}

function living(table: Table, key: string): Flow | undefined {
  const entry = table.get(key);
  if (!entry) return undefined;
  if (!entry.flow.closed) return entry.flow;
  forget(table, key);
  return undefined;
}

function forget(table: Table, key: string): void {
  table.get(key)?.timer.cancel();
  table.delete(key);
}

function addressOf(uri: Uri): string {
  return `${uri.user ?? ''}@${uri.host.toLowerCase()}:${uri.port ?? ''}`;
}

function webSocket(contact: Uri, { host, port }: Place): string {
  return `${host} ${port} ${addressOf(contact)}`;
}

function peer(address: string, port: number): string {
  return `udp ${address} ${port}`;
}
