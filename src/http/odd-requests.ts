import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { rawProblem, sendProblem, statusProblem } from './problem.ts';

/** Requests that are answered before there is a route: what node would answer by itself would be no problem. */

/** Bytes that are no HTTP, or too many of them. */
export function clientError(error: NodeJS.ErrnoException, socket: Socket): void {
  const status = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }[error.code ?? ''] ?? 400;
  if (error.code === 'ECONNRESET') socket.destroy();
  else lastWord(socket, status);
}

/** Expectations we do not know (RFC 9110 10.1.1), and CONNECT: we are nobody's proxy. */
export function refuseOdd(server: Server): void {
  server.on('checkExpectation', ({ socket }) => lastWord(socket, 417));
  server.on('connect', (_request, socket) => {
    // Node has let go of it: nobody else hears when the other side is gone, and what nobody hears ends the process.
    socket.on('error', () => undefined);
    lastWord(socket as Socket, 405);
  });
}

/** Not when the other side closes as well: it need not. */
function lastWord(socket: Socket, status: number): void {
  if (socket.writable) socket.write(rawProblem(status));
  socket.destroySoon();
}

/** A hook: exactly one Host, as RFC 9112 3.2 wants it; which of two counts others may see in another way. */
export async function requireHost(
  { raw: { httpVersion, rawHeaders } }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts === 1 || (hosts === 0 && httpVersion !== '1.1')) return undefined;
  return sendProblem(reply, statusProblem(400, 'A request names one host, once.'));
}
