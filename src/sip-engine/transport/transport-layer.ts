import type { Clock } from '../clock.ts';
import type { SipMessage, Via } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import { reasonPhrase } from '../message/reasons.ts';
import { checkSanity } from '../message/sanity.ts';
import { type Connection, ConnectionTable } from './connections.ts';
import { type FirstLook, firstLook, LOOKED_AT } from './first-look.ts';
import type { Flow, Protocol } from './flow.ts';
import { Intake, type Urgency } from './intake.ts';
import type { TransportLimits } from './limits.ts';
import { DEFAULT_TRANSPORT_LIMITS } from './limits.ts';
import type { ListenAddress, Listener, ListenerFlow } from './listener.ts';
import type { LocalNetwork } from './networks.ts';
import { fitness, isWildcard, localNetworks, ownAddressFor } from './networks.ts';
import { statelessResponse } from './stateless.ts';
import { TcpListener } from './tcp.ts';
import { UdpListener } from './udp.ts';
import { stampSource } from './via.ts';
import { WebSocketListener } from './ws.ts';

export type { FirstLook } from './first-look.ts';
export type { Urgency } from './intake.ts';
export type { TransportLimits } from './limits.ts';
export type { ListenAddress } from './listener.ts';
export { FlowError } from './listener.ts';

/** A listening address: `host`:`port` as told to peers, `localHost`:`localPort` as bound. */
export interface SipAddress {
  protocol: Protocol;
  host: string;
  port: number;
  localHost: string;
  localPort: number;
}

/** A next hop. `host` is an IP address without brackets. */
export interface Target {
  protocol: Protocol;
  host: string;
  port: number;
  /** ms a new connection may take, if less than any may. */
  connectMs?: number;
}

export interface TransportOptions {
  listen: ListenAddress[];
  clock: Clock;
  limits?: Partial<TransportLimits>;
  /** What must not wait behind a flood: emergency calls. Decided at once, from the first look. */
  urgencyOf?: (look: FirstLook) => Urgency;
  /** Told about failures inside message handlers and of sockets, never about what peers send. */
  onError?: (error: Error) => void;
}

/** Counters since start, and `connections`, the TCP and WebSocket connections open now. */
export interface TransportStats {
  /** Sane messages handed up. */
  received: number;
  /** CRLF and other keep-alives. */
  keepAlives: number;
  /** What is not SIP at all. */
  junk: number;
  /** Malformed messages that got no answer. */
  dropped: number;
  /** Malformed requests that were answered. */
  rejected: number;
  /** Exceptions caught around a message: bugs, never the sender's fault. */
  handlerErrors: number;
  /** Connections refused because the table was full and none of it idle. */
  refused: number;
  /** Idle connections closed because the table was full and a new one came. */
  displaced: number;
  /** Messages left out under a flood. */
  turnedAway: number;
  /** Messages that wait for others to be handled, now. */
  waiting: number;
  connections: number;
}

const DEFAULT_PORT = 5060;
const NETWORKS_MS = 10_000;
/** A keep-alive is at most a CRLFCRLF; some devices send zero octets or a single one. */
const KEEP_ALIVE_BYTES = 4;

/** UDP, TCP and WebSocket below, sane messages above. */
export class TransportLayer {
  /** Called with every sane request (its top Via carries received and rport) and response. */
  onMessage: (message: SipMessage, flow: Flow, size: number) => void = () => {};
  /** Called for every TCP or WebSocket connection that ends. */
  onFlowClosed: (flow: Flow) => void = () => {};
  readonly #clock: Clock;
  readonly #limits: TransportLimits;
  readonly #onError: (error: Error) => void;
  readonly #connections: ConnectionTable;
  readonly #listeners: Listener[];
  readonly #intake: Intake;
  /** Emergency calls beyond the share of their source. */
  readonly #late = new WeakSet<SipMessage>();
  readonly #counters = { received: 0, keepAlives: 0, junk: 0, dropped: 0, rejected: 0, handlerErrors: 0 };
  #networks: LocalNetwork[] = [];
  #networksAt = Number.NEGATIVE_INFINITY;

  constructor(options: TransportOptions) {
    this.#clock = options.clock;
    this.#limits = { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits };
    this.#onError = options.onError ?? (() => {});
    const urgencyOf = options.urgencyOf ?? (() => 'none' as const);
    this.#intake = new Intake({ clock: this.#clock, urgencyOf, onError: this.#onError });
    this.#connections = new ConnectionTable(this.#clock, this.#limits);
    this.#listeners = options.listen.map((config) => this.#listener(config));
  }

  /** Binds all listening sockets; if one fails, closes the others and rejects. */
  async start(): Promise<void> {
    try {
      for (const listener of this.#listeners) await listener.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Closes all sockets and connections. */
  async stop(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop()));
    this.#connections.stopSweep();
  }

  /** All listening addresses in the order configured. Ports are known after `start`. */
  addresses(): SipAddress[] {
    return this.#listeners.map((listener) => this.#address(listener, undefined));
  }

  /** What to write into Via and Contact of messages on `flow`. */
  addressFor(flow: Flow): SipAddress {
    const own = (flow as Partial<ListenerFlow>).listener ?? this.#listeners[0];
    if (own === undefined) throw new Error('the transport layer has no listening address');
    return this.#address(own, flow);
  }

  /**
   * A flow to a peer: over TCP the open connection to exactly that address, else a new one; over UDP the listening socket
   * that fits the peer's network best. Undefined if nothing listens with that protocol and address family, if there is no
   * room for one more connection, or if there is no WebSocket: nobody can be dialled over it.
   */
  flowTo(target: Target): Flow | undefined {
    if (target.protocol !== 'udp') {
      const open = this.#connections.find(target.protocol, target.host, target.port);
      if (open !== undefined && !open.closed) return open;
    }
    if (target.protocol === 'ws') return undefined;
    const listener = this.#bestListener(target);
    if (listener === undefined) return undefined;
    if (target.protocol === 'tcp' && !this.#connections.makeRoom(target.host)) return undefined;
    return listener.flowTo(target.host, target.port, target.connectMs);
  }

  /**
   * The flow for a response: that of the request; if that connection is gone, a new one to where the top Via says its sender
   * listens (RFC 3261 18.2.2). Nobody listens behind a WebSocket (RFC 7118 5).
   */
  responseFlow(requestFlow: Flow, via: Via | undefined): Flow | undefined {
    if (!requestFlow.closed || requestFlow.protocol === 'udp') return requestFlow;
    if (requestFlow.protocol === 'ws') return undefined;
    return this.flowTo({ protocol: 'tcp', host: requestFlow.remoteAddress, port: via?.port ?? DEFAULT_PORT });
  }

  /** More comes than can be handled. */
  get isFlooded(): boolean {
    return this.#intake.isFlooded;
  }

  /** An emergency call beyond the share of its source: treated like any other. */
  isLate(message: SipMessage): boolean {
    return this.#late.has(message);
  }

  stats(): TransportStats {
    const { refused, displaced, size } = this.#connections;
    const { turnedAway, waiting } = this.#intake;
    return { ...this.#counters, refused, displaced, turnedAway, waiting, connections: size };
  }

  #listener(config: ListenAddress): Listener {
    const common = { config, limits: this.#limits, onError: this.#onError };
    if (config.protocol === 'udp') {
      return new UdpListener({ ...common, onDatagram: (data, flow) => this.#onDatagram(data, flow) });
    }
    const options = {
      ...common,
      clock: this.#clock,
      connections: this.#connections,
      events: {
        onMessage: (message: SipMessage, flow: Flow, size: number) => this.#onStreamed(message, flow, size),
        onBroken: (message: SipMessage | undefined, status: number, flow: Flow) =>
          this.#onBroken(message, status, flow),
        onPing: () => this.#counters.keepAlives++,
        onClosed: (flow: Connection) => this.#onClosed(flow),
      },
    };
    return config.protocol === 'ws' ? new WebSocketListener(options) : new TcpListener(options);
  }

  #currentNetworks(): LocalNetwork[] {
    const now = this.#clock.now();
    if (now - this.#networksAt >= NETWORKS_MS) {
      this.#networks = localNetworks();
      this.#networksAt = now;
    }
    return this.#networks;
  }

  #bestListener(target: Target): Listener | undefined {
    let best: Listener | undefined;
    let bestFit = 0;
    for (const listener of this.#listeners) {
      if (listener.config.protocol !== target.protocol) continue;
      const fit = fitness(listener.config.host, target.host, this.#currentNetworks());
      if (fit > bestFit) {
        best = listener;
        bestFit = fit;
      }
    }
    return best;
  }

  #address(listener: Listener, flow: Flow | undefined): SipAddress {
    const { protocol, host: localHost, externalHost } = listener.config;
    const port = listener.port;
    return {
      protocol,
      host: externalHost ?? this.#reachableHost(localHost, flow),
      port,
      localHost,
      localPort: port,
    };
  }

  /** A wildcard is no address to tell anybody, so an address of this machine stands in. */
  #reachableHost(host: string, flow: Flow | undefined): string {
    if (!isWildcard(host)) return host;
    if (flow?.reliable && !isWildcard(flow.localAddress)) return flow.localAddress;
    const anywhere = host === '::' ? '2001:db8::1' : '192.0.2.1';
    return ownAddressFor(flow?.remoteAddress ?? anywhere, this.#currentNetworks()) ?? host;
  }

  /** The edge: nothing that happens while a message is handled gets out to the socket. */
  #guarded(handle: () => boolean): boolean {
    try {
      return handle();
    } catch (error) {
      this.#counters.handlerErrors++;
      this.#onError(error as Error);
      return false;
    }
  }

  /** Text is made of it only when its turn has come: under a flood most never is. */
  #onDatagram(data: Buffer, flow: Flow): void {
    if (data.length <= KEEP_ALIVE_BYTES) {
      this.#counters.keepAlives++;
      return;
    }
    const look = firstLook(data.toString('latin1', 0, LOOKED_AT), flow);
    this.#intake.take(look, (late) =>
      this.#guarded(() => this.#parseDatagram(data.toString('latin1'), flow, late)),
    );
  }

  /**
   * The order of a connection's messages counts: one that is sane is said to be so at once and handled in its turn. Nobody
   * sends it again, so what finds no room is told.
   */
  #onStreamed(message: SipMessage, flow: Flow, size: number): boolean {
    return this.#guarded(() => this.#onSane(message, flow, () => this.#takeStreamed(message, flow, size)));
  }

  #takeStreamed(message: SipMessage, flow: Flow, size: number): void {
    const look = firstLook(message.isRequest ? `${message.method} ${message.uri} ` : '', flow);
    const taken = this.#intake.take(look, (late) =>
      this.#guarded(() => {
        this.#handUp(message, flow, { size, late });
        return true;
      }),
    );
    if (taken === 'turnedAway' && look.isNew)
      this.#reject(message, flow, { status: 503, reason: reasonPhrase(503) });
  }

  #parseDatagram(text: string, flow: Flow, late: boolean): boolean {
    const message = parseMessage(text, 'datagram');
    if (message !== undefined)
      return this.#onSane(message, flow, () => this.#handUp(message, flow, { size: text.length, late }));
    this.#counters.junk++;
    return false;
  }

  #handUp(message: SipMessage, flow: Flow, { size, late }: { size: number; late: boolean }): void {
    this.#counters.received++;
    if (late) this.#late.add(message);
    this.onMessage(message, flow, size);
  }

  #onSane(message: SipMessage, flow: Flow, goOn: () => void): boolean {
    if (message.isRequest) stampSource(message, flow.remoteAddress, flow.remotePort);
    const verdict = checkSanity(message, this.#limits);
    if (verdict.action === 'accept') {
      goOn();
      return true;
    }
    if (verdict.action === 'drop') this.#counters.dropped++;
    else this.#reject(message, flow, verdict);
    return false;
  }

  #reject(message: SipMessage, flow: Flow, { status, reason }: { status: number; reason: string }): void {
    this.#counters.rejected++;
    flow.send(statelessResponse(message, status, reason).toString());
  }

  #onBroken(message: SipMessage | undefined, status: number, connection: Flow): void {
    const answerable = message?.isRequest && message.method !== 'ACK' && message.has('Via');
    if (message === undefined || !answerable) {
      this.#counters.dropped++;
      return;
    }
    stampSource(message, connection.remoteAddress, connection.remotePort);
    this.#reject(message, connection, { status, reason: reasonPhrase(status) });
  }

  #onClosed(connection: Connection): void {
    this.#connections.remove(connection);
    this.#guarded(() => {
      this.onFlowClosed(connection);
      return true;
    });
  }
}
