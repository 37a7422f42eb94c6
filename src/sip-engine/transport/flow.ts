/** `ws` is SIP over WebSocket (RFC 7118), behind a TLS proxy too. */
export type Protocol = 'udp' | 'tcp' | 'ws';

/** A way to one peer: a TCP or WebSocket connection, or a UDP socket together with a peer address. */
export interface Flow {
  readonly protocol: Protocol;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** True where the transport retransmits by itself (TCP, WebSocket). */
  readonly reliable: boolean;
  readonly closed: boolean;
  /** Why a connection is closed, once it is: a `FlowError` (see listener.ts). */
  readonly closeError?: Error | undefined;
  /** A connection that was dialled, and stands: it may be dead without our knowing, and could be dialled again. */
  readonly standing?: boolean;
  /** Closes a connection that was dialled, unless something has come over it since `since`, on the clock's scale. */
  doubt?(since: number): void;
  /** Sends `text` (latin1, one octet per character). `onError` is called at most once, never synchronously. */
  send(text: string, onError?: (error: Error) => void): void;
}
