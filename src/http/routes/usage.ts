import { isRefusal } from '../../domain/reasons.ts';
import type { HttpServices } from '../ports.ts';
import { principalOf } from '../principal.ts';
import { refuse } from '../problem.ts';
import { presentUsage, usage, usageQuery } from '../usage-schemas.ts';
import { type Api, describe, factsOf } from './route.ts';

/** How much desks are used; each sees their sites. */
export function usageRoutes(api: Api, services: HttpServices): void {
  const read = describe('See how much desks are used', { 200: usage }, { querystring: usageQuery });
  api.get('/usage', read, async (request, reply) => {
    const { sites } = principalOf(request);
    const report = await services.usage.report({ ...request.query, sites });
    if (isRefusal(report)) return refuse(reply, report);
    const facts = factsOf(services);
    return isRefusal(facts) ? refuse(reply, facts) : reply.send(presentUsage(report, facts));
  });
}
