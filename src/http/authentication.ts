import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Account, type ApiToken, actorOfAccount } from '../domain/account.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { Session } from '../services/sign-in.ts';
import { cookieOf, dropCookie } from './cookies.ts';
import type { HttpServices } from './ports.ts';
import { CONFIGURED_TOKEN, type Principal, setPrincipal } from './principal.ts';
import { refuse, sendProblem, statusProblem } from './problem.ts';
import { type MinuteCounts, refuseWaiting, sourceOf } from './rate-limit.ts';
import { isMeant, refuseUnmeant } from './same-origin.ts';

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Takes as long for a wrong token as for the right one, whatever their lengths. */
function isSame(token: string, expected: Buffer): boolean {
  return timingSafeEqual(digest(token), expected);
}

export interface AuthenticationOptions {
  readonly adminToken: string;
  readonly failed: MinuteCounts;
  readonly services: Pick<HttpServices, 'signIn' | 'accounts' | 'apiTokens'>;
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
  const known = (request: FastifyRequest, text: string): boolean => {
    const find = (): Principal | undefined => principalOfToken(text);
    const principal = find();
    if (principal) setPrincipal(request, { principal, find });
    return principal !== undefined;
  };
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const cookie = cookieOf(request);
    if (request.headers.authorization === undefined && cookie !== undefined) {
      const session = await services.signIn.session(cookie);
      return bySession({ request, reply, cookie, session }, services);
    }
    const source = sourceOf(request);
    const refused = refuseWaiting(failed, source, reply);
    if (refused) return refused;
    const [, given] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (given !== undefined && known(request, given)) return undefined;
    if (given !== undefined) failed.count(source);
    return unauthenticated(reply, given === undefined ? '' : ', error="invalid_token"');
  };
}

interface BySession {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly cookie: string;
  readonly session: Session | undefined | Refusal;
}

function bySession(
  { request, reply, cookie, session }: BySession,
  { accounts, signIn }: Pick<HttpServices, 'accounts' | 'signIn'>,
): FastifyReply | undefined {
  if (isRefusal(session)) return refuse(reply, session);
  if (session === undefined) {
    dropCookie(request, reply);
    return unauthenticated(reply, '');
  }
  if (!isMeant(request, session.csrf)) return refuseUnmeant(reply);
  setPrincipal(request, {
    principal: accountPrincipal(session.account),
    find: () => asItIsNow(session.account, accounts),
    lasts: () => signIn.lasts(cookie),
  });
  return undefined;
}

/** Undefined: the account is gone or disabled, or has another password. */
function asItIsNow(
  { id, passwordHash }: Account,
  accounts: Pick<HttpServices['accounts'], 'get'>,
): Principal | undefined {
  const now = accounts.get(id);
  if (isRefusal(now) || now.disabled || now.passwordHash !== passwordHash) return undefined;
  return accountPrincipal(now);
}

function unauthenticated(reply: FastifyReply, error: string): FastifyReply {
  reply.header('www-authenticate', `Bearer realm="hotdesk"${error}`);
  return sendProblem(reply, statusProblem(401, 'Sign in, or send a bearer token.'));
}

/** What an account may do, as it is now. */
function accountPrincipal(account: Account): Principal {
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
