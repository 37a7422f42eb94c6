import type { z } from 'zod';
import type { Forwarding, User } from '../../domain/directory.ts';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import type { DirectoryRefusal } from '../../services/directory-service.ts';
import type { AvailableHost, GuestChange } from '../../services/guests.ts';
import * as guestSchemas from '../guest-schemas.ts';
import type { HttpServices } from '../ports.ts';
import { type Facts, presentUser } from '../present.ts';
import { problemsProblem, refuse, sendProblem } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { ACTOR, type Api, describe, userIn } from './route.ts';

const AT = { params: schemas.userPath };
const USER = { 200: schemas.user };

/** What a person holds and may do as a guest (rules A7, B1–B3), and where their calls go. */
export function guestRoutes(api: Api, services: HttpServices): void {
  const given = { ...AT, body: guestSchemas.userChange };
  const assign = describe('Give or take a person’s licence, add-ons and Guest In keys', USER, given);
  api.patch('/users/:extension', assign, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const result = await changeUser(services, found.user, request.body);
    const { extension } = found.user;
    if (isRefusal(result)) return sendProblem(reply, problemsProblem(result, `user:${extension}.`));
    return reply.send(presentUser(result, found.facts));
  });

  settingsRoutes(api, services);
  hostsRoute(api, services);
  associationRoutes(api, services);
}

/** Licences first: what may well be refused. */
async function changeUser(
  { addOns, hotelingSecrets }: HttpServices,
  user: User,
  { release = false, hotelingKeys, ...assignment }: z.output<typeof guestSchemas.userChange>,
): Promise<User | DirectoryRefusal> {
  const { extension } = user;
  const assigned =
    Object.keys(assignment).length > 0
      ? await addOns.assign(extension, assignment, { actor: ACTOR, release })
      : user;
  if (isRefusal(assigned) || hotelingKeys === undefined) return assigned;
  return hotelingKeys ? hotelingSecrets.enable(extension, ACTOR) : hotelingSecrets.disable(extension, ACTOR);
}

function settingsRoutes(api: Api, services: HttpServices): void {
  const guest = describe('Change a person’s guest service', USER, { ...AT, body: guestSchemas.guestChange });
  api.patch('/users/:extension/guest', guest, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const { extension } = found.user;
    const { associationLimitHours: hours, ...rest } = request.body;
    const limit = hours === undefined ? {} : { associationLimitHours: hours ?? undefined };
    const change: GuestChange = { ...rest, ...limit };
    const result = await services.guests.change(extension, change, ACTOR);
    if (isRefusal(result)) return sendProblem(reply, problemsProblem(result, `user:${extension}.`));
    return reply.send(presentUser(result, found.facts));
  });

  const calls = describe('Change a person’s forwarding and mailbox', USER, {
    ...AT,
    body: guestSchemas.callsChange,
  });
  api.patch('/users/:extension/calls', calls, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const { extension } = found.user;
    const change = (user: User): User => changedCalls(user, request.body);
    const result = await services.directory.updateUser(extension, change, { actor: ACTOR });
    if (isRefusal(result)) return sendProblem(reply, problemsProblem(result, `user:${extension}.`));
    return reply.send(presentUser(result, found.facts));
  });
}

/** null clears what may be absent. */
function changedCalls(user: User, { mailbox, forwarding }: guestSchemas.CallsChangeBody): User {
  return {
    ...user,
    ...(mailbox === undefined ? {} : { mailbox: mailbox ?? undefined }),
    ...(forwarding && { forwarding: changedForwarding(user.forwarding, forwarding) }),
  };
}

function changedForwarding(
  before: Forwarding | undefined,
  {
    always = before?.always,
    unanswered = before?.unanswered,
  }: NonNullable<guestSchemas.CallsChangeBody['forwarding']>,
): Forwarding | undefined {
  if (always == null && unanswered == null) return undefined;
  return { ...(always != null && { always }), ...(unanswered != null && { unanswered }) };
}

function hostsRoute(api: Api, services: HttpServices): void {
  const list = describe(
    'List the hosts a person may use as a guest',
    { 200: guestSchemas.availableHosts },
    { ...AT, querystring: guestSchemas.hostsForQuery },
  );
  api.get('/users/:extension/hosts', list, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const all = services.guests.hostsFor(found.user.extension);
    const page = isRefusal(all) ? all : pageOf(all, request.query);
    if (isRefusal(page)) return refuse(reply, page);
    const hosts = page.hosts.map((host) => presentAvailable(host, found.facts));
    return reply.send({ hosts, next: page.next });
  });
}

type Query = z.output<typeof guestSchemas.hostsForQuery>;

/** The list goes on behind the host the page before ended with, whatever else has come or gone. */
function pageOf(
  all: readonly AvailableHost[],
  query: Query,
): { readonly hosts: readonly AvailableHost[]; readonly next: string | null } | Refusal {
  const { cursor, limit } = query;
  const last = cursor === undefined ? -1 : all.findIndex(({ host }) => host === cursor);
  if (cursor !== undefined && last === -1) return { refused: 'invalidCursor' };
  const found = all.slice(last + 1).filter(wantedBy(query));
  const hosts = found.slice(0, limit);
  return { hosts, next: found.length > limit ? (hosts.at(-1)?.host ?? null) : null };
}

function wantedBy({ q, site, free }: Query): (host: AvailableHost) => boolean {
  const text = q?.trim().toLowerCase() ?? '';
  return ({ owner, ...host }) => {
    const texts = [host.nickname, host.host, owner?.name, owner?.extension, owner?.number];
    return (
      (site === undefined || host.site === site) &&
      (free === undefined || String(host.free) === free) &&
      texts.some((each) => each?.toLowerCase().includes(text))
    );
  };
}

function presentAvailable(
  { host, kind, nickname, site, owner, limitHours, free }: AvailableHost,
  { directory }: Facts,
): z.output<typeof guestSchemas.availableHost> {
  return {
    ...{ id: host, kind, nickname, free, limitHours: limitHours ?? null },
    owner: owner ? { ...owner, number: owner.number ?? null } : null,
    site: { id: site, name: directory.sites.get(site)?.name ?? '' },
  };
}

function associationRoutes(api: Api, services: HttpServices): void {
  const given = { ...AT, body: guestSchemas.connectWish };
  const connect = describe('Connect a guest to a host, without touching the phone', USER, given);
  api.put('/users/:extension/association', connect, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const { extension } = found.user;
    const { host } = request.body;
    const result = await services.guests.connect({ extension, host, actor: ACTOR });
    if (isRefusal(result)) return refuse(reply, result);
    return reply.send(presentUser(result.user, found.facts, result.association));
  });

  const disconnect = describe('End a person’s association, wherever it is', { 204: schemas.nothing }, AT);
  api.delete('/users/:extension/association', disconnect, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const result = await services.guests.disconnect({ extension: found.user.extension, actor: ACTOR });
    return isRefusal(result) ? refuse(reply, result) : reply.code(204).send();
  });
}
