import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Association, ChangeEvent } from '../../domain/association.ts';
import { isRefusal } from '../../domain/reasons.ts';
import type { AuditFilter, Stay } from '../../services/audit.ts';
import { kindsOf, typeOf } from '../../services/webhooks/message.ts';
import * as schemas from '../audit-schemas.ts';
import { asSeenBy, maySeeEvent, maySeeLeft, maySeeSite } from '../policy.ts';
import type { HttpServices } from '../ports.ts';
import { csvHeader, csvOf, presentChange, presentStay, stayCsvHeader, stayCsvOf } from '../present-audit.ts';
import { type Principal, principalOf } from '../principal.ts';
import { refuse } from '../problem.ts';
import { type Api, describe } from './route.ts';

const CSV_TYPE = 'text/csv; charset=utf-8; header=present';
const EXPORTS_AT_ONCE = 4;

/** Who did what when, and who sat where when. */
export function auditRoutes(api: Api, services: HttpServices): void {
  const list = describe('List changes', { 200: schemas.auditPage }, { querystring: schemas.auditQuery });
  api.get('/audit', list, async (request, reply) => {
    const { limit, cursor } = request.query;
    const isWanted = wantedChange(request, services);
    const page = await services.audit.page({ ...filterOf(request.query), limit, cursor, isWanted });
    if (isRefusal(page)) return refuse(reply, page);
    const seen = seenBy(request, services);
    const entries = page.events
      .filter(isWanted)
      .map((event) => presentChange(seen.change(event), services.view.directory));
    return reply.send({ entries, next: page.next ?? null });
  });

  const sessions = describe(
    'List who sat where',
    { 200: schemas.stayPage },
    { querystring: schemas.stayQuery },
  );
  api.get('/audit/sessions', sessions, async (request, reply) => {
    const { limit, cursor } = request.query;
    const filter = stayFilterOf(request);
    const page = await services.audit.stays({ ...filter, limit, cursor });
    if (isRefusal(page)) return refuse(reply, page);
    const own = page.stays.filter(({ association }) => filter.isWanted(association));
    const seen = seenBy(request, services);
    const stays = own.map((stay) => presentStay(seen.stay(stay), services.view.directory));
    return reply.send({ sessions: stays, next: page.next ?? null });
  });

  exportRoutes(api, services);
}

function exportRoutes(api: Api, services: HttpServices): void {
  const open = new Set<Readable>();
  // A stop does not wait for somebody who reads slowly.
  api.addHook('preClose', (done) => {
    for (const stream of open) stream.destroy();
    done();
  });
  const send = (reply: FastifyReply, name: string, lines: AsyncIterable<string>): FastifyReply => {
    const stream = Readable.from(lines);
    open.add(stream);
    stream.once('close', () => open.delete(stream));
    const company = services.view.directory?.company.id ?? 'company';
    return reply
      .header('content-disposition', `attachment; filename="hotdesk-${name}-${company}.csv"`)
      .type(CSV_TYPE)
      .send(stream as never);
  };
  const changes = csvAnswer('The changes.', schemas.csvText);
  const out = describe('Export changes', { 200: changes }, { querystring: schemas.auditExportQuery });
  api.get('/audit.csv', out, async (request, reply) => {
    if (open.size >= EXPORTS_AT_ONCE) return refuse(reply, { refused: 'overloaded' });
    const pages = await services.audit.export(filterOf(request.query));
    if (isRefusal(pages)) return refuse(reply, pages);
    const isWanted = wantedChange(request, services);
    const { change } = seenBy(request, services);
    return send(reply, 'audit', csvLines(pages, { services, isWanted, change })) as never;
  });

  const stays = csvAnswer('Who sat where.', schemas.stayCsvText);
  const outStays = describe('Export who sat where', { 200: stays }, { querystring: schemas.stayExportQuery });
  api.get('/audit/sessions.csv', outStays, async (request, reply) => {
    if (open.size >= EXPORTS_AT_ONCE) return refuse(reply, { refused: 'overloaded' });
    const pages = await services.audit.exportStays(stayFilterOf(request));
    if (isRefusal(pages)) return refuse(reply, pages);
    const { stay } = seenBy(request, services);
    return send(reply, 'sessions', stayLines(pages, { services, stay })) as never;
  });
}

function csvAnswer<T>(description: string, schema: T) {
  return { description, content: { 'text/csv': { schema } } };
}

async function* stayLines(
  pages: AsyncIterable<readonly Stay[]>,
  { services, stay }: { readonly services: HttpServices } & Pick<Seen, 'stay'>,
): AsyncGenerator<string> {
  yield stayCsvHeader();
  for await (const stays of pages) yield stayCsvOf(stays.map(stay), services.view.directory);
}

async function* csvLines(
  pages: AsyncIterable<readonly ChangeEvent[]>,
  options: { readonly services: HttpServices; readonly isWanted: (event: ChangeEvent) => boolean } & Pick<
    Seen,
    'change'
  >,
): AsyncGenerator<string> {
  const { services, isWanted, change } = options;
  yield csvHeader();
  for await (const events of pages) yield csvOf(events.filter(isWanted).map(change), services.view.directory);
}

/** What they may see of what they may see. */
interface Seen {
  readonly change: (event: ChangeEvent) => ChangeEvent;
  readonly stay: (stay: Stay) => Stay;
}

function seenBy(request: FastifyRequest, { view }: HttpServices): Seen {
  const principal = principalOf(request);
  return {
    change: (event) => asSeenBy(principal, event, view.directory),
    stay: (stay) => {
      const { movedFrom: host, association } = stay;
      const isTheirs =
        host === undefined || maySeeLeft(principal, { host, guest: association.guest }, view.directory);
      return isTheirs ? stay : { ...stay, movedFrom: undefined };
    },
  };
}

type Query = z.output<typeof schemas.auditExportQuery>;
type StayQuery = z.output<typeof schemas.stayExportQuery>;

/** The log is asked for kinds of change; emergency calls have a type for each stage. What others see is left out. */
function wantedChange(
  request: FastifyRequest<{ Querystring: Query }>,
  { view }: HttpServices,
): (event: ChangeEvent) => boolean {
  const { kind, site } = request.query;
  const types = kind === undefined ? undefined : new Set([kind].flat());
  const principal = principalOf(request);
  const ofSite: Principal | undefined = site === undefined ? undefined : onlyOf(principal, site);
  return (event) =>
    (types === undefined || types.has(typeOf(event))) &&
    maySeeEvent(principal, event, view.directory) &&
    (ofSite === undefined || maySeeEvent(ofSite, event, view.directory));
}

/** Somebody who sees this site alone. */
function onlyOf(principal: Principal, site: string): Principal {
  return { ...principal, role: 'readOnly', sites: new Set([site]) };
}

function filterOf(query: Query): AuditFilter {
  const { host, guest, from, at, to = at, kind } = query;
  const kinds = kind === undefined ? undefined : kindsOf([kind].flat());
  return { host, guest, from: ms(from), to: ms(to), kinds };
}

function stayFilterOf(request: FastifyRequest<{ Querystring: StayQuery }>) {
  const { host, guest, site, at, from = at, to = at } = request.query;
  const principal = principalOf(request);
  const isWanted = (association: Association): boolean =>
    maySeeSite(principal, association.site) && (site === undefined || association.site === site);
  return { host, guest, from: ms(from), to: ms(to), isWanted };
}

function ms(instant: string | undefined): number | undefined {
  return instant === undefined ? undefined : schemas.instantOf(instant);
}
