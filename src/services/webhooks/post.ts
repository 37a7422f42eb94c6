import { lookup } from 'node:dns/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Timers } from '../ports.ts';
import type { WebhookTargets } from './targets.ts';

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came of it: a status with the Retry-After header as written, or why there is none, without the URL. */
export type PostResult =
  | { readonly status: number; readonly retryAfter?: string | undefined }
  | { readonly problem: string };

/** Never rejects; on abort the problem says no more than that. */
export type Post = (request: PostRequest, signal: AbortSignal) => Promise<PostResult>;

export interface PostOptions {
  readonly targets: WebhookTargets;
  readonly timers: Timers;
  /** From the look-up of the name to the headers of the answer. */
  readonly timeoutMs?: number;
  /** All addresses of a name; absent: the system's look-up. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

const TIMEOUT_MS = 10_000;
/** The body of an answer is for nobody: so much is read for politeness, and no longer than this. */
const DRAIN_BYTES = 1_024;
const DRAIN_MS = 1_000;
const CLOSED = Object.assign(new Error('closed'), { code: 'ECONNRESET' });

/**
 * POST over HTTP/1.1 for URLs that somebody typed: the name is looked up once, every address of it is checked, and the
 * connection goes to these addresses and no other, so that a name cannot change its mind in between (DNS rebinding).
 * Redirects are not followed.
 */
export function createPost(options: PostOptions): Post {
  const { targets, timers, timeoutMs = TIMEOUT_MS, resolve = systemResolve } = options;
  return async (request, signal) => {
    const refused = targets.refuseUrl(request.url);
    if (refused !== undefined) return { problem: refused };
    const limit = new AbortController();
    const end = (): void => limit.abort();
    const timer = timers.setTimer(timeoutMs, end);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    try {
      const url = new URL(request.url);
      const addresses = await unlessAborted(resolve(hostOf(url)), limit.signal);
      const problem = refuseAll(addresses, targets);
      return problem === undefined
        ? await exchange(url, { ...request, addresses, timers, signal: limit.signal })
        : { problem };
    } catch (error) {
      const late = limit.signal.aborted && !signal.aborted;
      return { problem: late ? `no answer within ${timeoutMs / 1000} s` : wordsOf(error) };
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', end);
    }
  };
}

/** libuv keeps half of its threads free of look-ups, so a dead name server does not hold up passcode checks. */
async function systemResolve(name: string): Promise<readonly string[]> {
  if (isIP(name) > 0) return [name];
  return (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address);
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** One forbidden address is enough: no honest public name has one. */
function refuseAll(addresses: readonly string[], targets: WebhookTargets): string | undefined {
  if (addresses.length === 0) return 'the host name has no address';
  return addresses.map((address) => targets.refuseAddress(address)).find((problem) => problem !== undefined);
}

interface Exchange extends PostRequest {
  readonly addresses: readonly string[];
  readonly timers: Timers;
  readonly signal: AbortSignal;
}

/** Settles whatever the receiver does: by its answer, by the end of the connection, or by the abort. */
function exchange(url: URL, { headers, body, addresses, timers, signal }: Exchange): Promise<PostResult> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    let answer: PostResult | undefined;
    const end = (error: unknown): void => (answer ? resolve(answer) : reject(error));
    const sent = request(url, {
      method: 'POST',
      // A connection of its own: one that is kept might have been checked under other rules.
      agent: false,
      lookup: pinnedTo(addresses),
      signal,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    });
    sent.on('error', end);
    sent.on('response', (response) => {
      const { statusCode: status = 0 } = response;
      const { 'retry-after': retryAfter } = response.headers;
      answer = { status, retryAfter };
      drain(response, timers, () => resolve({ status, retryAfter }));
    });
    // Nobody asked for another protocol: node hands over the connection and tells nothing else of the request.
    sent.on('upgrade', ({ statusCode: status = 101 }, socket) => {
      socket.destroy();
      resolve({ status });
    });
    sent.on('close', () => end(CLOSED));
    signal.addEventListener('abort', () => end(signal.reason), { once: true });
    sent.end(body);
  });
}

function drain(response: IncomingMessage, timers: Timers, done: () => void): void {
  let size = 0;
  const finish = (): void => {
    timer.cancel();
    response.destroy();
    done();
  };
  const timer = timers.setTimer(DRAIN_MS, finish);
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > DRAIN_BYTES) finish();
  });
  for (const event of ['end', 'error', 'close']) response.on(event, finish);
}

/** A look-up that knows only these addresses. */
function pinnedTo(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, options, done) => {
    if (options.all) done(null, all);
    else done(null, all[0]?.address ?? '', all[0]?.family ?? 0);
  };
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new DOMException('aborted', 'AbortError'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^ENOTFOUND$/, 'the host name is not known'],
  [/^EAI_/, 'the name servers do not answer'],
  [/^ECONNREFUSED$/, 'the connection was refused'],
  [/^(ECONNRESET|EPIPE)$/, 'the connection was closed without an answer'],
  [/^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'the host cannot be reached'],
  [/^(EPROTO|ERR_SSL_)/, 'no TLS could be agreed on'],
  [/CERT|SIGNATURE|ISSUER/, 'the certificate is not valid'],
  [/^HPE_/, 'the answer is no HTTP'],
  [/^ABORT_ERR$/, 'the request was ended'],
];

/** An error's own text may hold the URL, which may hold a token: only its code is told. */
function wordsOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  const id = typeof code === 'string' ? code : name === 'AbortError' ? 'ABORT_ERR' : 'unknown';
  const words = WORDS.find(([pattern]) => pattern.test(id))?.[1] ?? 'the request failed';
  return `${words} (${id})`;
}
