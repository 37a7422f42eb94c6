import type { FastifyReply, FastifyRequest } from 'fastify';

/** Scripts, styles and everything else from this server alone, nothing inline, and in nobody's frame. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** On every answer. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // The phone in the browser listens and speaks.
  'permissions-policy': 'camera=(), geolocation=(), microphone=(self)',
  'cache-control': 'no-store',
};
const A_YEAR_OF_TLS = 'max-age=31536000';

/** A hook. What may be cached says so itself, later. */
export function harden({ protocol }: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.headers(SECURITY_HEADERS);
  if (protocol === 'https') reply.header('strict-transport-security', A_YEAR_OF_TLS);
  done();
}
