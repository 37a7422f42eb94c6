import type { ChangeEvent } from '../domain/association.ts';
import type { Directory, Host, User } from '../domain/directory.ts';
import type { Order } from '../domain/order.ts';
import type { View } from '../domain/view.ts';
import type { Principal, Role, Scope } from './principal.ts';

/**
 * Who may do what, in one table. `own`: a site administrator and who may only read, at their sites; a user, of
 * themselves. `all`: whatever it is about. A role that is not named may not; an administrator may always.
 */
interface Rule {
  readonly siteAdministrator?: 'all' | 'own';
  readonly readOnly?: 'all' | 'own';
  readonly user?: 'all' | 'own';
  /** What a token needs; `never`: not by a token with scopes. */
  readonly scope: Scope | 'never';
  /** What a user may name in the body; absent: everything the schema takes. */
  readonly userFields?: readonly string[];
}

/** What a route is about, by its path. */
export type Subject =
  | { readonly kind: 'none' }
  | { readonly kind: 'host'; readonly id: string }
  | { readonly kind: 'user'; readonly id: string }
  | { readonly kind: 'site'; readonly id: string };

const EVERYBODY = { siteAdministrator: 'all', readOnly: 'all', user: 'all', scope: 'read' } as const;
/** Lists show each what they may see. */
const ROWS = { siteAdministrator: 'own', readOnly: 'own', scope: 'read' } as const;
const OWN = { ...ROWS, user: 'own' } as const;
const PHONES = { siteAdministrator: 'own', scope: 'phones' } as const;
const PEOPLE = { siteAdministrator: 'own', scope: 'people' } as const;
const ADMINISTRATOR = { scope: 'write' } as const;
const ACCOUNTS = { scope: 'never' } as const;
const ONESELF = { ...EVERYBODY, scope: 'never' } as const;

/** By method and route. A route that is not here is refused to everybody. */
export const POLICY: Readonly<Record<string, Rule>> = {
  'GET /api/v1/company': EVERYBODY,
  'PATCH /api/v1/company': ADMINISTRATOR,
  'GET /api/v1/company/licences': { siteAdministrator: 'all', readOnly: 'all', scope: 'read' },

  'GET /api/v1/hosts': OWN,
  'GET /api/v1/hosts/:id': OWN,
  'PATCH /api/v1/hosts/:id': {
    ...PHONES,
    user: 'own',
    userFields: ['enabled', 'associationLimitHours', 'accessLevel', 'release', 'generation'],
  },
  'POST /api/v1/hosts': PHONES,
  'DELETE /api/v1/hosts/:id': PHONES,
  'POST /api/v1/hosts/:id/unassign': PHONES,
  'POST /api/v1/hosts/:id/convert': PHONES,
  'POST /api/v1/hosts/:id/assign': PHONES,
  'POST /api/v1/hosts/:id/address/verification': PHONES,
  'PUT /api/v1/hosts/:id/association': PHONES,
  'DELETE /api/v1/hosts/:id/association': { ...PHONES, user: 'own' },

  'GET /api/v1/users': OWN,
  'GET /api/v1/users/:extension': OWN,
  'PATCH /api/v1/users/:extension': PEOPLE,
  'POST /api/v1/users': PEOPLE,
  'POST /api/v1/users/import': PEOPLE,
  'DELETE /api/v1/users/:extension': PEOPLE,
  'POST /api/v1/users/:extension/unlock': PEOPLE,
  'PUT /api/v1/users/:extension/passcode': { ...PEOPLE, user: 'own' },
  'POST /api/v1/users/:extension/passcode': PEOPLE,
  'PATCH /api/v1/users/:extension/guest': { ...PEOPLE, user: 'own' },
  'PATCH /api/v1/users/:extension/calls': { ...PEOPLE, user: 'own', userFields: ['forwarding'] },
  'GET /api/v1/users/:extension/hosts': OWN,
  'PUT /api/v1/users/:extension/association': { ...PEOPLE, user: 'own' },
  'DELETE /api/v1/users/:extension/association': { ...PEOPLE, user: 'own' },

  'GET /api/v1/catalogue': { siteAdministrator: 'all', readOnly: 'all', scope: 'read' },
  'POST /api/v1/order-quotes': PHONES,
  'GET /api/v1/orders': ROWS,
  'POST /api/v1/orders': PHONES,
  'GET /api/v1/orders.csv': ROWS,
  'GET /api/v1/orders/:id': ROWS,
  'PATCH /api/v1/orders/:id': PHONES,
  'GET /api/v1/orders/:id.csv': ROWS,
  'POST /api/v1/orders/:id/phones': PHONES,

  'GET /api/v1/sites': ROWS,
  'GET /api/v1/sites/:id': ROWS,
  'POST /api/v1/sites': ADMINISTRATOR,
  'PATCH /api/v1/sites/:id': { siteAdministrator: 'own', scope: 'phones' },
  'DELETE /api/v1/sites/:id': ADMINISTRATOR,

  // With hashes and digests of everybody.
  'GET /api/v1/directory': ADMINISTRATOR,
  'PUT /api/v1/directory': ACCOUNTS,

  'GET /api/v1/webhooks': ADMINISTRATOR,
  'POST /api/v1/webhooks': ADMINISTRATOR,
  'GET /api/v1/webhooks/dead-letters': ADMINISTRATOR,
  'GET /api/v1/webhooks/:id': ADMINISTRATOR,
  'PATCH /api/v1/webhooks/:id': ADMINISTRATOR,
  'DELETE /api/v1/webhooks/:id': ADMINISTRATOR,
  'POST /api/v1/webhooks/:id/secret': ADMINISTRATOR,
  'POST /api/v1/webhooks/:id/test': ADMINISTRATOR,
  'GET /api/v1/webhooks/:id/deliveries': ADMINISTRATOR,
  'POST /api/v1/webhooks/:id/dead-letters/:letter/delivery': ADMINISTRATOR,

  'GET /api/v1/audit': ROWS,
  'GET /api/v1/audit/sessions': ROWS,
  'GET /api/v1/audit.csv': ROWS,
  'GET /api/v1/audit/sessions.csv': ROWS,
  'GET /api/v1/usage': ROWS,

  'GET /api/v1/events': OWN,

  'GET /api/v1/emergencies': ROWS,
  'POST /api/v1/emergencies/:id/acknowledgement': PHONES,

  'GET /api/v1/session': ONESELF,
  'DELETE /api/v1/session': ONESELF,
  'DELETE /api/v1/session/others': ONESELF,
  'PUT /api/v1/session/password': ONESELF,
  'POST /api/v1/session/totp': ONESELF,
  'PUT /api/v1/session/totp': ONESELF,
  'POST /api/v1/session/totp/removal': ONESELF,

  'GET /api/v1/sessions': ONESELF,
  'DELETE /api/v1/sessions/:id': ONESELF,

  'GET /api/v1/accounts': ACCOUNTS,
  'POST /api/v1/accounts': ACCOUNTS,
  'GET /api/v1/accounts/:id': ACCOUNTS,
  'PATCH /api/v1/accounts/:id': ACCOUNTS,
  'DELETE /api/v1/accounts/:id': ACCOUNTS,
  'POST /api/v1/accounts/:id/reset': ACCOUNTS,
  'DELETE /api/v1/accounts/:id/totp': ACCOUNTS,
  'DELETE /api/v1/accounts/:id/sessions': ACCOUNTS,

  'GET /api/v1/tokens': ACCOUNTS,
  'POST /api/v1/tokens': ACCOUNTS,
  'DELETE /api/v1/tokens/:id': ACCOUNTS,
};

/** What a route is about. `route`: as in the table, without its method. */
export function subjectOf(route: string, params: unknown): Subject {
  const { id = '', extension = '' } = (params ?? {}) as { readonly id?: string; readonly extension?: string };
  if (route.startsWith('/api/v1/hosts/:id')) return { kind: 'host', id };
  if (route.startsWith('/api/v1/users/:extension')) return { kind: 'user', id: extension };
  if (route.startsWith('/api/v1/sites/:id')) return { kind: 'site', id };
  return { kind: 'none' };
}

/** `hidden`: it is as if there were no such thing. */
export type Verdict = 'allowed' | 'forbidden' | 'hidden';

/** What the answer depends on besides the table. */
export type PolicyFacts = Pick<View, 'directory'>;

/** Whether this principal may use this route on what its path names. `route`: `METHOD /path` as in the table. */
export function decide(
  principal: Principal,
  { route, params }: { readonly route: string; readonly params: unknown },
  facts: PolicyFacts,
): Verdict {
  const rule = POLICY[route];
  if (!rule || !isInScope(principal, rule)) return 'forbidden';
  const reach = reachOf(principal.role, rule);
  if (reach === undefined) return 'forbidden';
  const subject = subjectOf(route.slice(route.indexOf(' ') + 1), params);
  return reach === 'all' || isOwn(principal, subject, facts) ? 'allowed' : 'hidden';
}

/** Whether a body names nothing that is not this principal's to set, and nobody that is not theirs to move. */
export function mayName(
  principal: Principal,
  { route, body }: { readonly route: string; readonly body: unknown },
  facts: PolicyFacts,
): boolean {
  if (typeof body !== 'object' || body === null) return true;
  const { userFields } = POLICY[route] ?? {};
  if (principal.role === 'user')
    return userFields === undefined || Object.keys(body).every((name) => userFields.includes(name));
  return principal.role === 'administrator' || areNamedOwn(principal, body, facts);
}

type Named = Readonly<
  Record<'guest' | 'host' | 'site' | 'owner' | 'mailbox' | 'emergencyContacts' | 'items', unknown>
>;

/**
 * Whom else a change is about: the guest put at a host, the host a guest is put at, the site something moves to, whose
 * voicemail is heard, who is told of emergency calls.
 */
function areNamedOwn(principal: Principal, body: object, facts: PolicyFacts): boolean {
  const { guest, host, site, owner, mailbox, emergencyContacts, items } = body as Named;
  const { directory } = facts;
  const { phones = [] } = (emergencyContacts ?? {}) as { readonly phones?: readonly unknown[] };
  const isOurs = (kind: 'user' | 'host', id: unknown): boolean => {
    const found = directory && (kind === 'user' ? directory.users : directory.hosts).get(String(id));
    // What is not there is refused by whoever looks for it.
    return found === undefined || isOwn(principal, { kind, id: String(id) }, facts);
  };
  return (
    (guest === undefined || isOurs('user', guest)) &&
    (owner == null || isOurs('user', owner)) &&
    (host === undefined || isOurs('host', host)) &&
    (mailbox == null || isOurs('user', mailbox)) &&
    phones.every((phone) => isOurs('host', phone) && isOurs('user', phone)) &&
    (typeof site !== 'string' || isAtOwnSite(principal, site)) &&
    (!Array.isArray(items) || items.every((item) => areNamedOwn(principal, Object(item), facts)))
  );
}

function isInScope({ scopes }: Principal, { scope }: Rule): boolean {
  if (scopes === undefined) return true;
  if (scope === 'never') return false;
  return scopes.has(scope) || scopes.has('write');
}

function reachOf(role: Role, rule: Rule): 'all' | 'own' | undefined {
  return role === 'administrator' ? 'all' : rule[role];
}

function isOwn(principal: Principal, subject: Subject, facts: PolicyFacts): boolean {
  const { directory } = facts;
  switch (subject.kind) {
    case 'none':
      return true;
    case 'host': {
      const host = directory?.hosts.get(subject.id);
      return host !== undefined && maySeeHost(principal, host);
    }
    case 'user': {
      const user = directory?.users.get(subject.id);
      return user !== undefined && maySeeUser(principal, user);
    }
    case 'site':
      return maySeeSite(principal, subject.id);
  }
}

/** Whether this host is one of theirs: at their sites, or their own phone. */
export function maySeeHost(principal: Principal, host: Host): boolean {
  if (principal.role === 'user') return host.owner !== undefined && host.owner === principal.extension;
  return isAtOwnSite(principal, host.site);
}

/** Whether this person is one of theirs: at their sites, or themselves. */
export function maySeeUser(principal: Principal, user: User): boolean {
  if (principal.role === 'user') return user.extension === principal.extension;
  return isAtOwnSite(principal, user.site);
}

/** Undefined: what belongs to no site, for those who have all. */
export function maySeeSite(principal: Principal, site: string | undefined): boolean {
  return principal.role !== 'user' && isAtOwnSite(principal, site);
}

/** Whether an order is one of theirs: all that is in it is for their sites. */
export function maySeeOrder(principal: Principal, { sites }: Pick<Order, 'sites'>): boolean {
  return principal.role !== 'user' && sites.every((site) => isAtOwnSite(principal, site));
}

/** Whether a change is one of theirs to know of. */
export function maySeeEvent(
  principal: Principal,
  event: ChangeEvent,
  directory: Pick<Directory, 'hosts' | 'users'> | undefined,
): boolean {
  if (principal.role === 'user') return concernsPerson(event, principal.extension);
  if (principal.sites === 'all') return true;
  switch (event.kind) {
    case 'start':
    case 'end':
    case 'extend':
      return isAtOwnSite(principal, event.association.site);
    case 'emergency':
      return isAtOwnSite(principal, event.record.site);
    case 'notice': {
      const host = event.host === undefined ? undefined : directory?.hosts.get(event.host);
      const user = event.extension === undefined ? undefined : directory?.users.get(event.extension);
      return isAtOwnSite(principal, host?.site) || isAtOwnSite(principal, user?.site);
    }
    case 'order':
      return maySeeOrder(principal, event.facts);
    case 'directory':
      return false;
  }
}

/** Where somebody came from by logging in at one of their desks is theirs to know of when the desk or the person is. */
export function maySeeLeft(
  principal: Principal,
  { host, guest }: { readonly host: string; readonly guest: string },
  directory: Pick<Directory, 'hosts' | 'users'> | undefined,
): boolean {
  if (principal.role === 'user') return guest === principal.extension;
  const left = directory?.hosts.get(host);
  return isAtOwnSite(principal, left?.site) || isAtOwnSite(principal, directory?.users.get(guest)?.site);
}

/** A change without what in it is not theirs to know of. */
export function asSeenBy(
  principal: Principal,
  event: ChangeEvent,
  directory: Pick<Directory, 'hosts' | 'users'> | undefined,
): ChangeEvent {
  if (event.kind !== 'start' || event.previousHost === undefined) return event;
  const left = { host: event.previousHost, guest: event.association.guest };
  return maySeeLeft(principal, left, directory) ? event : { ...event, previousHost: undefined };
}

function concernsPerson(event: ChangeEvent, extension: string | undefined): boolean {
  if (extension === undefined) return false;
  if (event.kind === 'notice') return event.extension === extension;
  return 'association' in event && event.association.guest === extension;
}

function isAtOwnSite({ sites }: Principal, site: string | undefined): boolean {
  return sites === 'all' || (site !== undefined && sites.has(site));
}
