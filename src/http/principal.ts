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

interface Known {
  readonly principal: Principal;
  /** As they are now; undefined: they may do nothing any more. */
  readonly find: () => Principal | undefined;
  /** Whether they are still signed in. Absent: nothing but `find` can end it. */
  readonly lasts?: () => Promise<boolean>;
}

const known = new WeakMap<FastifyRequest, Known>();

/** Authentication says who it is, once; `find` and `lasts` say it again, for what goes on for long. */
export function setPrincipal(request: FastifyRequest, who: Known): void {
  known.set(request, who);
}

/** @throws TypeError where nobody has authenticated: such a route must not ask */
export function principalOf(request: FastifyRequest): Principal {
  return knownOf(request).principal;
}

/** As they are now: another role, other sites; undefined: nobody any more. @throws TypeError as `principalOf` */
export function principalNow(request: FastifyRequest): Principal | undefined {
  return knownOf(request).find();
}

/** From now on they are who they are now; as `principalNow`. */
export function renewPrincipal(request: FastifyRequest): Principal | undefined {
  const before = knownOf(request);
  const principal = before.find();
  if (principal) known.set(request, { ...before, principal });
  return principal;
}

/** Whether they are still signed in, here or anywhere. @throws TypeError as `principalOf` */
export async function isStillSignedIn(request: FastifyRequest): Promise<boolean> {
  return (await knownOf(request).lasts?.()) ?? true;
}

/** The same for all that one account or token asks. */
export function keyOf({ kind, account, actor }: Principal): string {
  return `${kind}:${account ?? actor}`;
}

function knownOf(request: FastifyRequest): Known {
  const found = known.get(request);
  if (found === undefined) throw new TypeError('Nobody has authenticated');
  return found;
}

/** Whom the change log names. */
export function actorOf(request: FastifyRequest): string {
  return principalOf(request).actor;
}
