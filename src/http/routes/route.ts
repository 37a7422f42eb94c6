import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Host, User } from '../../domain/directory.ts';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import type { HttpServices } from '../ports.ts';
import type { Facts } from '../present.ts';
import { PROBLEMS } from '../schemas.ts';

/** fastify with request and answer types taken from the zod schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Route options: what it does in words, what it gives besides problems, and what it takes. */
export function describe<const Answers extends object, const Given extends object = object>(
  summary: string,
  answers: Answers,
  given: Given = {} as Given,
) {
  return { schema: { summary, ...given, response: { ...answers, ...PROBLEMS } } };
}

const LONGEST_WORK_MS = 5 * 60_000;

/** For work that takes its time: while it is done its connection is not idle, though nobody says a word. */
export async function bePatient(request: FastifyRequest): Promise<void> {
  request.raw.setTimeout(LONGEST_WORK_MS);
}

/** A fastify plugin, for hooks and body parsers that hold for some routes only. */
export function scoped(build: (api: Api) => void) {
  return (api: Api, _options: object, done: () => void): void => {
    build(api);
    done();
  };
}

/** Facts to answer from, or the refusal while there are none. */
export function factsOf({ view }: HttpServices): Facts | Refusal {
  const { directory } = view;
  if (directory === undefined || view.knowledge === 'unknown') return { refused: 'stateUnknown' };
  return { view, directory };
}

export function hostIn(services: HttpServices, id: string): { host: Host; facts: Facts } | Refusal {
  const facts = factsOf(services);
  if (isRefusal(facts)) return facts;
  const host = facts.directory.hosts.get(id);
  return host === undefined ? { refused: 'unknownHost' } : { host, facts };
}

export function userIn(services: HttpServices, extension: string): { user: User; facts: Facts } | Refusal {
  const facts = factsOf(services);
  if (isRefusal(facts)) return facts;
  const user = facts.directory.users.get(extension);
  return user === undefined ? { refused: 'unknownUser' } : { user, facts };
}

/** What a map holds, by its keys: the store gives entries in no order. */
export function inOrder<T>(map: ReadonlyMap<string, T>): T[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
