import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ChangeEvent } from '../../domain/association.ts';
import { isRefusal } from '../../domain/reasons.ts';
import type { Watcher } from '../../services/live.ts';
import { asSeenBy, maySeeEvent } from '../policy.ts';
import type { HttpServices } from '../ports.ts';
import { presentChange } from '../present-audit.ts';
import { isStillSignedIn, keyOf, principalNow, principalOf } from '../principal.ts';
import { refuse, sendProblem, statusProblem } from '../problem.ts';
import { type Api, describe } from './route.ts';

/** What a slow reader may be behind, in bytes. */
const MOST_UNSENT = 256 * 1024;
/** Of one account or token. A browser has one for each of its windows. */
const MOST_STREAMS = 10;
/** Browsers come again. */
const LONGEST_MS = 10 * 60_000;
const TOO_MANY = statusProblem(429, 'This account follows as many streams as it may.');

const lastEventId = z.looseObject({
  'last-event-id': z
    .exactOptional(z.string().regex(/^\d{1,15}$/, 'expected an id this stream has given'))
    .describe('Goes on after this event.'),
});
const answer = {
  description:
    'An event for each change: `id` its position in the log, `event` one of start, end, extend, directory, notice, emergency and order, `data` as in the audit. `reset`: too much was missed; read everything anew.',
  content: { 'text/event-stream': { schema: z.string() } },
};

/** Changes as they happen (server-sent events). */
export function eventRoutes(api: Api, services: HttpServices): void {
  const open = new Map<ServerResponse, string>();
  // A stop does not wait for those who only listen.
  api.addHook('preClose', (done) => {
    for (const stream of open.keys()) {
      if (stream.headersSent) stream.end();
      else stream.destroy();
    }
    done();
  });
  const watch = describe('Follow changes as they happen', { 200: answer }, { headers: lastEventId });
  api.get('/events', watch, async (request, reply) => {
    // It would stay open, with nothing to be told.
    if (request.method === 'HEAD') return reply.type('text/event-stream').send('');
    const stream = reply.raw;
    const key = keyOf(principalOf(request));
    const others = [...open.values()].filter((other) => other === key);
    if (others.length >= MOST_STREAMS) return sendProblem(reply.header('retry-after', '30'), TOO_MANY);
    open.set(stream, key);
    stream.once('close', () => open.delete(stream));
    const id = request.headers['last-event-id'];
    const sink = new Stream(stream, request, services);
    const leave = await services.live.watch(sink, id === undefined ? undefined : Number(id));
    if (isRefusal(leave)) return refuse(reply, leave);
    const timer = setTimeout(() => stream.end(), LONGEST_MS).unref();
    const end = (): void => {
      clearTimeout(timer);
      leave();
    };
    stream.once('close', end);
    reply.hijack();
    sink.begin(reply.getHeaders());
    if (stream.destroyed) end();
    return reply as never;
  });
}

/** Events as lines of text, as far as whoever listens may see them. */
class Stream implements Watcher {
  readonly #stream: ServerResponse;
  readonly #request: FastifyRequest;
  readonly #services: HttpServices;
  /** What is to be told before the head has been sent. */
  #first: string[] | undefined = ['retry: 2000\n\n'];

  constructor(stream: ServerResponse, request: FastifyRequest, services: HttpServices) {
    this.#stream = stream;
    this.#request = request;
    this.#services = services;
  }

  begin(headers: object): void {
    this.#stream.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
    });
    const first = this.#first ?? [];
    this.#first = undefined;
    this.#write(first.join(''));
  }

  event(event: ChangeEvent): boolean {
    const { directory } = this.#services.view;
    const principal = principalNow(this.#request);
    if (principal === undefined) return false;
    if (!maySeeEvent(principal, event, directory)) return true;
    const data = JSON.stringify(presentChange(asSeenBy(principal, event, directory), directory));
    return this.#write(`id: ${event.seq}\nevent: ${event.kind}\ndata: ${data}\n\n`);
  }

  missed(): boolean {
    return this.#write('event: reset\ndata: {}\n\n');
  }

  ping(): boolean {
    if (principalNow(this.#request) === undefined) return false;
    void this.#endWithSession();
    return this.#write(': ping\n\n');
  }

  async #endWithSession(): Promise<void> {
    if (!(await isStillSignedIn(this.#request).catch(() => false))) this.close();
  }

  close(): void {
    this.#stream.destroy();
  }

  #write(text: string): boolean {
    if (this.#first) {
      this.#first.push(text);
      return true;
    }
    if (this.#stream.destroyed || this.#stream.writableLength > MOST_UNSENT) return false;
    this.#stream.write(text);
    return true;
  }
}
