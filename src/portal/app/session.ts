import { computed, signal } from '@preact/signals';
import { ApiError, get, send, setCsrf, whenSignedOut } from '../api/client.ts';
import { listSites } from '../api/lists.ts';
import { startLive, stopLive } from '../api/live.ts';
import type { Account, Site } from '../api/types.ts';
import { forgetAll } from './kept.ts';

/** Who is signed in: undefined while not known, null for nobody. */
export const account = signal<Account | null | undefined>(undefined);
export const sites = signal<readonly Site[]>([]);
/** A session that ended by itself is said on the sign-in page. */
export const sessionEnded = signal(false);

/** May change phones and people, by what is shown. The server decides. */
export const mayChange = computed(() => {
  const role = account.value?.role;
  return role === 'administrator' || role === 'siteAdministrator';
});
/** Somebody at their own settings, of which they are spoken to as “you”. */
export const isPerson = computed(() => account.value?.role === 'user');
export const isAdministrator = computed(() => account.value?.role === 'administrator');

/** Reads who is signed in. */
export async function readSession(): Promise<void> {
  whenSignedOut(() => {
    if (account.value) sessionEnded.value = true;
    leave();
  });
  try {
    const { account: who, csrf, site } = await get<Session>('/session');
    setCsrf(csrf);
    await enter(who, site);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) leave();
    else throw error;
  }
}

interface Session {
  readonly account: Account;
  readonly csrf: string;
  /** Where a person works: all they may see of sites. */
  readonly site: Site | null;
}

async function enter(who: Account, site: Site | null): Promise<void> {
  sites.value = site ? [site] : await listSites().catch(() => []);
  account.value = who;
  startLive();
}

/** Reads the sites again: their names and zones stand on every page. */
export async function readSites(): Promise<void> {
  sites.value = await listSites().catch(() => sites.value);
}

function leave(): void {
  stopLive();
  setCsrf('');
  account.value = null;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
  readonly code?: string;
}

/** Signs in; 'codeNeeded' when the account also wants a code. Rejects with the API's no. */
export async function signIn(credentials: Credentials): Promise<'done' | 'codeNeeded'> {
  try {
    await send('POST', '/session', credentials);
  } catch (error) {
    if (error instanceof ApiError && error.problem.reason === 'codeNeeded') {
      if (credentials.code === undefined) return 'codeNeeded';
    }
    throw error;
  }
  sessionEnded.value = false;
  await readSession();
  return 'done';
}

export async function signOut(): Promise<void> {
  try {
    await send('DELETE', '/session');
  } finally {
    forgetAll();
    leave();
  }
}

export function siteName(id: string): string {
  return sites.value.find((site) => site.id === id)?.name ?? id.charAt(0).toUpperCase() + id.slice(1);
}

/** The site's zone; the browser's where it is not known. */
export function zoneOf(site: string | null | undefined): string | undefined {
  return sites.value.find(({ id }) => id === site)?.timeZone;
}
