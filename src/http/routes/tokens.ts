import { isRefusal } from '../../domain/reasons.ts';
import * as schemas from '../account-schemas.ts';
import type { HttpServices } from '../ports.ts';
import { presentToken } from '../present-accounts.ts';
import { actorOf } from '../principal.ts';
import { problemsProblem, refuse, sendProblem } from '../problem.ts';
import { nothing } from '../schemas.ts';
import { type Api, describe } from './route.ts';

/** Tokens of programs. */
export function tokenRoutes(api: Api, { apiTokens }: Pick<HttpServices, 'apiTokens'>): void {
  api.get('/tokens', describe('List the API tokens', { 200: schemas.apiTokens }), async (_request, reply) => {
    const all = apiTokens.list();
    return isRefusal(all) ? refuse(reply, all) : reply.send({ tokens: all.map(presentToken) });
  });

  const create = describe('Make an API token', { 201: schemas.newToken }, { body: schemas.tokenWish });
  api.post('/tokens', create, async (request, reply) => {
    const { name, scopes, sites, expiresInDays: days } = request.body;
    const wish = { name, scopes: [...new Set(scopes)], sites: sites ?? undefined, days: days ?? undefined };
    const made = await apiTokens.create(wish, actorOf(request));
    if (isRefusal(made)) return sendProblem(reply, problemsProblem(made, 'token:'));
    return reply.code(201).send({ token: presentToken(made.token), secret: made.text });
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
