import type { FastifyReply, FastifyRequest } from 'fastify';
import { withoutHolders } from '../domain/holder.ts';
import { maySeeHost, maySeeUser } from './policy.ts';
import type { HttpServices } from './ports.ts';
import { type Principal, principalOf } from './principal.ts';
import type { Problem } from './problem.ts';

/** Refusals that may say who has what is asked for already; whoever gets one is known. */
const NAMING: ReadonlySet<unknown> = new Set<Problem['reason']>(['invalidDirectory', 'invalidOrder']);

/** A hook: a refusal names nobody, and no phone, that is not theirs who asked. */
export function nameNoStrangers({ view }: Pick<HttpServices, 'view'>) {
  return async (request: FastifyRequest, _reply: FastifyReply, payload: unknown): Promise<unknown> => {
    if (!NAMING.has((payload as Partial<Problem> | null)?.reason)) return payload;
    const { detail, errors, ...problem } = payload as Problem;
    const told = (text: string): string => toldTo(principalOf(request), text, view);
    return {
      ...problem,
      ...(detail !== undefined && { detail: told(detail) }),
      ...(errors && { errors: errors.map(({ path, message }) => ({ path, message: told(message) })) }),
    };
  };
}

function toldTo(principal: Principal, text: string, { directory }: HttpServices['view']): string {
  if (principal.sites === 'all') return text;
  return withoutHolders(text, ({ kind, id }) => {
    const user = kind === 'user' ? directory?.users.get(id) : undefined;
    const host = kind === 'host' ? directory?.hosts.get(id) : undefined;
    return (!user || maySeeUser(principal, user)) && (!host || maySeeHost(principal, host));
  });
}
