import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { createServer, isIPv6, connect as netConnect } from 'node:net';
import type { Clock, Timer } from '../clock.ts';
import type { Flow } from './flow.ts';
import type { TransportLimits } from './limits.ts';
import type { ListenAddress, Listener } from './listener.ts';
import { isWildcard } from './networks.ts';
import type { ConnectionEvents } from './tcp-connection.ts';
import { TcpConnection } from './tcp-connection.ts';

const SWEEP_MS = 1_000;
/** A connection quiet for longer than this may be closed in favour of a new one. */
const YIELDS_AFTER_MS = 5_000;

/** All TCP connections of the engine, whichever listener they belong to. Bounded; looked after once a second. */
export class ConnectionTable {
  readonly #clock: Clock;
  readonly #limits: TransportLimits;
  readonly #byPeer = new Map<string, TcpConnection>();
  readonly #all = new Set<TcpConnection>();
  readonly #byAddress = new Map<string, Set<TcpConnection>>();
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
  find(host: string, port: number): TcpConnection | undefined {
    return this.#byPeer.get(`${host} ${port}`);
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

  add(connection: TcpConnection): void {
    this.#all.add(connection);
    this.#byPeer.set(`${connection.remoteAddress} ${connection.remotePort}`, connection);
    const { remoteAddress } = connection;
    const neighbours = this.#byAddress.get(remoteAddress) ?? new Set();
    this.#byAddress.set(remoteAddress, neighbours.add(connection));
    this.#sweep ??= this.#clock.setTimer(SWEEP_MS, () => this.#sweepNow());
  }

  remove(connection: TcpConnection): void {
    if (!this.#all.delete(connection)) return;
    const key = `${connection.remoteAddress} ${connection.remotePort}`;
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

  #leavesRoom(held: ReadonlySet<TcpConnection>, limit: number): boolean {
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

/**
 * Of those quiet since before `deadline`, the one quiet for longest; one that never carried a sane message before any that did,
 * since nobody can have registered over it.
 */
function leastNeeded(held: ReadonlySet<TcpConnection>, deadline: number): TcpConnection | undefined {
  let found: TcpConnection | undefined;
  for (const candidate of held) {
    if (candidate.quietSince >= deadline) continue;
    if (found === undefined || isLessNeeded(candidate, found)) found = candidate;
  }
  return found;
}

function isLessNeeded(one: TcpConnection, other: TcpConnection): boolean {
  return one.proven === other.proven ? one.quietSince < other.quietSince : !one.proven;
}

export interface TcpOptions {
  config: ListenAddress;
  limits: TransportLimits;
  clock: Clock;
  connections: ConnectionTable;
  events: ConnectionEvents;
  onError: (error: Error) => void;
}

/** One listening TCP socket, and the connections dialled on its behalf. */
export class TcpListener implements Listener {
  readonly config: ListenAddress;
  readonly #options: TcpOptions;
  #server: Server | undefined;
  #port: number;

  constructor(options: TcpOptions) {
    this.#options = options;
    this.config = options.config;
    this.#port = options.config.port;
  }

  get port(): number {
    return this.#port;
  }

  /** Binds the socket; rejects with the system's error if that fails. */
  async start(): Promise<void> {
    const { host, port } = this.config;
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    server.listen({ host, port, ipv6Only: isIPv6(host), backlog: 1024 });
    await once(server, 'listening');
    const address = server.address();
    if (address !== null && typeof address !== 'string') this.#port = address.port;
    server.on('error', this.#options.onError);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#options.connections.endAll(this);
    if (server === undefined || !server.listening) return;
    const closed = once(server, 'close');
    server.close();
    await closed;
  }

  /** The open connection to that peer, or a new one being dialled. */
  flowTo(host: string, port: number): Flow {
    return this.#options.connections.find(host, port) ?? this.#dial(host, port);
  }

  #dial(host: string, port: number): Flow {
    const localAddress = isWildcard(this.config.host) ? {} : { localAddress: this.config.host };
    const socket = netConnect({ host, port, ...localAddress });
    return this.#adopt(socket, { host, port, dialled: true });
  }

  #accept(socket: Socket): void {
    const host = socket.remoteAddress;
    const port = socket.remotePort;
    if (host === undefined || port === undefined || !this.#options.connections.makeRoom(host)) {
      socket.destroy();
      return;
    }
    this.#adopt(socket, { host, port, dialled: false });
  }

  #adopt(socket: Socket, peer: { host: string; port: number; dialled: boolean }): TcpConnection {
    const { clock, limits, connections, events } = this.#options;
    const connection = new TcpConnection({
      socket,
      listener: this,
      remoteAddress: peer.host,
      remotePort: peer.port,
      dialled: peer.dialled,
      clock,
      limits,
      events,
    });
    connections.add(connection);
    connection.open();
    return connection;
  }
}
