import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import { tagOf } from '../services/entry-tag.ts';
import type { KeptAnswer, Replays } from '../services/replays.ts';
import { tag } from './preconditions.ts';
import { actorOf } from './principal.ts';
import { type Problem, refuse } from './problem.ts';

/** Headers of what makes something new. Others are let through as they are. */
export const idempotencyKey = z.looseObject({
  'idempotency-key': z
    .exactOptional(z.string().min(1).max(200))
    .describe(
      'Something made up for this one thing: what was done is not done again for the same key, for a day; the answer is the same again. A refusal has done nothing: mended or not, the request may come again with the same key.',
    ),
});

/** The same for each try of one request with an Idempotency-Key; undefined: there is none. */
export function operationOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  const same = [actorOf(request), request.method, request.routeOptions.url, key, request.body];
  return createHash('sha256').update(JSON.stringify(same)).digest('hex');
}

/** Something new: where it is, what state it is in, and what is told of it. */
export function created(path: string, entry: object, body: unknown): KeptAnswer {
  return { status: 201, body, headers: { location: `/api/v1${path}`, etag: `"${tagOf(entry)}"` } };
}

/** A "no": nothing was done, and the next try is another one. */
export function refusedAs(problem: Problem): KeptAnswer {
  return { status: problem.status, body: problem, headers: { 'content-type': 'application/problem+json' } };
}

/**
 * Answers with what `work` gives, or gave to the same request with the same Idempotency-Key. The type is nobody's: which
 * status goes with which body is checked when it is sent.
 */
export async function answerOnce(
  { replays }: { readonly replays: Pick<Replays, 'run'> },
  {
    request,
    reply,
    expand,
  }: {
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    /** What is told instead of the body of a 201: a long answer need not be kept. */
    readonly expand?: (
      body: unknown,
    ) => Promise<{ readonly entry: object; readonly body: unknown } | Refusal>;
  },
  work: () => Promise<KeptAnswer>,
): Promise<never> {
  const key = request.headers['idempotency-key'];
  const [path] = request.url.split('?');
  const route = `${request.method} ${path}`;
  const given = { actor: actorOf(request), route, key: String(key), body: request.body };
  const answer = key === undefined ? await work() : await replays.run(given, work);
  if (isRefusal(answer)) return refuse(reply, answer) as never;
  if (answer.status === 503) reply.header('retry-after', '5');
  const expanded = answer.status === 201 ? await expand?.(answer.body) : undefined;
  if (isRefusal(expanded)) return refuse(reply, expanded) as never;
  if (expanded) tag(reply, expanded.entry);
  return reply
    .code(answer.status)
    .headers(answer.headers)
    .send(expanded?.body ?? answer.body) as never;
}
