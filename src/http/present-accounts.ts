import type { z } from 'zod';
import type { Account, ApiToken } from '../domain/account.ts';
import type { Directory } from '../domain/directory.ts';
import type { Link } from '../services/accounts.ts';
import type * as schemas from './account-schemas.ts';

/** An account as whoever has it sees it: no hash, no secret. */
export function presentSelf(account: Account): z.output<typeof schemas.signedIn>['account'] {
  const { id, name, email, role, sites, extension, totp } = account;
  return {
    ...{ id, name, email, role },
    sites: sites ? [...sites] : null,
    extension: extension ?? null,
    totp: totp?.confirmed === true,
  };
}

/** The site of whoever's account it is: of the sites a person may see this, and no more of it. */
export function presentOwnSite(
  { extension }: Account,
  directory: Pick<Directory, 'users' | 'sites'> | undefined,
): z.output<typeof schemas.session>['site'] {
  const user = extension === undefined ? undefined : directory?.users.get(extension);
  const site = user && directory?.sites.get(user.site);
  return site ? { id: site.id, name: site.name, timeZone: site.timeZone } : null;
}

/** An account as an administrator sees it. */
export function presentAccount(account: Account): z.output<typeof schemas.account> {
  const { disabled, passwordHash, link, subject } = account;
  return {
    ...presentSelf(account),
    subject: subject ?? null,
    disabled,
    hasPassword: passwordHash !== undefined,
    linkExpiresAt: link ? new Date(link.expiresAt).toISOString() : null,
  };
}

/** Behind `#`: what stands there is sent to no server and written to no log. */
export function presentLink({ token, expiresAt }: Link): z.output<typeof schemas.link> {
  return { token, path: `/password#${token}`, expiresAt: new Date(expiresAt).toISOString() };
}

export function presentToken(token: ApiToken): z.output<typeof schemas.apiToken> {
  const { id, name, scopes, sites, expiresAt, createdAt, createdBy } = token;
  return {
    ...{ id, name, createdBy, scopes: [...scopes] },
    sites: sites ? [...sites] : null,
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
    createdAt: new Date(createdAt).toISOString(),
  };
}
