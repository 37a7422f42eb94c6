import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import * as schemas from '../account-schemas.ts';
import { cookieOf, dropCookie, setCookie } from '../cookies.ts';
import { refuse, sendProblem, statusProblem } from '../problem.ts';
import { originOf } from '../rate-limit.ts';
import type { Api } from './route.ts';
import { type Entrance, open, renew } from './session.ts';

const OFF = statusProblem(404, 'No identity provider is configured.');
/** Only its own pages: what stands here comes back later, and must lead nowhere else. */
const OWN_PAGE = /^\/(?![/\\])[\w/.%~-]*(?:\?[\w.%~*+&=-]*)?$/;

/** Signing in at an identity provider (OpenID Connect). */
export function providerRoutes(api: Api, { services }: Entrance): void {
  const { providerSignIn } = services;
  const ask = open('Whether one may sign in at an identity provider', { 200: schemas.providerState });
  api.get('/provider', ask, async (_request, reply) =>
    reply.send({ name: providerSignIn === undefined ? null : services.providerName }),
  );

  const begin = open(
    'Begin to sign in at the identity provider: where the browser is to go',
    { 200: schemas.providerBegun },
    { body: schemas.providerWish },
  );
  api.post('/provider', begin, async (request, reply) => {
    if (!providerSignIn) return sendProblem(reply, OFF);
    const { to = '/' } = request.body;
    const begun = await providerSignIn.begin(OWN_PAGE.test(to) ? to : '/');
    if (isRefusal(begun)) return refuse(reply, begun);
    setCookie({ request, reply }, begun.cookie, 'provider');
    return reply.send({ location: begun.location });
  });

  const described = open('Where the identity provider sends browsers back to', {
    303: z.undefined().describe('To a page: the one that was asked for, or /sign-in?problem=<reason>.'),
  });
  // Open by nature: the way here begins at the provider.
  api.get('/provider/callback', described, async (request, reply) => {
    if (!providerSignIn) return sendProblem(reply, OFF);
    const cookie = cookieOf(request, 'provider') ?? '';
    dropCookie(request, reply, 'provider');
    const done = await providerSignIn.finish({ query: queryOf(request), cookie, from: originOf(request) });
    if (isRefusal(done)) return goTo(reply, problemPage(done));
    await renew(services, { request, reply, made: done.session });
    return goTo(reply, done.to);
  });
}

function queryOf({ url }: FastifyRequest): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at + 1);
}

function problemPage({ refused }: Refusal): string {
  return `/sign-in?problem=${encodeURIComponent(refused)}`;
}

function goTo(reply: FastifyReply, page: string): never {
  return reply.code(303).header('location', page).send() as never;
}
