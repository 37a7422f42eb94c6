import type { SanityLimits } from '../message/sanity.ts';
import { DEFAULT_SANITY_LIMITS } from '../message/sanity.ts';

/** Bounds of the transport layer; times in milliseconds. */
export interface TransportLimits extends SanityLimits {
  /** Largest message, head and body. */
  maxMessageBytes: number;
  /** TCP and WebSocket connections, in all and from one address. Of a full table the one idle for longest, over 5 s, makes room for a new one. */
  maxConnections: number;
  maxConnectionsPerAddress: number;
  /** A connection whose peer does not read is closed at this many unsent octets. */
  maxUnsentBytes: number;
  connectMs: number;
  /** Until an accepted connection has become a WebSocket. */
  handshakeMs: number;
  /** Without an octet from a WebSocket, until it is pinged; and from there until it is given up. */
  pingMs: number;
  pongMs: number;
  /** Until the first sane message of an accepted connection. */
  firstMessageMs: number;
  /** Until the rest of a message that has begun. */
  halfMessageMs: number;
  /** Without any traffic but WebSocket pings. Longer than a registration lasts, since a phone may rely on its connection that long. */
  idleMs: number;
  /** Asked for as send and receive buffer of UDP sockets; the kernel may give less. */
  socketBufferBytes: number;
}

export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  ...DEFAULT_SANITY_LIMITS,
  maxMessageBytes: 65_535,
  maxConnections: 4_000,
  maxConnectionsPerAddress: 1_000,
  maxUnsentBytes: 1_048_576,
  connectMs: 10_000,
  handshakeMs: 10_000,
  pingMs: 30_000,
  pongMs: 10_000,
  firstMessageMs: 30_000,
  halfMessageMs: 15_000,
  idleMs: 7_200_000,
  socketBufferBytes: 8_388_608,
};
