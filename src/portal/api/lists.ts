import { ApiError, get } from './client.ts';
import type { AdministeredAccount, Host, Page, Site, SiteDetails, User } from './types.ts';

/** Lists of the API, a page at a time. */

/** Kinds with a tab of their own. */
export type ShownKind = 'commonArea' | 'user' | 'unassigned';

export interface HostQuery {
  readonly kind: ShownKind;
  readonly q: string;
  readonly site: string;
  /** '' for all. */
  readonly status: '' | 'free' | 'inUse';
  /** Extension. */
  readonly owner: string;
  readonly registered: '' | 'true' | 'false';
  /** `false`: has moved since anybody confirmed its address. */
  readonly verified: '' | 'true' | 'false';
  readonly sort: string;
  readonly limit: number;
  readonly cursor: string;
}

export interface UserQuery {
  readonly q: string;
  readonly site: string;
  readonly addOn: '' | 'host' | 'guest';
  readonly sort: string;
  readonly limit: number;
  readonly cursor: string;
}

/** What is empty is not asked for. */
function search(query: object): string {
  const wanted = Object.entries(query).filter(([, value]) => value !== '');
  const text = new URLSearchParams(wanted.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}

type Answer<K extends string, T> = Record<K, readonly T[]> & { next?: string | null; total?: number };

function pageOf<T>(rows: readonly T[], { next, total }: { next?: string | null; total?: number }): Page<T> {
  return { rows, next: next ?? null, total: total ?? rows.length };
}

export async function listHosts(query: Partial<HostQuery>, signal?: AbortSignal): Promise<Page<Host>> {
  const answer = await get<Answer<'hosts', Host>>(`/hosts${search(query)}`, signal);
  return pageOf(answer.hosts, answer);
}

export async function listUsers(query: Partial<UserQuery>, signal?: AbortSignal): Promise<Page<User>> {
  const answer = await get<Answer<'users', User>>(`/users${search(query)}`, signal);
  return pageOf(answer.users, answer);
}

export interface AccountQuery {
  readonly q: string;
  readonly limit: number;
  readonly cursor: string;
}

export async function listAccounts(
  query: Partial<AccountQuery>,
  signal?: AbortSignal,
): Promise<Page<AdministeredAccount>> {
  const answer = await get<Answer<'accounts', AdministeredAccount>>(`/accounts${search(query)}`, signal);
  return pageOf(answer.accounts, answer);
}

/** All sites: there are few. Whoever may not see them gets none. */
export async function listSites(signal?: AbortSignal): Promise<readonly Site[]> {
  try {
    return (await get<Answer<'sites', Site>>('/sites?limit=200', signal)).sites;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return [];
    throw error;
  }
}

export interface SiteQuery {
  readonly q: string;
  readonly sort: string;
  readonly limit: number;
  readonly cursor: string;
}

/** Sites with all their settings, a page at a time. */
export async function pageOfSites(query: SiteQuery, signal?: AbortSignal): Promise<Page<SiteDetails>> {
  const answer = await get<Answer<'sites', SiteDetails>>(`/sites${search(query)}`, signal);
  return pageOf(answer.sites, answer);
}
