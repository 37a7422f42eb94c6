import type { Flow, Protocol } from './flow.ts';

/** Where to listen. Port 0 lets the kernel choose. `externalHost` is what peers are told instead of `host`. */
export interface ListenAddress {
  protocol: Protocol;
  host: string;
  port: number;
  externalHost?: string;
  /**
   * WebSocket only: web pages that may connect, as `https://phones.example` or `null`; `*` is any. Absent: pages that come
   * from the very host they connect to. What is no browser sends no Origin and may always connect.
   */
  origins?: readonly string[];
}

/** What the transports have in common for the transport layer. */
export interface Listener {
  readonly config: ListenAddress;
  /** The bound port; that of the configuration until `start`. */
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * A flow to a peer (`host` is an IP address of the listener's family); `connectMs`: how long a new connection may take.
   * Over WebSocket nobody can be dialled.
   */
  flowTo(host: string, port: number, connectMs?: number): Flow | undefined;
}

/** A flow that knows its listener. */
export interface ListenerFlow extends Flow {
  readonly listener: Listener;
}

/** An error of a flow. `code` tells a refused connection (`FLOW_FAILED`) from one that was lost (`FLOW_CLOSED`). */
export class FlowError extends Error {
  readonly code: 'FLOW_FAILED' | 'FLOW_CLOSED';

  constructor(code: 'FLOW_FAILED' | 'FLOW_CLOSED', message: string) {
    super(message);
    this.code = code;
  }
}
