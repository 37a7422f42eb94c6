import type { FastifyReply, FastifyRequest } from 'fastify';

/** What a page may do beyond what all may. */
export interface PageNeeds {
  /** Where it may connect to besides this server, such as `wss://phones.example`. */
  readonly connect?: readonly string[];
  readonly microphone?: boolean;
}

/** Scripts, styles and everything else from files of this server alone, nothing inline, and in nobody's frame. */
function contentSecurityPolicy({ connect = [] }: PageNeeds): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    ["connect-src 'self'", ...connect].join(' '),
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
}

function permissionsPolicy({ microphone = false }: PageNeeds): string {
  return `camera=(), geolocation=(), microphone=(${microphone ? 'self' : ''}), payment=()`;
}

/** Of a page that needs more than others; they stand in place of what every answer has. */
export function pageHeaders(needs: PageNeeds): Readonly<Record<string, string>> {
  return {
    'content-security-policy': contentSecurityPolicy(needs),
    'permissions-policy': permissionsPolicy(needs),
  };
}

/** On every answer. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  ...pageHeaders({}),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
const A_YEAR_OF_TLS = 'max-age=31536000';

/** A hook. What may be cached says so itself, later. */
export function harden({ protocol }: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.headers(SECURITY_HEADERS);
  if (protocol === 'https') reply.header('strict-transport-security', A_YEAR_OF_TLS);
  done();
}
