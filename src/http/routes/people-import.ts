import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { isRefusal } from '../../domain/reasons.ts';
import type { ImportOptions, ImportRefusal } from '../../services/people-import/people-import.ts';
import { turn } from '../../services/turns.ts';
import { importQuery, importWish, peopleImport } from '../import-schemas.ts';
import { truth } from '../list-schemas.ts';
import { maySeeSite } from '../policy.ts';
import type { HttpServices } from '../ports.ts';
import { reportJson } from '../present-import.ts';
import { actorOf, principalOf } from '../principal.ts';
import { type Problem, problemOf, sendProblem } from '../problem.ts';
import { type Api, bePatient, describe, scoped } from './route.ts';

/** Ten thousand people, and what JSON adds to quotation marks. */
const MAX_BYTES = 4 * 1024 * 1024;
const SUMMARY =
  'Add and change many people from a table (text/csv, or JSON with the table in it); all or nothing';

/** Many people at once. In a scope of its own: elsewhere bodies are small, and CSV is a mistake. */
export function peopleImportRoutes(api: Api, services: HttpServices): void {
  void api.register(scoped((scope) => importRoute(scope, services)));
}

function importRoute(api: Api, services: HttpServices): void {
  const asText = { parseAs: 'string' as const, bodyLimit: MAX_BYTES };
  api.addContentTypeParser('text/csv', asText, (_request, body, done) => done(null, { csv: body }));
  const given = { querystring: importQuery, body: importWish, consumes: ['application/json', 'text/csv'] };
  const into = describe(SUMMARY, { 200: peopleImport }, given);
  api.post(
    '/users/import',
    { ...into, bodyLimit: MAX_BYTES, preHandler: bePatient },
    async (request, reply) => {
      const { csv } = request.body;
      const report = await services.peopleImport.run(csv, optionsOf(request));
      if (isRefusal(report)) return sendProblem(reply, importProblem(report));
      const json = Readable.from(inTurns(reportJson(report)));
      return reply.type('application/json; charset=utf-8').send(json as never);
    },
  );
}

type Wish = z.output<typeof importWish>;
type Query = z.output<typeof importQuery>;

/** What stands in the body counts before what stands in the query. */
function optionsOf(request: FastifyRequest): ImportOptions {
  const { csv: _, ...body } = request.body as Wish;
  const { dryRun, release, skipProblems, plan } = request.query as Query;
  const principal = principalOf(request);
  return {
    dryRun: body.dryRun ?? truth(dryRun),
    release: body.release ?? truth(release),
    skipProblems: body.skipProblems ?? truth(skipProblems),
    plan: body.plan ?? plan,
    actor: actorOf(request),
    isOwnSite: (site) => maySeeSite(principal, site),
  };
}

/** Each thing that is wrong by its row and column. */
function importProblem({ wrong, ...refusal }: ImportRefusal): Problem {
  const problem = problemOf(refusal);
  if (wrong === undefined) return problem;
  return { ...problem, errors: wrong.map(({ at: path, message }) => ({ path, message })) };
}

async function* inTurns(parts: Iterable<string>): AsyncGenerator<string> {
  for (const part of parts) {
    yield part;
    await turn();
  }
}
