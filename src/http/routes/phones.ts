import type { z } from 'zod';
import type { Host } from '../../domain/directory.ts';
import { isRefusal } from '../../domain/reasons.ts';
import type { DirectoryRefusal } from '../../services/directory-service.ts';
import type { EditOptions } from '../../services/edits-while-free.ts';
import { idFor, type NewPhone } from '../../services/phones.ts';
import { answerOnce, created, idempotencyKey, refusedAs } from '../creation.ts';
import * as entries from '../entry-schemas.ts';
import { convertedHost } from '../order-schemas.ts';
import type { HttpServices } from '../ports.ts';
import { ifMatch, ifTagOf, tag } from '../preconditions.ts';
import { presentHost } from '../present.ts';
import { actorOf } from '../principal.ts';
import { type Problem, problemsProblem, refuse, sendProblem } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { deliveryOf } from './orders.ts';
import { type Api, describe, factsOf, hostIn } from './route.ts';

/** Phones that come, go and change hands (A6, A7). */
export function phoneRoutes(api: Api, services: HttpServices): void {
  const given = { headers: idempotencyKey, body: entries.newHost };
  const add = describe('Add a phone; answers its SIP password, once', { 201: entries.addedHost }, given);
  api.post('/hosts', add, async (request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    return answerOnce(services, { request, reply }, async () => {
      const wish = phoneOf(request.body);
      const added = await services.phones.add(wish, actorOf(request));
      if (isRefusal(added)) return refusedAs(problemsProblem(added, `host:${idFor(wish) ?? ''}.`));
      const { host, sipPassword } = added;
      return created(`/hosts/${host.id}`, host, { host: presentHost(host, facts), sipPassword });
    });
  });

  const leaving = { params: schemas.hostPath, headers: ifMatch, querystring: entries.hostRemovalQuery };
  api.delete(
    '/hosts/:id',
    describe('Remove a phone', { 204: schemas.nothing }, leaving),
    async (request, reply) => {
      const found = hostIn(services, request.params.id);
      if (isRefusal(found)) return refuse(reply, found);
      const { release, generation } = request.query;
      const options = {
        ...{ actor: actorOf(request), ifTag: ifTagOf(request), release: release === 'true' },
        generation: generation === undefined ? undefined : Number(generation),
      };
      const result = await services.phones.remove(found.host.id, options);
      return isRefusal(result) ? refuse(reply, result) : reply.code(204).send();
    },
  );

  handRoutes(api, services);
  assignRoute(api, services);
}

function phoneOf({ mac, address, enabled, ...wish }: z.output<typeof entries.newHost>): NewPhone {
  return {
    ...wish,
    address: entries.addressOf(address),
    enabled: enabled ?? wish.kind === 'commonArea',
    ...(mac !== undefined && { mac: mac.toLowerCase().replace(/[:-]/g, '') }),
  };
}

function handRoutes(api: Api, services: HttpServices): void {
  const at = { params: schemas.hostPath, headers: ifMatch };
  const unassign = describe(
    'Take a phone from its user, who keeps the number (A7)',
    { 200: schemas.host },
    { ...at, body: entries.unassignment },
  );
  api.post('/hosts/:id/unassign', unassign, async (request, reply) => {
    const found = hostIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    const { address, release, generation } = request.body;
    const options = { actor: actorOf(request), release, generation, ifTag: ifTagOf(request) };
    const { id } = found.host;
    const result = await services.phones.unassign(id, entries.addressOf(address), options);
    if (isRefusal(result)) return sendProblem(reply, problemsProblem(result, `host:${id}.`));
    tag(reply, result);
    return reply.send(presentHost(result, found.facts));
  });

  const convert = describe(
    'Make an unassigned phone a common area phone (A7)',
    { 200: convertedHost },
    { ...at, body: entries.conversion },
  );
  api.post('/hosts/:id/convert', convert, async (request, reply) => {
    const found = hostIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    const options = { actor: actorOf(request), ifTag: ifTagOf(request) };
    const { id } = found.host;
    const result = await converted(services, { id, wish: request.body, options });
    if (isRefusal(result)) return sendProblem(reply, conversionProblem(result, id));
    tag(reply, result.host);
    return reply.send({ ...presentHost(result.host, found.facts), order: result.order });
  });
}

function assignRoute(api: Api, services: HttpServices): void {
  const given = { params: schemas.hostPath, headers: ifMatch, body: entries.assignment };
  const assign = describe('Give a phone that is nobody’s to a user', { 200: schemas.host }, given);
  api.post('/hosts/:id/assign', assign, async (request, reply) => {
    const found = hostIn(services, request.params.id);
    if (isRefusal(found)) return refuse(reply, found);
    const { address, release, generation, ...wish } = request.body;
    const options = { actor: actorOf(request), release, generation, ifTag: ifTagOf(request) };
    const { id } = found.host;
    const assignment = { ...wish, address: entries.addressOf(address) };
    const result = await services.phones.assign(id, assignment, options);
    if (isRefusal(result)) return sendProblem(reply, problemsProblem(result, `host:${id}.`));
    tag(reply, result);
    return reply.send(presentHost(result, found.facts));
  });
}

interface Conversion {
  readonly id: string;
  readonly wish: z.output<typeof entries.conversion>;
  readonly options: EditOptions;
}

async function converted(
  { phones, orders }: HttpServices,
  { id, wish: { nickname, address, delivery: sent }, options }: Conversion,
): Promise<{ readonly host: Host; readonly order: string | null } | DirectoryRefusal> {
  const wish = { nickname, address: entries.addressOf(address) };
  if (sent) {
    const { note, total } = sent;
    return orders.convert(id, { ...wish, delivery: deliveryOf(sent), note, total }, options);
  }
  const host = await phones.convert(id, wish, options);
  return isRefusal(host) ? host : { host, order: null };
}

function conversionProblem(refusal: DirectoryRefusal, id: string): Problem {
  return problemsProblem(refusal, refusal.refused === 'invalidOrder' ? 'order:' : `host:${id}.`);
}
