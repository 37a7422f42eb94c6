import type { FastifyReply, FastifyRequest } from 'fastify';

/** The session's cookie (RFC 6265, and the prefix of 6265bis that keeps other hosts from setting it). */

const SECURE_NAME = '__Host-hotdesk';
const PLAIN_NAME = 'hotdesk';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** Only for who sits at this machine may the cookie go in clear; any browser elsewhere must come over TLS. */
function isPlain({ protocol, headers }: FastifyRequest): boolean {
  return protocol === 'http' && LOOPBACK.test(headers.host ?? '');
}

/** Id of the session the browser thinks it has. */
export function sessionCookie(request: FastifyRequest): string | undefined {
  const name = isPlain(request) ? PLAIN_NAME : SECURE_NAME;
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

/** Undefined: the browser forgets it. It lasts as long as the browser runs; the server knows when it ends. */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, id: string | undefined): void {
  const isClear = isPlain(request);
  const parts = [
    `${isClear ? PLAIN_NAME : SECURE_NAME}=${id ?? ''}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Strict',
  ];
  if (!isClear) parts.push('Secure');
  if (id === undefined) parts.push('Max-Age=0');
  reply.header('set-cookie', parts.join('; '));
}
