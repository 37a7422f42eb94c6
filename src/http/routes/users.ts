import { isRefusal } from '../../domain/reasons.ts';
import type { HttpServices } from '../ports.ts';
import { presentUser } from '../present.ts';
import { refuse } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { ACTOR, type Api, describe, factsOf, inOrder, userIn } from './route.ts';

/** Users, where each is logged in, and lifting a lock-out. */
export function userRoutes(api: Api, services: HttpServices): void {
  api.get('/users', describe('List the users', { 200: schemas.users }), async (_request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    return reply.send({ users: inOrder(facts.directory.users).map((user) => presentUser(user, facts)) });
  });

  const read = describe('Read a user', { 200: schemas.user }, { params: schemas.userPath });
  api.get('/users/:extension', read, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    return isRefusal(found) ? refuse(reply, found) : reply.send(presentUser(found.user, found.facts));
  });

  const unlock = describe(
    'Forget wrong PINs of a user',
    { 204: schemas.nothing },
    { params: schemas.userPath },
  );
  api.post('/users/:extension/unlock', unlock, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const result = await services.unlock(found.user.extension, ACTOR);
    return isRefusal(result) ? refuse(reply, result) : reply.code(204).send();
  });
}
