import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem, statusProblem } from './problem.ts';

/** Changes that a page of somebody else has a browser send (CSRF) are refused, in two ways that do not need each other. */

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const NOT_OURS = statusProblem(403, 'The request does not come from a page of this portal.');

function isSafe({ method }: FastifyRequest): boolean {
  return SAFE.has(method);
}

/** Whether a browser says that another site has made this request. Programs say nothing. */
function isForeign({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin';
  const { origin } = headers;
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== headers.host);
}

/** A hook for changes that need no session, such as signing in. */
export async function refuseForeign(
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  return !isSafe(request) && isForeign(request) ? sendProblem(reply, NOT_OURS) : undefined;
}

/** Whether a change that comes with a session's cookie is meant by a page of ours. */
export function isMeant(request: FastifyRequest, csrf: string): boolean {
  if (isSafe(request)) return true;
  return !isForeign(request) && isSame(String(request.headers['x-csrf-token'] ?? ''), csrf);
}

export function refuseUnmeant(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, NOT_OURS);
}

/** Takes as long for any text. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
