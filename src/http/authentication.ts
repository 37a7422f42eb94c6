import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Account, type ApiToken, actorOfAccount } from '../domain/account.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { Session } from '../services/sign-in.ts';
import { sessionCookie, setSessionCookie } from './cookies.ts';
import type { HttpServices } from './ports.ts';
import { CONFIGURED_TOKEN, type Principal, setPrincipal } from './principal.ts';
import { refuse, sendProblem, statusProblem } from './problem.ts';
import { isMeant, refuseUnmeant } from './same-origin.ts';

const WINDOW_MS = 60_000;
const FAILURES_PER_WINDOW = 20;
const MAX_SOURCES = 1_000;

/** Counts wrong tokens per source address, in windows of a minute. Bounded: the oldest source is forgotten first. */
export class FailedTokens {
  readonly #sources = new Map<string, { since: number; count: number }>();
  readonly #now: () => number;

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#sources.size;
  }

  /** Seconds this source must wait, or 0. */
  waitOf(source: string): number {
    const entry = this.#sources.get(source);
    const left = entry === undefined ? 0 : entry.since + WINDOW_MS - this.#now();
    return entry !== undefined && entry.count >= FAILURES_PER_WINDOW && left > 0 ? Math.ceil(left / 1000) : 0;
  }

  count(source: string): void {
    const now = this.#now();
    const entry = this.#sources.get(source);
    if (entry !== undefined && now - entry.since < WINDOW_MS) {
      entry.count += 1;
      return;
    }
    this.#sources.delete(source);
    const [oldest] = this.#sources.keys();
    if (oldest !== undefined && this.#sources.size >= MAX_SOURCES) this.#sources.delete(oldest);
    this.#sources.set(source, { since: now, count: 1 });
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Takes as long for a wrong token as for the right one, whatever their lengths. */
function isSame(token: string, expected: Buffer): boolean {
  return timingSafeEqual(digest(token), expected);
}

export interface AuthenticationOptions {
  readonly adminToken: string;
  readonly failed: FailedTokens;
  readonly services: Pick<HttpServices, 'signIn' | 'apiTokens'>;
}

/**
 * A hook that lets nobody through unknown: by a bearer token (RFC 6750), the configured one or one made here, or by the
 * session of a browser. A source with too many wrong tokens gets 429 for the rest of the minute, also with a right one:
 * otherwise guessing would go on behind the limit.
 */
export function authenticate({ adminToken, failed, services }: AuthenticationOptions) {
  const expected = digest(adminToken);
  const principalOfToken = (text: string): Principal | undefined => {
    if (isSame(text, expected)) return CONFIGURED_TOKEN;
    const token = services.apiTokens.find(text);
    return token && tokenPrincipal(token);
  };
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const cookie = sessionCookie(request);
    if (request.headers.authorization === undefined && cookie !== undefined)
      return bySession(request, reply, await services.signIn.session(cookie));
    const wait = failed.waitOf(request.ip);
    if (wait > 0) return sendProblem(reply.header('retry-after', String(wait)), statusProblem(429));
    const [, given] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const principal = given === undefined ? undefined : principalOfToken(given);
    if (principal) return void setPrincipal(request, principal);
    if (given !== undefined) failed.count(request.ip);
    return unauthenticated(reply, given === undefined ? '' : ', error="invalid_token"');
  };
}

function bySession(
  request: FastifyRequest,
  reply: FastifyReply,
  session: Session | undefined | Refusal,
): FastifyReply | undefined {
  if (isRefusal(session)) return refuse(reply, session);
  if (session === undefined) {
    setSessionCookie(request, reply, undefined);
    return unauthenticated(reply, '');
  }
  if (!isMeant(request, session.csrf)) return refuseUnmeant(reply);
  setPrincipal(request, accountPrincipal(session.account));
  return undefined;
}

function unauthenticated(reply: FastifyReply, error: string): FastifyReply {
  reply.header('www-authenticate', `Bearer realm="hotdesk"${error}`);
  return sendProblem(reply, statusProblem(401, 'Sign in, or send a bearer token.'));
}

/** What an account may do, as it is now. */
export function accountPrincipal(account: Account): Principal {
  const { id, role, sites, extension } = account;
  const hasAll = role === 'administrator' || (role === 'readOnly' && sites === undefined);
  return {
    ...{ kind: 'account', actor: actorOfAccount(account), role, account: id },
    sites: hasAll ? 'all' : new Set(sites),
    ...(role === 'user' && extension !== undefined && { extension }),
  };
}

function tokenPrincipal({ id, sites, scopes }: ApiToken): Principal {
  return {
    ...{ kind: 'token', actor: `token:${id}`, scopes: new Set(scopes) },
    role: sites === undefined ? 'administrator' : 'siteAdministrator',
    sites: sites === undefined ? 'all' : new Set(sites),
  };
}
