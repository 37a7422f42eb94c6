import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** The cookies (RFC 6265, and the prefix of 6265bis that keeps other hosts from setting them). */

/** What a cookie is for: a session, or a sign-in at an identity provider that is under way. */
export type CookieUse = 'session' | 'provider';

const NAMES = { session: 'hotdesk', provider: 'hotdesk-provider' } as const;
/** The way back from an identity provider begins at another site. */
const SAME_SITE = { session: 'strict', provider: 'lax' } as const;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** Only for who sits at this machine may a cookie go in clear; any browser elsewhere must come over TLS. */
function isPlain({ protocol, headers }: FastifyRequest): boolean {
  return protocol === 'http' && LOOPBACK.test(headers.host ?? '');
}

function nameOf(request: FastifyRequest, use: CookieUse): string {
  return isPlain(request) ? NAMES[use] : `__Host-${NAMES[use]}`;
}

function settings(request: FastifyRequest, use: CookieUse): CookieSerializeOptions {
  return { path: '/', httpOnly: true, sameSite: SAME_SITE[use], secure: !isPlain(request) };
}

/** What the browser was given; of a session, the id it thinks it has. */
export function cookieOf(request: FastifyRequest, use: CookieUse = 'session'): string | undefined {
  return request.cookies[nameOf(request, use)];
}

/** It lasts as long as the browser runs; the server knows when it ends. */
export function setCookie(
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  value: string,
  use: CookieUse = 'session',
): void {
  reply.setCookie(nameOf(request, use), value, settings(request, use));
}

/** The browser forgets it. */
export function dropCookie(request: FastifyRequest, reply: FastifyReply, use: CookieUse = 'session'): void {
  reply.setCookie(nameOf(request, use), '', { ...settings(request, use), maxAge: 0 });
}
