import { isRefusal } from '../../domain/reasons.ts';
import type { HostChange } from '../../services/hosts.ts';
import { addressOf } from '../entry-schemas.ts';
import type { HttpServices } from '../ports.ts';
import { ifMatch, ifTagOf, tag } from '../preconditions.ts';
import { presentHost } from '../present.ts';
import { actorOf } from '../principal.ts';
import { problemsProblem, refuse, sendProblem } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { type Api, describe, hostIn } from './route.ts';

/** Hosts, and the association at each. */
export function hostRoutes(api: Api, services: HttpServices): void {
  const read = describe('Read a host', { 200: schemas.host }, { params: schemas.hostPath });
  api.get('/hosts/:id', read, async (request, reply) => {
    const found = hostIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    tag(reply, found.host);
    return reply.send(presentHost(found.host, found.facts));
  });

  changeRoutes(api, services);
  associationRoutes(api, services);
}

function changeRoutes(api: Api, services: HttpServices): void {
  const given = { params: schemas.hostPath, headers: ifMatch, body: schemas.hostChange };
  const change = describe('Change a host, such as its emergency address', { 200: schemas.host }, given);
  api.patch('/hosts/:id', change, async (request, reply) => {
    const found = hostIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    const { host, facts } = found;
    const { release = false, generation, ...change } = request.body;
    const result = await services.hosts.change(host.id, changeOf(change), {
      actor: actorOf(request),
      release,
      generation,
      ifTag: ifTagOf(request),
    });
    if (isRefusal(result)) return sendProblem(reply, problemsProblem(result, `host:${host.id}.`));
    tag(reply, result);
    return reply.send(presentHost(result, facts));
  });

  const verify = describe(
    'Confirm that the emergency address is right where the phone is now',
    { 200: schemas.host },
    { params: schemas.hostPath },
  );
  api.post('/hosts/:id/address/verification', verify, async (request, reply) => {
    const found = hostIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    const result = await services.hosts.verifyAddress(found.host.id, actorOf(request));
    return isRefusal(result) ? refuse(reply, result) : reply.send(presentHost(result, found.facts));
  });
}

/** null clears what may be absent. */
function changeOf({
  address,
  callbackNumber,
  associationLimitHours: hours,
  ...rest
}: Omit<schemas.HostChangeBody, 'release' | 'generation'>): HostChange {
  return {
    ...rest,
    ...(callbackNumber === undefined ? {} : { callbackNumber: callbackNumber ?? undefined }),
    ...(hours === undefined ? {} : { associationLimitHours: hours ?? undefined }),
    ...(address && { address: addressOf(address) }),
  };
}

function associationRoutes(api: Api, services: HttpServices): void {
  const given = { params: schemas.hostPath, body: schemas.associationWish };
  const associate = describe('Log a user in at a host', { 200: schemas.host }, given);
  api.put('/hosts/:id/association', associate, async (request, reply) => {
    const found = hostIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    const { host, facts } = found;
    const extension = request.body.guest;
    const result = await services.hotDesk.associate({ host: host.id, extension, actor: actorOf(request) });
    return isRefusal(result)
      ? refuse(reply, result)
      : reply.send(presentHost(host, facts, result.association));
  });

  const release = describe(
    'Log out who is there',
    { 204: schemas.nothing },
    { params: schemas.hostPath, querystring: schemas.associationMeant },
  );
  api.delete('/hosts/:id/association', release, async (request, reply) => {
    const found = hostIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    const { generation } = request.query;
    const result = await services.hotDesk.release({
      ...{ host: found.host.id, actor: actorOf(request) },
      ...(generation !== undefined && { generation: Number(generation) }),
    });
    return isRefusal(result) ? refuse(reply, result) : reply.code(204).send();
  });
}
