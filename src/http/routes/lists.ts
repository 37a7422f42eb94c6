import type { FastifyRequest } from 'fastify';
import { isRefusal } from '../../domain/reasons.ts';
import * as entries from '../entry-schemas.ts';
import { hostQuery, orderOf, siteQuery, truth, userQuery } from '../list-schemas.ts';
import { maySeeHost, maySeeSite, maySeeUser } from '../policy.ts';
import type { HttpServices } from '../ports.ts';
import { presentHost, presentUser } from '../present.ts';
import { principalOf } from '../principal.ts';
import { refuse } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { type Api, describe, factsOf } from './route.ts';

/** Phones, people and sites, page by page; each sees theirs. */
export function listRoutes(api: Api, services: HttpServices): void {
  const hosts = describe('List the hosts', { 200: schemas.hosts }, { querystring: hostQuery });
  api.get('/hosts', hosts, async (request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    const { sort, registered, verified, ...query } = request.query;
    const maySee = filterFor(request, maySeeHost);
    const facets = { registered: truth(registered), verified: truth(verified) };
    const wish = { ...query, ...orderOf(sort), ...facets, maySee };
    const page = await services.lists.hosts(wish);
    if (isRefusal(page)) return refuse(reply, page);
    const { entries: found, next = null, total } = page;
    return reply.send({ hosts: found.map((host) => presentHost(host, facts)), next, total });
  });

  const users = describe('List the users', { 200: schemas.users }, { querystring: userQuery });
  api.get('/users', users, async (request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    const { sort, loggedIn, ...query } = request.query;
    const maySee = filterFor(request, maySeeUser);
    const wish = { ...query, ...orderOf(sort), loggedIn: truth(loggedIn), maySee };
    const page = await services.lists.users(wish);
    if (isRefusal(page)) return refuse(reply, page);
    const { entries: found, next = null, total } = page;
    return reply.send({ users: found.map((user) => presentUser(user, facts)), next, total });
  });

  siteRoute(api, services);
}

function siteRoute(api: Api, services: HttpServices): void {
  const sites = describe('List the sites', { 200: entries.sites }, { querystring: siteQuery });
  api.get('/sites', sites, async (request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    const { sort, ...query } = request.query;
    const maySee = filterFor(request, (principal, { id }: { readonly id: string }) =>
      maySeeSite(principal, id),
    );
    const page = await services.lists.sites({ ...query, ...orderOf(sort), maySee });
    if (isRefusal(page)) return refuse(reply, page);
    const { entries: found, next = null, total } = page;
    return reply.send({ sites: found.map(entries.presentSite), next, total });
  });
}

type MaySee<Entry> = (principal: ReturnType<typeof principalOf>, entry: Entry) => boolean;

/** Undefined for who sees everything: whole lists need not be looked through. */
function filterFor<Entry>(
  request: FastifyRequest,
  maySee: MaySee<Entry>,
): ((entry: Entry) => boolean) | undefined {
  const principal = principalOf(request);
  const seesAll = principal.role !== 'user' && principal.sites === 'all';
  return seesAll ? undefined : (entry) => maySee(principal, entry);
}
