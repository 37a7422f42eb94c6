import { createConnection } from 'node:net';

/** `up`: answers; `loading`: alive, reads its file; `silent`: accepts but does not answer; `absent`: nobody listens. */
export type Pulse = 'up' | 'loading' | 'silent' | 'absent';

/** Asks a Redis on a unix socket for a sign of life. */
export async function ping(socketPath: string, timeoutMs = 1000): Promise<Pulse> {
  const answer = await ask(socketPath, 'PING', timeoutMs);
  if (answer === undefined) return 'absent';
  if (answer.startsWith('+PONG')) return 'up';
  return answer.startsWith('-LOADING') ? 'loading' : 'silent';
}

/**
 * Sends one inline command and reads the start of the answer: `''` when none came in time, undefined when nobody
 * listens at the socket.
 */
export function ask(socketPath: string, command: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(socketPath);
    let connected = false;
    const finish = (answer: string | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => finish(connected ? '' : undefined));
    socket.on('connect', () => {
      connected = true;
      socket.write(`${command}\r\n`);
    });
    socket.on('data', (data) => finish(data.toString('latin1')));
    socket.on('error', () => finish(connected ? '' : undefined));
    socket.on('close', () => finish(connected ? '' : undefined));
  });
}
