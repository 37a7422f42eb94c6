import type { RemoteInfo, Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Flow } from './flow.ts';
import type { TransportLimits } from './limits.ts';
import type { ListenAddress, Listener, ListenerFlow } from './listener.ts';
import { FlowError } from './listener.ts';

export interface UdpOptions {
  config: ListenAddress;
  limits: TransportLimits;
  onDatagram: (data: Buffer, flow: Flow) => void;
  onError: (error: Error) => void;
}

/** Addresses are IP literals, so nothing is ever looked up; Node's own look-up would cost a tick per datagram. */
function literal(
  host: string,
  _options: unknown,
  done: (e: null, address: string, family: number) => void,
): void {
  done(null, host, isIPv6(host) ? 6 : 4);
}

/** One UDP socket. */
export class UdpListener implements Listener {
  readonly config: ListenAddress;
  readonly #options: UdpOptions;
  #socket: Socket | undefined;
  #port: number;

  constructor(options: UdpOptions) {
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
    const v6 = isIPv6(host);
    const socket = createSocket({ type: v6 ? 'udp6' : 'udp4', ipv6Only: v6, lookup: literal as never });
    this.#socket = socket;
    // A literal address is bound within the call, so listen for it before.
    const listening = once(socket, 'listening');
    socket.bind(port, host);
    await listening;
    this.#port = socket.address().port;
    this.#askForBuffers(socket);
    socket.on('error', this.#options.onError);
    socket.on('message', (data, from) => this.#receive(data, from));
  }

  async stop(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }

  flowTo(host: string, port: number): Flow {
    return new UdpFlow(this, host, port);
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  send(text: string, flow: UdpFlow, onError?: (error: Error) => void): void {
    if (this.#socket === undefined) {
      if (onError) queueMicrotask(() => onError(new FlowError('FLOW_CLOSED', 'the UDP socket is closed')));
      return;
    }
    const data = Buffer.from(text, 'latin1');
    this.#socket.send(data, flow.remotePort, flow.remoteAddress, (error) => {
      if (error !== null && onError !== undefined) onError(error);
    });
  }

  #askForBuffers(socket: Socket): void {
    try {
      socket.setRecvBufferSize(this.#options.limits.socketBufferBytes);
      socket.setSendBufferSize(this.#options.limits.socketBufferBytes);
    } catch (error) {
      this.#options.onError(error as Error);
    }
  }

  #receive(data: Buffer, from: RemoteInfo): void {
    this.#options.onDatagram(data, new UdpFlow(this, from.address, from.port));
  }
}

/** A peer of a UDP socket. Made per datagram; holds nothing but the address. */
class UdpFlow implements ListenerFlow {
  readonly protocol = 'udp';
  readonly reliable = false;
  readonly listener: UdpListener;
  readonly remoteAddress: string;
  readonly remotePort: number;

  constructor(listener: UdpListener, remoteAddress: string, remotePort: number) {
    this.listener = listener;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  get localAddress(): string {
    return this.listener.config.host;
  }

  get localPort(): number {
    return this.listener.port;
  }

  get closed(): boolean {
    return !this.listener.isOpen;
  }

  send(text: string, onError?: (error: Error) => void): void {
    this.listener.send(text, this, onError);
  }
}
