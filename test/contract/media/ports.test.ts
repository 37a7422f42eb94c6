import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { PortPool } from '../../../src/media/worker/ports.ts';
import { eventually } from '../../support/wait.ts';

/** Ports of calls, real ones. */

const ADDRESS = '127.0.0.1';
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) await new Promise<void>((resolve) => socket.close(() => resolve()));
});

async function occupied(): Promise<number> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.bind(0, ADDRESS);
  await once(socket, 'listening');
  return socket.address().port;
}

test('a port that somebody else has costs nothing', async () => {
  let port = await occupied();
  while (port % 2 === 1) port = await occupied();
  const pool = new PortPool(ADDRESS, { from: port, to: port });
  const open = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWrap').length;
  const before = open();
  for (let i = 0; i < 5; i++) expect(await pool.take()).toBeUndefined();
  await eventually('nothing is left', () => open() === before);
});

test('the last ports are for urgent calls', async () => {
  const from = 39_100;
  const pool = new PortPool(ADDRESS, { from, to: from + 31, reserves: true });
  const take = async (urgent: boolean): Promise<boolean> => {
    const socket = await pool.take(urgent);
    if (socket) sockets.push(socket);
    return socket !== undefined;
  };
  const taken: boolean[] = [];
  for (let i = 0; i < 15; i++) taken.push(await take(false));
  expect(taken).toEqual([...new Array<boolean>(14).fill(true), false]);
  expect([await take(true), await take(true), await take(true)]).toEqual([true, true, false]);
});
