import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { ListenAddress, Listener } from './listener.ts';
import { bind, type ServerSocketOptions, unbind } from './server-socket.ts';
import { WsConnection } from './ws-connection.ts';
import { ownHostsAt, type Refusal, refusalFor, SIP, UPGRADE_REQUIRED } from './ws-handshake.ts';

/** Of the handshake: a browser's has less than one kB, its cookies included. */
const MAX_HEADER_BYTES = 16_384;

/** One listening socket for SIP over WebSocket (RFC 7118). TLS is for a proxy in front of it. */
export class WebSocketListener implements Listener {
  readonly config: ListenAddress;
  readonly #options: ServerSocketOptions;
  readonly #upgrader: WebSocketServer;
  readonly #bySocket = new WeakMap<Duplex, WsConnection>();
  #server: Server | undefined;
  #port: number;

  constructor(options: ServerSocketOptions) {
    this.#options = options;
    this.config = options.config;
    this.#port = options.config.port;
    this.#upgrader = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // A compressed message says nothing of how large it becomes, and SIP is small.
      perMessageDeflate: false,
      maxPayload: options.limits.maxMessageBytes,
      handleProtocols: () => SIP,
    });
  }

  get port(): number {
    return this.#port;
  }

  /** Binds the socket; rejects with the system's error if that fails. */
  async start(): Promise<void> {
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (_request, response) =>
      turnAway(response),
    );
    this.#server = server;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#port = await bind(server, this.#options);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#options.connections.endAll(this);
    await unbind(server);
  }

  /** Nobody can be dialled: who comes by WebSocket does not listen. */
  flowTo(): undefined {
    return undefined;
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    const { clock, limits, connections, events } = this.#options;
    if (remoteAddress === undefined || remotePort === undefined || !connections.makeRoom(remoteAddress)) {
      socket.destroy();
      return;
    }
    const peer = { remoteAddress, remotePort };
    const connection = new WsConnection({ ...peer, socket, listener: this, clock, limits, events });
    this.#bySocket.set(socket, connection);
    connections.add(connection);
    connection.open();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    const { origins, externalHost } = this.config;
    const rules = { origins, ownHosts: ownHostsAt(connection.localAddress, externalHost) };
    const refusal = refusalFor(request, rules);
    if (refusal) refuse(socket as Socket, refusal);
    else this.#upgrader.handleUpgrade(request, socket, head, (web) => connection.upgraded(web));
  }
}

/** Plain HTTP: there is nothing here but WebSocket. */
function turnAway(response: ServerResponse): void {
  response.writeHead(UPGRADE_REQUIRED.status, { ...UPGRADE_REQUIRED.headers, Connection: 'upgrade, close' });
  response.end();
}

function refuse(socket: Socket, { status, headers }: Refusal): void {
  const lines = Object.entries({ ...headers, Connection: 'close', 'Content-Length': '0' });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...lines.map(([name, value]) => `${name}: ${value}`),
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.destroySoon();
}
