import { stat, unlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ask } from './ping.ts';

/** How long another starter may need between finding our predecessor dead and removing its socket. */
const SETTLE_MS = 50;

/**
 * Makes this process the owner of a folder until `release`. The lock is a listening socket: it ends with the process,
 * however that dies, and unlike a pid it cannot be taken over by a stranger. It also holds between containers that
 * share the folder.
 * @throws Error with a sentence for the operator when another process owns it
 */
export async function lockFolder(socketPath: string): Promise<{ release(): Promise<void> }> {
  const owned = () => new Error(`Another Hotdesk already uses this data folder (${socketPath} is in use)`);
  if ((await ask(socketPath, '', 1000)) !== undefined) throw owned();
  await unlink(socketPath).catch(() => undefined);
  const server = await listen(socketPath).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? owned() : error;
  });
  const ours = (await stat(socketPath)).ino;
  await delay(SETTLE_MS);
  // Two starters may both have found the same dead socket: the one whose socket was removed has lost.
  const now = await stat(socketPath).catch(() => undefined);
  if (now?.ino !== ours) throw owned();
  return { release: () => close(server) };
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      // Read to its end, or the connection and with it our release would wait for ever.
      socket.resume().end('hotdesk\n');
    });
    // The lock alone is no reason for the process to stay.
    server.unref();
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
