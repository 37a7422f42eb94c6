import type { z } from 'zod';
import { isRefusal } from '../../domain/reasons.ts';
import type { OwnSession } from '../../services/own-sessions.ts';
import * as schemas from '../account-schemas.ts';
import { cookieOf, dropCookie } from '../cookies.ts';
import type { HttpServices } from '../ports.ts';
import { refuse } from '../problem.ts';
import { nothing } from '../schemas.ts';
import { type Api, describe } from './route.ts';
import { noSession, ownAccount } from './session.ts';

/** Where one is signed in oneself. */
export function ownSessionRoutes(api: Api, services: HttpServices): void {
  const { ownSessions } = services;
  const list = describe('List one’s own sessions', { 200: schemas.ownSessions });
  api.get('/sessions', list, async (request, reply) => {
    const account = ownAccount(services, request);
    if (isRefusal(account)) return noSession(reply);
    const found = await ownSessions.list(account, cookieOf(request) ?? '');
    return isRefusal(found) ? refuse(reply, found) : reply.send({ sessions: found.map(present) });
  });

  const end = describe(
    'End one of one’s own sessions; the one that asks is signed out',
    { 204: nothing },
    { params: schemas.sessionPath },
  );
  api.delete('/sessions/:id', end, async (request, reply) => {
    const account = ownAccount(services, request);
    if (isRefusal(account)) return noSession(reply);
    const asked = { id: request.params.id, cookie: cookieOf(request) ?? '' };
    const ended = await ownSessions.end(account, asked);
    if (isRefusal(ended)) return refuse(reply, ended);
    services.live.look();
    if (ended.current) dropCookie(request, reply);
    return reply.code(204).send();
  });
}

function present(session: OwnSession): z.output<typeof schemas.ownSession> {
  const { id, startedAt, lastUsedAt, address, browser, current } = session;
  const { name = null, system = null } = browser;
  return {
    ...{ id, address, current, browser: { name, system } },
    startedAt: new Date(startedAt).toISOString(),
    lastUsedAt: new Date(lastUsedAt).toISOString(),
  };
}
