import type { Server } from 'node:http';
import { BlockList, isIPv4, isIPv6, type Socket } from 'node:net';
import type { HttpLog } from './ports.ts';
import { sourceOf } from './rate-limit.ts';

/** Of all sources together. */
const MOST = 1_000;
/** ms between two lines of the log. */
const TELL_EVERY_MS = 60_000;

export interface ConnectionsOptions {
  /** Connections one source may have open. */
  readonly perSource: number;
  /** Behind a proxy one address is everybody. */
  readonly trustedProxies: readonly string[];
  readonly log: HttpLog;
  /** Milliseconds of any clock that only goes forward. */
  readonly now: () => number;
}

/** Leaves room for others whatever one source does: what it opens beyond its share is closed at once. */
export function boundConnections(server: Server, options: ConnectionsOptions): void {
  const { perSource, log, now } = options;
  const proxies = listOf(options.trustedProxies);
  const open = new Map<string, number>();
  let toldAt = Number.NEGATIVE_INFINITY;
  server.maxConnections = MOST;
  server.on('connection', (socket: Socket) => {
    const ip = socket.remoteAddress;
    if (ip === undefined) return socket.destroy();
    if (proxies.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4')) return;
    const source = sourceOf({ ip });
    const count = open.get(source) ?? 0;
    if (count >= perSource) {
      socket.destroy();
      if (now() - toldAt < TELL_EVERY_MS) return;
      toldAt = now();
      return log.warn({ source, perSource }, 'one address has as many HTTP connections as it may');
    }
    open.set(source, count + 1);
    socket.once('close', () => {
      const left = (open.get(source) ?? 1) - 1;
      if (left > 0) open.set(source, left);
      else open.delete(source);
    });
  });
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
