import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ChangeEvent } from '../../domain/association.ts';
import { isRefusal } from '../../domain/reasons.ts';
import type { AuditFilter } from '../../services/audit.ts';
import { kindsOf, typeOf } from '../../services/webhooks/message.ts';
import * as schemas from '../audit-schemas.ts';
import { maySeeEvent, maySeeSite } from '../policy.ts';
import type { HttpServices } from '../ports.ts';
import { csvHeader, csvOf, presentChange, presentStay } from '../present-audit.ts';
import { principalOf } from '../principal.ts';
import { refuse } from '../problem.ts';
import { type Api, describe } from './route.ts';

const CSV_TYPE = 'text/csv; charset=utf-8; header=present';
const EXPORTS_AT_ONCE = 4;

/** Who did what when, and who sat where when. */
export function auditRoutes(api: Api, services: HttpServices): void {
  const list = describe('List changes', { 200: schemas.auditPage }, { querystring: schemas.auditQuery });
  api.get('/audit', list, async (request, reply) => {
    const { limit, cursor } = request.query;
    const page = await services.audit.page({ ...filterOf(request.query), limit, cursor });
    if (isRefusal(page)) return refuse(reply, page);
    const events = page.events.filter(wantedBy(request.query)).filter(seenBy(request, services));
    const entries = events.map((event) => presentChange(event, services.view.directory));
    return reply.send({ entries, next: page.next ?? null });
  });

  const sessions = describe(
    'List who sat where',
    { 200: schemas.stayPage },
    { querystring: schemas.stayQuery },
  );
  api.get('/audit/sessions', sessions, async (request, reply) => {
    const { limit, cursor, host, guest, at } = request.query;
    const { from = at, to = at } = request.query;
    const page = await services.audit.stays({ host, guest, from: ms(from), to: ms(to), limit, cursor });
    if (isRefusal(page)) return refuse(reply, page);
    const own = page.stays.filter(({ association }) => maySeeSite(principalOf(request), association.site));
    const stays = own.map((stay) => presentStay(stay, services.view.directory));
    return reply.send({ sessions: stays, next: page.next ?? null });
  });

  exportRoute(api, services);
}

function exportRoute(api: Api, services: HttpServices): void {
  const open = new Set<Readable>();
  // A stop does not wait for somebody who reads slowly.
  api.addHook('preClose', (done) => {
    for (const stream of open) stream.destroy();
    done();
  });
  const answer = { description: 'The changes.', content: { 'text/csv': { schema: schemas.csvText } } };
  const out = describe('Export changes', { 200: answer }, { querystring: schemas.auditExportQuery });
  api.get('/audit.csv', out, async (request, reply) => {
    if (open.size >= EXPORTS_AT_ONCE) return refuse(reply, { refused: 'overloaded' });
    const pages = await services.audit.export(filterOf(request.query));
    if (isRefusal(pages)) return refuse(reply, pages);
    const [byKind, bySite] = [wantedBy(request.query), seenBy(request, services)];
    const isWanted = (event: ChangeEvent): boolean => byKind(event) && bySite(event);
    const stream = Readable.from(csvLines(pages, { services, isWanted }));
    open.add(stream);
    stream.once('close', () => open.delete(stream));
    const company = services.view.directory?.company.id ?? 'company';
    return reply
      .header('content-disposition', `attachment; filename="hotdesk-audit-${company}.csv"`)
      .type(CSV_TYPE)
      .send(stream as never);
  });
}

async function* csvLines(
  pages: AsyncIterable<readonly ChangeEvent[]>,
  options: { readonly services: HttpServices; readonly isWanted: (event: ChangeEvent) => boolean },
): AsyncGenerator<string> {
  const { services, isWanted } = options;
  yield csvHeader();
  for await (const events of pages) yield csvOf(events.filter(isWanted), services.view.directory);
}

type Query = z.output<typeof schemas.auditExportQuery>;

/** The log is asked for kinds of change; emergency calls have a type for each stage. */
function wantedBy({ kind }: Query): (event: ChangeEvent) => boolean {
  const types = kind === undefined ? undefined : new Set([kind].flat());
  return (event) => types === undefined || types.has(typeOf(event));
}

/** Those of other sites are left out, so that a page may hold fewer than were asked for. */
function seenBy(request: FastifyRequest, { view }: HttpServices): (event: ChangeEvent) => boolean {
  const principal = principalOf(request);
  return (event) => maySeeEvent(principal, event, view.directory);
}

function filterOf(query: Query): AuditFilter {
  const { host, guest, from, at, to = at, kind } = query;
  const kinds = kind === undefined ? undefined : kindsOf([kind].flat());
  return { host, guest, from: ms(from), to: ms(to), kinds };
}

function ms(instant: string | undefined): number | undefined {
  return instant === undefined ? undefined : schemas.instantOf(instant);
}
