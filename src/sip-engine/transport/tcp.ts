import type { Server, Socket } from 'node:net';
import { createServer, connect as netConnect } from 'node:net';
import type { Flow } from './flow.ts';
import type { ListenAddress, Listener } from './listener.ts';
import { isWildcard } from './networks.ts';
import { bind, type ServerSocketOptions, unbind } from './server-socket.ts';
import { TcpConnection } from './tcp-connection.ts';

/** One listening TCP socket, and the connections dialled on its behalf. */
export class TcpListener implements Listener {
  readonly config: ListenAddress;
  readonly #options: ServerSocketOptions;
  #server: Server | undefined;
  #port: number;

  constructor(options: ServerSocketOptions) {
    this.#options = options;
    this.config = options.config;
    this.#port = options.config.port;
  }

  get port(): number {
    return this.#port;
  }

  /** Binds the socket; rejects with the system's error if that fails. */
  async start(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    this.#port = await bind(server, this.#options);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#options.connections.endAll(this);
    await unbind(server);
  }

  /** The open connection to that peer, or a new one being dialled. */
  flowTo(host: string, port: number, connectMs?: number): Flow {
    const open = this.#options.connections.find('tcp', host, port);
    return open === undefined || open.closed ? this.#dial(host, port, connectMs) : open;
  }

  #dial(host: string, port: number, connectMs = this.#options.limits.connectMs): Flow {
    const localAddress = isWildcard(this.config.host) ? {} : { localAddress: this.config.host };
    const socket = netConnect({ host, port, ...localAddress });
    return this.#adopt(socket, { host, port, connectMs });
  }

  #accept(socket: Socket): void {
    const host = socket.remoteAddress;
    const port = socket.remotePort;
    if (host === undefined || port === undefined || !this.#options.connections.makeRoom(host)) {
      socket.destroy();
      return;
    }
    this.#adopt(socket, { host, port });
  }

  #adopt(socket: Socket, peer: { host: string; port: number; connectMs?: number }): TcpConnection {
    const { clock, limits, connections, events } = this.#options;
    const connection = new TcpConnection({
      socket,
      listener: this,
      remoteAddress: peer.host,
      remotePort: peer.port,
      connectMs: peer.connectMs,
      clock,
      limits,
      events,
    });
    connections.add(connection);
    connection.open();
    return connection;
  }
}
