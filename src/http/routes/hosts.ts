import { isRefusal } from '../../domain/reasons.ts';
import type { HttpServices } from '../ports.ts';
import { presentHost } from '../present.ts';
import { refuse } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { ACTOR, type Api, describe, factsOf, hostIn, inOrder } from './route.ts';

/** Hosts, and the association at each. */
export function hostRoutes(api: Api, services: HttpServices): void {
  api.get('/hosts', describe('List the hosts', { 200: schemas.hosts }), async (_request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    return reply.send({ hosts: inOrder(facts.directory.hosts).map((host) => presentHost(host, facts)) });
  });

  const read = describe('Read a host', { 200: schemas.host }, { params: schemas.hostPath });
  api.get('/hosts/:id', read, async (request, reply) => {
    const found = hostIn(services, request.params.id);
    return isRefusal(found) ? refuse(reply, found) : reply.send(presentHost(found.host, found.facts));
  });

  associationRoutes(api, services);
}

function associationRoutes(api: Api, services: HttpServices): void {
  const given = { params: schemas.hostPath, body: schemas.associationWish };
  const associate = describe('Log a user in at a host', { 200: schemas.host }, given);
  api.put('/hosts/:id/association', associate, async (request, reply) => {
    const found = hostIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    const { host, facts } = found;
    const extension = request.body.guest;
    const result = await services.hotDesk.associate({ host: host.id, extension, actor: ACTOR });
    return isRefusal(result)
      ? refuse(reply, result)
      : reply.send(presentHost(host, facts, result.association));
  });

  const release = describe(
    'Log whoever is there out',
    { 204: schemas.nothing },
    { params: schemas.hostPath },
  );
  api.delete('/hosts/:id/association', release, async (request, reply) => {
    const found = hostIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    const result = await services.hotDesk.release({ host: found.host.id, actor: ACTOR });
    return isRefusal(result) ? refuse(reply, result) : reply.code(204).send();
  });
}
