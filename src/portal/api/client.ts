import { texts } from '../texts.ts';
import type { Problem } from './types.ts';

/** The one way to the API: cookie, CSRF header, problems as exceptions with words for people. */

const BASE = '/api/v1';
const MAX_ETAGS = 200;

/** The API said no, or could not be reached (status 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.title);
    this.status = problem.status;
    this.problem = problem;
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Request {
  readonly body?: object;
  /** Of something new: the same request again does not make it twice. */
  readonly key?: string;
  /** What it is about, when that is not its own path. */
  readonly about?: string;
  readonly signal?: AbortSignal;
}

const state: { csrf: string; onSignedOut: () => void } = { csrf: '', onSignedOut: () => undefined };
const etags = new Map<string, string>();

/** The token that unsafe requests carry from now on. */
export function setCsrf(token: string): void {
  state.csrf = token;
}

/** What to do when the session has ended meanwhile. */
export function whenSignedOut(action: () => void): void {
  state.onSignedOut = action;
}

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return call<T>('GET', path, signal ? { signal } : {});
}

export function send<T = void>(method: Exclude<Method, 'GET'>, path: string, body?: object): Promise<T> {
  return call<T>(method, path, body ? { body } : {});
}

/** Does something to what was read at `path`, such as `unassign`, while it is as it was then (If-Match). */
export function sendAbout<T>(path: string, action: string, body: object): Promise<T> {
  return call<T>('POST', `${path}/${action}`, { body, about: path });
}

/** Makes something new, once, however often the request is sent again with the same `key`. */
export function create<T>(path: string, body: object, key: string): Promise<T> {
  return call<T>('POST', path, { body, key });
}

async function call<T>(method: Method, path: string, request: Request): Promise<T> {
  const response = await reach(method, path, request);
  if (response.status === 401 && path !== '/session') state.onSignedOut();
  if (!response.ok) throw new ApiError(await problemIn(response));
  remember(method, path, response);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

async function reach(method: Method, path: string, request: Request): Promise<Response> {
  const { body, signal } = request;
  try {
    return await fetch(`${BASE}${path}`, {
      method,
      headers: headersOf(method, path, request),
      credentials: 'same-origin',
      cache: 'no-store',
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError({ title: texts.errors.unreachable, status: 0 });
  }
}

function headersOf(method: Method, path: string, { body, key, about }: Request): Record<string, string> {
  const etag = method === 'PATCH' || about !== undefined ? etags.get(about ?? path) : undefined;
  return {
    accept: 'application/json, application/problem+json',
    ...(body && { 'content-type': 'application/json' }),
    ...(method !== 'GET' && state.csrf !== '' && { 'x-csrf-token': state.csrf }),
    ...(etag && { 'if-match': etag }),
    ...(key && { 'idempotency-key': key }),
  };
}

/** What was read is changed only if nobody else has changed it meanwhile (If-Match). */
function remember(method: Method, path: string, response: Response): void {
  const etag = response.headers.get('etag');
  if (method !== 'GET' || etag === null) {
    if (method !== 'GET') forget(path);
    return;
  }
  const [oldest] = etags.keys();
  if (etags.size >= MAX_ETAGS && oldest !== undefined) etags.delete(oldest);
  etags.set(path, etag);
}

/** A change of a part, such as `/users/1001/calls`, is one of the whole. */
function forget(path: string): void {
  const [changed = path] = path.split('?');
  for (const kept of etags.keys()) if (changed === kept || changed.startsWith(`${kept}/`)) etags.delete(kept);
}

async function problemIn(response: Response): Promise<Problem> {
  const fallback = { title: texts.errors.broken, status: response.status };
  if (!(response.headers.get('content-type') ?? '').includes('json')) return fallback;
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return { ...fallback, ...problem };
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** What went wrong, in a sentence for whoever sits at the screen. */
export function friendly(error: unknown): string {
  if (!(error instanceof ApiError)) return texts.errors.broken;
  const { reason, status, title, errors } = error.problem;
  const known: Readonly<Record<string, string>> = texts.reasons;
  if (reason !== undefined && known[reason] !== undefined) return known[reason];
  const byStatus: Readonly<Record<number, string>> = texts.errors.byStatus;
  const first = errors?.[0];
  if (status === 400 && first) return first.message;
  return byStatus[status] ?? title;
}
