import type { z } from 'zod';
import { isRefusal } from '../../domain/reasons.ts';
import type { AccountChange } from '../../services/accounts.ts';
import * as schemas from '../account-schemas.ts';
import { answerOnce, created, idempotencyKey, refusedAs } from '../creation.ts';
import type { HttpServices } from '../ports.ts';
import { ifMatch, ifTagOf, tag } from '../preconditions.ts';
import { presentAccount, presentLink } from '../present-accounts.ts';
import { actorOf } from '../principal.ts';
import { problemsProblem, refuse, sendProblem } from '../problem.ts';
import { nothing } from '../schemas.ts';
import { type Api, describe } from './route.ts';

type Services = Pick<HttpServices, 'accounts' | 'replays' | 'live'>;
const AT = { params: schemas.accountPath };

/** Who may sign in. */
export function accountRoutes(api: Api, services: Services): void {
  const { accounts } = services;
  const list = describe(
    'List the accounts',
    { 200: schemas.accounts },
    { querystring: schemas.accountsQuery },
  );
  api.get('/accounts', list, async (request, reply) => {
    const page = await accounts.list(request.query);
    if (isRefusal(page)) return refuse(reply, page);
    const { accounts: found, next = null, total } = page;
    return reply.send({ accounts: found.map(presentAccount), next, total });
  });

  const create = describe(
    'Add an account; the link that comes back sets its password',
    { 201: schemas.newAccount },
    { body: schemas.accountWish, headers: idempotencyKey },
  );
  api.post('/accounts', create, async (request, reply) => {
    const { sites, extension, subject, ...wish } = request.body;
    const given = {
      ...wish,
      ...(sites != null && { sites }),
      ...(extension != null && { extension }),
      ...(subject != null && { subject }),
    };
    return answerOnce(services, { request, reply }, async () => {
      const made = await accounts.create(given, actorOf(request));
      if (isRefusal(made)) return refusedAs(problemsProblem(made, /^account:[^.]*\./));
      const { account, link } = made;
      const body = { account: presentAccount(account), link: presentLink(link) };
      return created(`/accounts/${account.id}`, account, body);
    });
  });

  oneAccountRoutes(api, services);
  recoveryRoutes(api, services);
}

function oneAccountRoutes(api: Api, { accounts }: Services): void {
  api.get(
    '/accounts/:id',
    describe('Read an account', { 200: schemas.account }, AT),
    async (request, reply) => {
      const found = accounts.get(request.params.id);
      if (isRefusal(found)) return refuse(reply, found);
      tag(reply, found);
      return reply.send(presentAccount(found));
    },
  );

  const given = { ...AT, body: schemas.accountChange, headers: ifMatch };
  const change = describe('Change an account, or disable it', { 200: schemas.account }, given);
  api.patch('/accounts/:id', change, async (request, reply) => {
    const { id } = request.params;
    const changed = await accounts.change(id, changeOf(request.body), {
      actor: actorOf(request),
      ifTag: ifTagOf(request),
    });
    if (isRefusal(changed)) return sendProblem(reply, problemsProblem(changed, `account:${id}.`));
    tag(reply, changed);
    return reply.send(presentAccount(changed));
  });

  const remove = describe('Remove an account', { 204: nothing }, AT);
  api.delete('/accounts/:id', remove, async (request, reply) => {
    const removed = await accounts.remove(request.params.id, actorOf(request));
    return isRefusal(removed) ? refuse(reply, removed) : reply.code(204).send();
  });
}

function recoveryRoutes(api: Api, { accounts, live }: Services): void {
  const reset = describe('Make a one-time link to set a new password', { 201: schemas.link }, AT);
  api.post('/accounts/:id/reset', reset, async (request, reply) => {
    const link = await accounts.reset(request.params.id, actorOf(request));
    return isRefusal(link) ? refuse(reply, link) : reply.code(201).send(presentLink(link));
  });

  const forget = describe('Ask for no codes at sign-in, for who has lost their app', { 204: nothing }, AT);
  api.delete('/accounts/:id/totp', forget, async (request, reply) => {
    const changed = await accounts.removeTotp(request.params.id, actorOf(request));
    return isRefusal(changed) ? refuse(reply, changed) : reply.code(204).send();
  });

  const signOut = describe('Sign an account out everywhere', { 204: nothing }, AT);
  api.delete('/accounts/:id/sessions', signOut, async (request, reply) => {
    const result = await accounts.signOut(request.params.id, actorOf(request));
    if (isRefusal(result)) return refuse(reply, result);
    live.look();
    return reply.code(204).send();
  });
}

/** null clears what may be absent. */
function changeOf({
  sites,
  extension,
  subject,
  ...rest
}: z.output<typeof schemas.accountChange>): AccountChange {
  return {
    ...rest,
    ...(sites === undefined ? {} : { sites: sites ?? undefined }),
    ...(extension === undefined ? {} : { extension: extension ?? undefined }),
    ...(subject === undefined ? {} : { subject: subject ?? undefined }),
  };
}
