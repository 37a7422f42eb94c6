import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem, statusProblem } from './problem.ts';

const WINDOW_MS = 60_000;
const FAILURES_PER_WINDOW = 20;
const MAX_SOURCES = 1_000;

/** Counts wrong tokens per source address, in windows of a minute. Bounded: the oldest source is forgotten first. */
export class FailedTokens {
  readonly #sources = new Map<string, { since: number; count: number }>();
  readonly #now: () => number;

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#sources.size;
  }

  /** Seconds this source must wait, or 0. */
  waitOf(source: string): number {
    const entry = this.#sources.get(source);
    const left = entry === undefined ? 0 : entry.since + WINDOW_MS - this.#now();
    return entry !== undefined && entry.count >= FAILURES_PER_WINDOW && left > 0 ? Math.ceil(left / 1000) : 0;
  }

  count(source: string): void {
    const now = this.#now();
    const entry = this.#sources.get(source);
    if (entry !== undefined && now - entry.since < WINDOW_MS) {
      entry.count += 1;
      return;
    }
    this.#sources.delete(source);
    const [oldest] = this.#sources.keys();
    if (oldest !== undefined && this.#sources.size >= MAX_SOURCES) this.#sources.delete(oldest);
    this.#sources.set(source, { since: now, count: 1 });
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Takes as long for a wrong token as for the right one, whatever their lengths. */
function isSame(token: string, expected: Buffer): boolean {
  return timingSafeEqual(digest(token), expected);
}

/**
 * A hook that lets only the administrator's bearer token through (RFC 6750). A source with too many wrong ones gets
 * 429 for the rest of the minute, also with the right one: otherwise guessing would go on behind the limit.
 */
export function requireToken(token: string, failed: FailedTokens) {
  const expected = digest(token);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const wait = failed.waitOf(request.ip);
    if (wait > 0) return sendProblem(reply.header('retry-after', String(wait)), statusProblem(429));
    const [, given] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (given !== undefined && isSame(given, expected)) return undefined;
    if (given !== undefined) failed.count(request.ip);
    const error = given === undefined ? '' : ', error="invalid_token"';
    reply.header('www-authenticate', `Bearer realm="hotdesk"${error}`);
    return sendProblem(reply, statusProblem(401, 'An administrator’s bearer token is needed.'));
  };
}
