import { join, resolve } from 'node:path';

/** Files of a private Redis, all in its own folder. */
export interface Folder {
  readonly path: string;
  readonly socket: string;
  readonly pidFile: string;
  /** Held by the Hotdesk process that owns the folder. */
  readonly ownerSocket: string;
  /** Names the parts of the append-only file; by Redis' defaults. */
  readonly manifest: string;
}

/** Longest path of a unix socket on Linux, bytes without the final zero (unix(7)). */
const LONGEST_SOCKET_PATH = 107;

/** @throws Error with a sentence for the operator when the path is too long for a unix socket */
export function describeFolder(relative: string): Folder {
  const path = resolve(relative);
  const folder = {
    path,
    socket: join(path, 'redis.sock'),
    pidFile: join(path, 'redis.pid'),
    ownerSocket: join(path, 'owner.sock'),
    manifest: join(path, 'appendonlydir', 'appendonly.aof.manifest'),
  };
  if (Buffer.byteLength(folder.socket) > LONGEST_SOCKET_PATH) {
    throw new Error(
      `The data folder's path is too long for a unix socket: choose a shorter one than ${path}`,
    );
  }
  return folder;
}

/** Configuration for `redis-server -`: reachable by its folder only, and every acknowledged write is on disk. */
export function redisConfig(folder: Folder): string {
  const lines: readonly (readonly string[])[] = [
    ['port', '0'],
    ['unixsocket', folder.socket],
    ['unixsocketperm', '700'],
    ['dir', folder.path],
    ['pidfile', folder.pidFile],
    ['daemonize', 'no'],
    ['save', ''],
    ['appendonly', 'yes'],
    ['appendfsync', 'always'],
    ['no-appendfsync-on-rewrite', 'no'],
    ['aof-load-truncated', 'yes'],
    ['maxmemory-policy', 'noeviction'],
    ['rename-command', 'FLUSHALL', ''],
    ['rename-command', 'FLUSHDB', ''],
    ['rename-command', 'DEBUG', ''],
  ];
  return lines
    .map(([name, ...values]) => [name, ...values.map(quote)].join(' '))
    .join('\n')
    .concat('\n');
}

/** Redis reads double quotes with backslash escapes, as JSON writes them for everything a path may hold. */
function quote(value: string): string {
  return JSON.stringify(value);
}
