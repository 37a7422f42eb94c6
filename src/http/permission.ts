import type { FastifyReply, FastifyRequest } from 'fastify';
import { decide, mayName, subjectOf } from './policy.ts';
import type { HttpServices } from './ports.ts';
import { principalOf, renewPrincipal } from './principal.ts';
import { refuse, sendProblem, statusProblem } from './problem.ts';

/** Hooks that hold every route against the policy, after authentication. */

/** By the route and what its path names, before the body is read. What one may not see is as if it were not there. */
export function requirePermission({ view }: Pick<HttpServices, 'view'>) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const route = routeOf(request);
    const verdict = decide(principalOf(request), { route, params: request.params }, view);
    if (verdict === 'allowed') return undefined;
    return verdict === 'forbidden' ? refuse(reply, { refused: 'notPermitted' }) : hide(reply, request);
  };
}

/** By what the body names; and by all the rest once more, as somebody may have lost it while the body was on its way. */
export function requireNamed({ view }: Pick<HttpServices, 'view'>) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const { body, params } = request;
    const route = routeOf(request);
    const principal = renewPrincipal(request);
    const may =
      principal !== undefined &&
      decide(principal, { route, params }, view) === 'allowed' &&
      mayName(principal, { route, body }, view);
    return may ? undefined : refuse(reply, { refused: 'notPermitted' });
  };
}

/** HEAD is GET without a body. */
function routeOf({ method, routeOptions }: FastifyRequest): string {
  return `${method === 'HEAD' ? 'GET' : method} ${routeOptions.url}`;
}

const NOT_THERE = { host: 'unknownHost', user: 'unknownUser', site: 'unknownSite' } as const;

function hide(reply: FastifyReply, { routeOptions, params }: FastifyRequest): FastifyReply {
  const { kind } = subjectOf(routeOptions.url ?? '', params);
  return kind === 'none'
    ? sendProblem(reply, statusProblem(404))
    : refuse(reply, { refused: NOT_THERE[kind] });
}
