import type { Site } from '../../domain/directory.ts';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import type { SiteChange } from '../../services/sites.ts';
import { answerOnce, created, idempotencyKey, refusedAs } from '../creation.ts';
import { newSite, presentSite, type SiteChangeBody, site, siteChange, sitePath } from '../entry-schemas.ts';
import type { HttpServices } from '../ports.ts';
import { ifMatch, ifTagOf, tag } from '../preconditions.ts';
import { actorOf } from '../principal.ts';
import { problemsProblem, refuse, sendProblem } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { type Api, describe, factsOf } from './route.ts';

/** Sites, one by one. */
export function siteRoutes(api: Api, services: HttpServices): void {
  const read = describe('Read a site', { 200: site }, { params: sitePath });
  api.get('/sites/:id', read, async (request, reply) => {
    const found = siteIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    tag(reply, found);
    return reply.send(presentSite(found));
  });

  const add = describe('Add a site', { 201: site }, { headers: idempotencyKey, body: newSite });
  api.post('/sites', add, async (request, reply) =>
    answerOnce(services, { request, reply }, async () => {
      const added = await services.sites.add(request.body, actorOf(request));
      if (isRefusal(added)) return refusedAs(problemsProblem(added, `site:${request.body.id}.`));
      return created(`/sites/${added.id}`, added, presentSite(added));
    }),
  );

  editRoutes(api, services);
}

function editRoutes(api: Api, services: HttpServices): void {
  const given = { params: sitePath, headers: ifMatch, body: siteChange };
  api.patch('/sites/:id', describe('Change a site', { 200: site }, given), async (request, reply) => {
    const found = siteIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    const options = { actor: actorOf(request), ifTag: ifTagOf(request) };
    const changed = await services.sites.change(found.id, changeOf(request.body), options);
    if (isRefusal(changed)) return sendProblem(reply, problemsProblem(changed, `site:${found.id}.`));
    tag(reply, changed);
    return reply.send(presentSite(changed));
  });

  const leaving = { params: sitePath, headers: ifMatch };
  const remove = describe('Remove a site that nobody and no phone is at', { 204: schemas.nothing }, leaving);
  api.delete('/sites/:id', remove, async (request, reply) => {
    const found = siteIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    const result = await services.sites.remove(found.id, {
      actor: actorOf(request),
      ifTag: ifTagOf(request),
    });
    return isRefusal(result) ? refuse(reply, result) : reply.code(204).send();
  });
}

function siteIn(services: HttpServices, id: string): Site | Refusal {
  const facts = factsOf(services);
  return isRefusal(facts) ? facts : (facts.directory.sites.get(id) ?? { refused: 'unknownSite' });
}

/** null clears what may be absent. */
function changeOf({
  callbackOthersAfter: others,
  dailyLogOut: daily,
  outboundTrunk: trunk,
  ...plain
}: SiteChangeBody): SiteChange {
  return {
    ...plain,
    ...(others === undefined ? {} : { callbackOthersAfter: others ?? undefined }),
    ...(daily === undefined ? {} : { dailyLogOut: daily ?? undefined }),
    ...(trunk === undefined ? {} : { outboundTrunk: trunk ?? undefined }),
  };
}
