import { isRefusal } from '../../domain/reasons.ts';
import { answerOnce, created, idempotencyKey, refusedAs } from '../creation.ts';
import { newUser, removalQuery } from '../entry-schemas.ts';
import type { HttpServices } from '../ports.ts';
import { ifMatch, ifTagOf } from '../preconditions.ts';
import { presentUser } from '../present.ts';
import { actorOf } from '../principal.ts';
import { problemsProblem, refuse } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { type Api, describe, factsOf, userIn } from './route.ts';

/** People who come and go. */
export function peopleRoutes(api: Api, services: HttpServices): void {
  const given = { headers: idempotencyKey, body: newUser };
  const add = describe('Add a person, who needs a PIN to log in', { 201: schemas.user }, given);
  api.post('/users', add, async (request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    return answerOnce(services, { request, reply }, async () => {
      const user = await services.people.add(request.body, actorOf(request));
      if (isRefusal(user)) return refusedAs(problemsProblem(user, `user:${request.body.extension}.`));
      return created(`/users/${user.extension}`, user, presentUser(user, facts));
    });
  });

  const leaving = { params: schemas.userPath, headers: ifMatch, querystring: removalQuery };
  const remove = describe('Remove a person who has no phone of their own', { 204: schemas.nothing }, leaving);
  api.delete('/users/:extension', remove, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const release = request.query.release === 'true';
    const options = { actor: actorOf(request), release, ifTag: ifTagOf(request) };
    const result = await services.people.remove(found.user.extension, options);
    return isRefusal(result) ? refuse(reply, result) : reply.code(204).send();
  });
}
