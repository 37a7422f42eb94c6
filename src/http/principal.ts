import type { FastifyRequest } from 'fastify';
import type { Role, Scope } from '../domain/account.ts';

export { ROLES, type Role, SCOPES, type Scope } from '../domain/account.ts';

/** On whose behalf a request comes. */
export interface Principal {
  readonly kind: 'account' | 'token';
  /** Whom the change log names: `admin:<name>`, `user:<extension>`, `token:<id>`. */
  readonly actor: string;
  readonly role: Role;
  readonly sites: 'all' | ReadonlySet<string>;
  /** Of the person whose account it is. */
  readonly extension?: string;
  /** Id of the account, when somebody has signed in. */
  readonly account?: string;
  /** Absent: whatever the role may. */
  readonly scopes?: ReadonlySet<Scope>;
}

/** Whoever has the configured bearer token. */
export const CONFIGURED_TOKEN: Principal = {
  kind: 'token',
  actor: 'admin:api',
  role: 'administrator',
  sites: 'all',
};

const known = new WeakMap<FastifyRequest, Principal>();

/** Authentication says who it is, once. */
export function setPrincipal(request: FastifyRequest, principal: Principal): void {
  known.set(request, principal);
}

/** @throws TypeError where nobody has authenticated: such a route must not ask */
export function principalOf(request: FastifyRequest): Principal {
  const principal = known.get(request);
  if (principal === undefined) throw new TypeError('Nobody has authenticated');
  return principal;
}

/** Whom the change log names. */
export function actorOf(request: FastifyRequest): string {
  return principalOf(request).actor;
}
