import { once } from 'node:events';
import { isIPv6, type Server } from 'node:net';
import type { Clock } from '../clock.ts';
import type { ConnectionEvents, ConnectionTable } from './connections.ts';
import type { TransportLimits } from './limits.ts';
import type { ListenAddress } from './listener.ts';

/** What a listener needs whose peers come by connections. */
export interface ServerSocketOptions {
  config: ListenAddress;
  limits: TransportLimits;
  clock: Clock;
  connections: ConnectionTable;
  events: ConnectionEvents;
  onError: (error: Error) => void;
}

/** Connections that wait to be accepted, at most. */
const BACKLOG = 1024;

/** Binds a server (net's, or http's on top of it); its port. Rejects with the system's error if that fails. */
export async function bind(
  server: Server,
  { config: { host, port }, onError }: Pick<ServerSocketOptions, 'config' | 'onError'>,
): Promise<number> {
  server.listen({ host, port, ipv6Only: isIPv6(host), backlog: BACKLOG });
  await once(server, 'listening');
  server.on('error', onError);
  const address = server.address();
  return address !== null && typeof address !== 'string' ? address.port : port;
}

/** Resolves when nothing listens there any more; its connections must have been ended. */
export async function unbind(server: Server | undefined): Promise<void> {
  if (server === undefined || !server.listening) return;
  const closed = once(server, 'close');
  server.close();
  await closed;
}
