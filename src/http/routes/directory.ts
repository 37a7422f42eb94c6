import { Readable } from 'node:stream';
import { isRefusal } from '../../domain/reasons.ts';
import { turn } from '../../services/turns.ts';
import { removalQuery } from '../entry-schemas.ts';
import type { HttpServices } from '../ports.ts';
import { actorOf } from '../principal.ts';
import { refuse } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { type Api, bePatient, describe, scoped } from './route.ts';

/** A directory of a hundred thousand people, as the export has it. */
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024;
/** RFC 9512 names the first; the others are older and common. */
const YAML_TYPES = ['application/yaml', 'text/yaml', 'text/x-yaml', 'application/x-yaml'];

/** The whole directory, out and in, as YAML. */
export function directoryRoutes(api: Api, services: HttpServices): void {
  const out = describe('Export the directory', {
    200: { description: 'The directory.', content: { 'text/yaml': { schema: schemas.yamlText } } },
  });
  api.get('/directory', { ...out, preHandler: bePatient }, async (_request, reply) => {
    const result = await services.directory.exportYaml();
    if (isRefusal(result)) return refuse(reply, result);
    return reply.type('text/yaml; charset=utf-8').send(Readable.from(piecesOf(result)) as never);
  });

  void api.register(scoped((scope) => importRoute(scope, services)));
}

/** Characters of a piece. */
const PIECE = 65_536;
const HIGH_SURROGATE = /[\uD800-\uDBFF]$/;

/** With turns for others in between: to encode fifty megabytes in one go alone would make calls wait. */
async function* piecesOf(text: string): AsyncGenerator<string> {
  for (let from = 0; from < text.length; ) {
    const piece = text.slice(from, from + PIECE);
    // The halves of one character stay together.
    const whole = HIGH_SURROGATE.test(piece) ? text.slice(from, from + PIECE + 1) : piece;
    yield whole;
    from += whole.length;
    await turn();
  }
}

/** In a scope of its own: elsewhere a YAML body is a mistake and gets 415, and here anything else does. */
function importRoute(api: Api, services: HttpServices): void {
  const asText = { parseAs: 'string' as const, bodyLimit: MAX_DIRECTORY_BYTES };
  api.removeAllContentTypeParsers();
  api.addContentTypeParser(YAML_TYPES, asText, (_request, body, done) => done(null, body));
  const given = { querystring: removalQuery, body: schemas.yamlText, consumes: YAML_TYPES };
  const into = describe('Replace the directory', { 204: schemas.nothing }, given);
  api.put(
    '/directory',
    { ...into, bodyLimit: MAX_DIRECTORY_BYTES, preHandler: bePatient },
    async (request, reply) => {
      const release = request.query.release === 'true';
      const result = await services.directory.importYaml(request.body, { actor: actorOf(request), release });
      return isRefusal(result) ? refuse(reply, result) : reply.code(204).send();
    },
  );
}
