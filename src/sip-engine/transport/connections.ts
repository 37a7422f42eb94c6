import type { Clock, Timer } from '../clock.ts';
import type { SipMessage } from '../message/message.ts';
import type { Protocol } from './flow.ts';
import type { TransportLimits } from './limits.ts';
import type { Listener, ListenerFlow } from './listener.ts';

/** A connection as the table looks after it. */
export interface Connection extends ListenerFlow {
  /** When the last octets that count were received or sent, on the clock's scale. */
  readonly quietSince: number;
  /** False until an accepted connection has carried a sane message. */
  readonly proven: boolean;
  /** Closes at once; what was not sent is lost. */
  destroy(): void;
  /** Closes once everything is sent; at once if the peer does not read. */
  end(): void;
  /** Closes the connection if one of its deadlines has passed. */
  checkDeadlines(now: number): void;
}

export interface ConnectionEvents {
  /** False if the message was not sane: then it does not count as a sign of a real peer. */
  onMessage(message: SipMessage, connection: Connection, size: number): boolean;
  /** The connection cannot be read on. Whoever listens may still send; it closes afterwards. */
  onBroken(message: SipMessage | undefined, status: number, connection: Connection): void;
  onPing(): void;
  onClosed(connection: Connection): void;
}

const SWEEP_MS = 1_000;
/** A connection quiet for longer than this may be closed in favour of a new one. */
const YIELDS_AFTER_MS = 5_000;

/** All connections of the engine, TCP and WebSocket, whichever listener they belong to. Bounded; looked after once a second. */
export class ConnectionTable {
  readonly #clock: Clock;
  readonly #limits: TransportLimits;
  readonly #byPeer = new Map<string, Connection>();
  readonly #all = new Set<Connection>();
  readonly #byAddress = new Map<string, Set<Connection>>();
  #sweep: Timer | undefined;
  refused = 0;
  displaced = 0;

  constructor(clock: Clock, limits: TransportLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  /** The newest open connection to that peer. */
  find(protocol: Protocol, host: string, port: number): Connection | undefined {
    return this.#byPeer.get(`${protocol} ${host} ${port}`);
  }

  /**
   * Whether one more connection with `address` is allowed; counts a refusal. Where a limit is reached, a quiet connection is
   * closed for it: the new one may carry an emergency call, and whoever holds idle connections must not keep that out.
   */
  makeRoom(address: string): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const room =
      this.#leavesRoom(this.#byAddress.get(address) ?? new Set(), maxConnectionsPerAddress) &&
      this.#leavesRoom(this.#all, maxConnections);
    if (!room) this.refused++;
    return room;
  }

  add(connection: Connection): void {
    this.#all.add(connection);
    this.#byPeer.set(keyOf(connection), connection);
    const { remoteAddress } = connection;
    const neighbours = this.#byAddress.get(remoteAddress) ?? new Set();
    this.#byAddress.set(remoteAddress, neighbours.add(connection));
    this.#sweep ??= this.#clock.setTimer(SWEEP_MS, () => this.#sweepNow());
  }

  remove(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    const key = keyOf(connection);
    if (this.#byPeer.get(key) === connection) this.#byPeer.delete(key);
    const neighbours = this.#byAddress.get(connection.remoteAddress);
    neighbours?.delete(connection);
    if (neighbours?.size === 0) this.#byAddress.delete(connection.remoteAddress);
    if (this.#all.size === 0) this.stopSweep();
  }

  /** Ends the connections of one listener. */
  endAll(listener: Listener): void {
    for (const connection of this.#all) if (connection.listener === listener) connection.end();
  }

  stopSweep(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }

  #leavesRoom(held: ReadonlySet<Connection>, limit: number): boolean {
    if (held.size < limit) return true;
    const quietest = leastNeeded(held, this.#clock.now() - YIELDS_AFTER_MS);
    if (quietest === undefined) return false;
    this.displaced++;
    quietest.destroy();
    // Its `close` comes later than the new connection: the place is free from now on.
    this.remove(quietest);
    return true;
  }

  #sweepNow(): void {
    const now = this.#clock.now();
    for (const connection of this.#all) connection.checkDeadlines(now);
    this.#sweep = this.#all.size === 0 ? undefined : this.#clock.setTimer(SWEEP_MS, () => this.#sweepNow());
  }
}

/** Peers may use one port towards two of ours. */
function keyOf({ protocol, remoteAddress, remotePort }: Connection): string {
  return `${protocol} ${remoteAddress} ${remotePort}`;
}

/**
 * Of those quiet since before `deadline`, the one quiet for longest; one that never carried a sane message before any that did,
 * since nobody can have registered over it.
 */
function leastNeeded(held: ReadonlySet<Connection>, deadline: number): Connection | undefined {
  let found: Connection | undefined;
  for (const candidate of held) {
    if (candidate.quietSince >= deadline) continue;
    if (found === undefined || isLessNeeded(candidate, found)) found = candidate;
  }
  return found;
}

function isLessNeeded(one: Connection, other: Connection): boolean {
  return one.proven === other.proven ? one.quietSince < other.quietSince : !one.proven;
}
