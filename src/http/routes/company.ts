import { isRefusal } from '../../domain/reasons.ts';
import type { HttpServices } from '../ports.ts';
import { presentCompany } from '../present.ts';
import { refuse } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { ACTOR, type Api, describe, factsOf } from './route.ts';

/** The company: read it, and set how long people may stay at common area phones (A4) and what else goes with it. */
export function companyRoutes(api: Api, services: HttpServices): void {
  api.get('/company', describe('Read the company', { 200: schemas.company }), async (_request, reply) => {
    const facts = factsOf(services);
    return isRefusal(facts) ? refuse(reply, facts) : reply.send(presentCompany(facts.directory.company));
  });

  const given = { body: schemas.companyChange };
  const change = describe('Change settings of the company', { 200: schemas.company }, given);
  api.patch('/company', change, async (request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    const { idleLimitMinutes, ...rest } = request.body;
    const idle = idleLimitMinutes === undefined ? {} : { idleLimitMinutes: idleLimitMinutes ?? undefined };
    const result = await services.directory.updateCompany({ ...rest, ...idle }, ACTOR);
    return isRefusal(result) ? refuse(reply, result) : reply.send(presentCompany(result));
  });
}
