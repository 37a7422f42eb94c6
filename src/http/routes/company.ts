import { isRefusal } from '../../domain/reasons.ts';
import type { HttpServices } from '../ports.ts';
import { refuse } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { ACTOR, type Api, describe, factsOf } from './route.ts';

/** The company: read it, and set how long people may stay at common area phones (rule A4). */
export function companyRoutes(api: Api, services: HttpServices): void {
  api.get('/company', describe('Read the company', { 200: schemas.company }), async (_request, reply) => {
    const facts = factsOf(services);
    return isRefusal(facts) ? refuse(reply, facts) : reply.send({ ...facts.directory.company });
  });

  const change = describe(
    'Set the association limit',
    { 200: schemas.company },
    { body: schemas.companyChange },
  );
  api.patch('/company', change, async (request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    const { associationLimit } = request.body;
    const result = await services.directory.setAssociationLimit(associationLimit, ACTOR);
    return isRefusal(result)
      ? refuse(reply, result)
      : reply.send({ ...facts.directory.company, associationLimit });
  });
}
