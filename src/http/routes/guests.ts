import type { z } from 'zod';
import type { Forwarding, Host, User } from '../../domain/directory.ts';
import type { AvailableHost } from '../../domain/guests.ts';
import { isRefusal } from '../../domain/reasons.ts';
import type { Assignment } from '../../services/add-ons.ts';
import type { DirectoryRefusal } from '../../services/directory-service.ts';
import type { GuestChange } from '../../services/guests.ts';
import * as guestSchemas from '../guest-schemas.ts';
import { truth } from '../list-schemas.ts';
import { maySeeHost } from '../policy.ts';
import type { HttpServices } from '../ports.ts';
import { ifMatch, ifTagOf, tag } from '../preconditions.ts';
import { type Facts, presentUser } from '../present.ts';
import { actorOf, principalOf } from '../principal.ts';
import { problemsProblem, refuse, sendProblem } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { type Api, describe, userIn } from './route.ts';

const AT = { params: schemas.userPath };
const USER = { 200: schemas.user };

/** What a person holds and may do as a guest (rules A7, B1–B3), and where their calls go. */
export function guestRoutes(api: Api, services: HttpServices): void {
  const given = { ...AT, headers: ifMatch, body: guestSchemas.userChange };
  const assign = describe(
    'Change a person: name, site, numbers, licence, add-ons, Guest In keys',
    USER,
    given,
  );
  api.patch('/users/:extension', assign, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const by = { actor: actorOf(request), ifTag: ifTagOf(request) };
    const result = await changeUser(services, { user: found.user, ...by }, request.body);
    const { extension } = found.user;
    if (isRefusal(result)) return sendProblem(reply, problemsProblem(result, `user:${extension}.`));
    tag(reply, result);
    return reply.send(presentUser(result, found.facts));
  });

  settingsRoutes(api, services);
  hostsRoute(api, services);
  associationRoutes(api, services);
}

/** Licences first: what may well be refused. */
async function changeUser(
  { addOns, hotelingSecrets, directory }: HttpServices,
  { user, actor, ifTag }: { readonly user: User; readonly actor: string; readonly ifTag: string | undefined },
  { release = false, hotelingKeys, ...wish }: z.output<typeof guestSchemas.userChange>,
): Promise<User | DirectoryRefusal> {
  const { extension } = user;
  const isMore = Object.keys(wish).length > 0;
  const by = { actor, ...(ifTag !== undefined && { ifTag }) };
  const assigned = isMore ? await addOns.assign(extension, assignmentOf(wish), { ...by, release }) : user;
  if (isRefusal(assigned) || hotelingKeys === undefined) return assigned;
  // What was just changed has another tag by now.
  if (!isMore && ifTag !== undefined) {
    const same = await directory.updateUser(extension, (now) => now, by);
    if (isRefusal(same)) return same;
  }
  return hotelingKeys ? hotelingSecrets.enable(extension, actor) : hotelingSecrets.disable(extension, actor);
}

/** null clears what may be absent. */
function assignmentOf({
  addOns,
  hotDeskLicence,
  email,
  ...plain
}: Omit<z.output<typeof guestSchemas.userChange>, 'release' | 'hotelingKeys'>): Assignment {
  const details = { ...plain, ...(email === undefined ? {} : { email: email ?? undefined }) };
  return {
    ...(addOns && { addOns }),
    ...(hotDeskLicence === undefined ? {} : { hotDeskLicence }),
    ...(Object.keys(details).length > 0 && { details }),
  };
}

function settingsRoutes(api: Api, services: HttpServices): void {
  const guest = describe('Change a person’s guest service', USER, {
    ...AT,
    headers: ifMatch,
    body: guestSchemas.guestChange,
  });
  api.patch('/users/:extension/guest', guest, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const { extension } = found.user;
    const { associationLimitHours: hours, ...rest } = request.body;
    const limit = hours === undefined ? {} : { associationLimitHours: hours ?? undefined };
    const change: GuestChange = { ...rest, ...limit };
    const by = { actor: actorOf(request), ifTag: ifTagOf(request) };
    const result = await services.guests.change(extension, change, by);
    if (isRefusal(result)) return sendProblem(reply, problemsProblem(result, `user:${extension}.`));
    tag(reply, result);
    return reply.send(presentUser(result, found.facts));
  });

  const calls = describe('Change a person’s forwarding and mailbox', USER, {
    ...AT,
    headers: ifMatch,
    body: guestSchemas.callsChange,
  });
  api.patch('/users/:extension/calls', calls, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const { extension } = found.user;
    const change = (user: User): User => changedCalls(user, request.body);
    const by = { actor: actorOf(request), ifTag: ifTagOf(request) };
    const result = await services.directory.updateUser(extension, change, by);
    if (isRefusal(result)) return sendProblem(reply, problemsProblem(result, `user:${extension}.`));
    tag(reply, result);
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
    const { free, ...query } = request.query;
    // A person goes wherever they may; others send people where they may do so themselves.
    const principal = principalOf(request);
    const maySee = (host: Host): boolean => principal.role === 'user' || maySeeHost(principal, host);
    const page = await services.lists.hostsFor(found.user.extension, {
      ...{ ...query, free: truth(free), maySee },
    });
    if (isRefusal(page)) return refuse(reply, page);
    const hosts = page.entries.map((host) => presentAvailable(host, found.facts));
    return reply.send({ hosts, next: page.next ?? null, total: page.total });
  });
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
    const result = await services.guests.connect({ extension, host, actor: actorOf(request) });
    if (isRefusal(result)) return refuse(reply, result);
    return reply.send(presentUser(result.user, found.facts, result.association));
  });

  const disconnect = describe('End a person’s association, wherever it is', { 204: schemas.nothing }, AT);
  api.delete('/users/:extension/association', disconnect, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const result = await services.guests.disconnect({
      extension: found.user.extension,
      actor: actorOf(request),
    });
    return isRefusal(result) ? refuse(reply, result) : reply.code(204).send();
  });
}
