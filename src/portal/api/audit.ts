import { get } from './client.ts';
import { listHosts, listUsers } from './lists.ts';
import type { AuditEntry, Stay } from './types.ts';

/** Questions about the past. */

/** Part of a list that says where it goes on. */
export interface Part<T> {
  readonly rows: readonly T[];
  readonly next: string | null;
}

/** What is empty is not asked for. */
export function queryOf(wish: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(wish).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  const text = new URLSearchParams(given).toString();
  return text === '' ? '' : `?${text}`;
}

type Wish = Readonly<Record<string, string | number | undefined>>;

export async function listStays(wish: Wish, signal?: AbortSignal): Promise<Part<Stay>> {
  const path = `/audit/sessions${queryOf(wish)}`;
  const { sessions, next } = await get<{ sessions: Stay[]; next: string | null }>(path, signal);
  return { rows: sessions, next };
}

export async function listChanges(wish: Wish, signal?: AbortSignal): Promise<Part<AuditEntry>> {
  const path = `/audit${queryOf(wish)}`;
  const { entries, next } = await get<{ entries: AuditEntry[]; next: string | null }>(path, signal);
  return { rows: entries, next };
}

const MOST_PICKS = 8;

export async function findPeople(q: string, signal: AbortSignal) {
  const { rows } = await listUsers({ q, limit: MOST_PICKS }, signal);
  return rows.map(({ extension, name }) => ({ id: extension, text: name, detail: extension }));
}

export async function findPhones(q: string, signal: AbortSignal) {
  const { rows } = await listHosts({ q, limit: MOST_PICKS }, signal);
  return rows.map(({ id, nickname }) => ({ id, text: nickname || id, detail: id }));
}
