import { isRefusal } from '../../domain/reasons.ts';
import * as schemas from '../account-schemas.ts';
import { answerOnce, created, idempotencyKey, refusedAs } from '../creation.ts';
import type { HttpServices } from '../ports.ts';
import { presentToken } from '../present-accounts.ts';
import { actorOf } from '../principal.ts';
import { problemsProblem, refuse } from '../problem.ts';
import { nothing } from '../schemas.ts';
import { type Api, describe } from './route.ts';

/** Tokens of programs. */
export function tokenRoutes(api: Api, services: Pick<HttpServices, 'apiTokens' | 'replays'>): void {
  const { apiTokens } = services;
  api.get('/tokens', describe('List the API tokens', { 200: schemas.apiTokens }), async (_request, reply) => {
    const all = apiTokens.list();
    return isRefusal(all) ? refuse(reply, all) : reply.send({ tokens: all.map(presentToken) });
  });

  const given = { body: schemas.tokenWish, headers: idempotencyKey };
  const create = describe('Make an API token', { 201: schemas.newToken }, given);
  api.post('/tokens', create, async (request, reply) => {
    const { name, scopes, sites, expiresInDays: days } = request.body;
    const wish = { name, scopes: [...new Set(scopes)], sites: sites ?? undefined, days: days ?? undefined };
    return answerOnce(services, { request, reply }, async () => {
      const made = await apiTokens.create(wish, actorOf(request));
      if (isRefusal(made)) return refusedAs(problemsProblem(made, /^token:[^.]*\./));
      const { token, text: secret } = made;
      return created(`/tokens/${token.id}`, token, { token: presentToken(token), secret });
    });
  });

  const remove = describe(
    'Remove an API token; it is void at once',
    { 204: nothing },
    { params: schemas.tokenPath },
  );
  api.delete('/tokens/:id', remove, async (request, reply) => {
    const removed = await apiTokens.remove(request.params.id, actorOf(request));
    return isRefusal(removed) ? refuse(reply, removed) : reply.code(204).send();
  });
}
