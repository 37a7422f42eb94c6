import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Account, canonicalEmail } from '../../domain/account.ts';
import { PASSWORD_WORDS } from '../../domain/password.ts';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import type { PasswordRefusal } from '../../services/accounts.ts';
import type { DirectoryRefusal } from '../../services/directory-service.ts';
import type { Session } from '../../services/sign-in.ts';
import { whileStoreAnswers } from '../../services/while-store-answers.ts';
import * as schemas from '../account-schemas.ts';
import { cookieOf, dropCookie, setCookie } from '../cookies.ts';
import type { HttpServices } from '../ports.ts';
import { presentOwnSite, presentSelf } from '../present-accounts.ts';
import { actorOf, principalOf } from '../principal.ts';
import { type Problem, problemOf, problemsProblem, refuse, sendProblem, statusProblem } from '../problem.ts';
import { type MinuteCounts, originOf, refuseWaiting, sourceOf } from '../rate-limit.ts';
import { nothing } from '../schemas.ts';
import { type Api, describe } from './route.ts';

export interface Entrance {
  readonly services: HttpServices;
  readonly failed: MinuteCounts;
}

/** What needs no session: it makes one, or the account behind it. */
export function entranceRoutes(api: Api, { services, failed }: Entrance): void {
  const { signIn, accounts } = services;
  const enter = open('Sign in', { 200: schemas.signedIn }, { body: schemas.signIn });
  api.post('/session', enter, async (request, reply) => {
    const { email, password, code } = request.body;
    const made = await signIn.signIn({ email, password, code, source: sourceOf(request) }, originOf(request));
    if (isRefusal(made)) return sendProblem(reply, signInProblem(made));
    await renew(services, { request, reply, made });
    return reply.send({ account: presentSelf(made.account) });
  });

  const set = open('Set a password by a one-time link', { 204: nothing }, { body: schemas.passwordByLink });
  api.post('/password', set, async (request, reply) => {
    const source = sourceOf(request);
    const refused = refuseWaiting(failed, source, reply);
    if (refused) return refused;
    const result = await accounts.setPassword(request.body.token, request.body.password);
    if (!isRefusal(result)) return reply.code(204).send();
    if (result.refused === 'linkVoid') failed.count(source);
    return sendProblem(reply, passwordProblem(result, 'password'));
  });

  setUpRoutes(api, { services, failed });
}

function setUpRoutes(api: Api, { services: { accounts }, failed }: Entrance): void {
  const ask = open('Whether the first administrator is still to come', { 200: schemas.setUpState });
  api.get('/setup', ask, async (_request, reply) => reply.send({ needed: accounts.needsSetUp }));

  const setUp = open('Make the first administrator', { 201: schemas.signedIn }, { body: schemas.setUp });
  api.post('/setup', setUp, async (request, reply) => {
    const source = sourceOf(request);
    const refused = refuseWaiting(failed, source, reply);
    if (refused) return refused;
    const { token, ...wish } = request.body;
    const result = await accounts.setUp(token, { ...wish, email: canonicalEmail(wish.email) });
    if (!isRefusal(result)) return reply.code(201).send({ account: presentSelf(result) });
    if (result.refused === 'linkVoid') failed.count(source);
    return sendProblem(reply, passwordProblem(result, 'password'));
  });
}

/** One's own session, password and codes. */
export function sessionRoutes(api: Api, services: HttpServices): void {
  const { signIn } = services;
  api.get('/session', describe('Who is signed in', { 200: schemas.session }), async (request, reply) => {
    const session = await signIn.session(cookieOf(request) ?? '');
    if (isRefusal(session)) return refuse(reply, session);
    if (session === undefined) return noSession(reply);
    const { account, csrf } = session;
    const site = presentOwnSite(account, services.view.directory);
    return reply.send({ account: presentSelf(account), csrf, site });
  });

  api.delete('/session', describe('Sign out', { 204: nothing }), async (request, reply) => {
    const result = await signIn.signOut(cookieOf(request) ?? '');
    if (isRefusal(result)) return refuse(reply, result);
    services.live.look();
    dropCookie(request, reply);
    return reply.code(204).send();
  });

  const others = describe('End every other session of one’s own', { 204: nothing });
  api.delete('/session/others', others, async (request, reply) => {
    const account = ownAccount(services, request);
    if (isRefusal(account)) return noSession(reply);
    const result = await services.accounts.signOut(account.id, actorOf(request));
    if (isRefusal(result)) return refuse(reply, result);
    services.live.look();
    const made = await whileStoreAnswers(() => signIn.begin(account, originOf(request)));
    if (isRefusal(made)) return refuse(reply, made);
    setCookie({ request, reply }, made.id);
    return reply.code(204).send();
  });

  passwordRoute(api, services);
  totpRoutes(api, services);
}

function passwordRoute(api: Api, services: HttpServices): void {
  const change = describe(
    'Change one’s own password; every other session ends',
    { 204: nothing },
    { body: schemas.passwordChange },
  );
  api.put('/session/password', change, async (request, reply) => {
    const account = ownAccount(services, request);
    if (isRefusal(account)) return noSession(reply);
    const result = await services.accounts.changePassword(account, {
      ...request.body,
      source: sourceOf(request),
    });
    if (isRefusal(result)) return sendProblem(reply, proofProblem(result));
    const made = await whileStoreAnswers(() => services.signIn.begin(result, originOf(request)));
    if (isRefusal(made)) return refuse(reply, made);
    setCookie({ request, reply }, made.id);
    return reply.code(204).send();
  });
}

function totpRoutes(api: Api, { accounts }: HttpServices): void {
  const begin = describe(
    'Get a secret for an authenticator app; nothing is asked for before a code has confirmed it',
    { 201: schemas.totpSecret },
    { body: schemas.proof },
  );
  api.post('/session/totp', begin, async (request, reply) => {
    const account = ownAccount({ accounts }, request);
    if (isRefusal(account)) return noSession(reply);
    const result = await accounts.beginTotp(account, { ...request.body, source: sourceOf(request) });
    return isRefusal(result) ? sendProblem(reply, proofProblem(result)) : reply.code(201).send(result);
  });

  const confirm = describe('Confirm it by a code', { 204: nothing }, { body: schemas.totpCode });
  api.put('/session/totp', confirm, async (request, reply) => {
    const account = ownAccount({ accounts }, request);
    if (isRefusal(account)) return noSession(reply);
    const result = await accounts.confirmTotp(account, request.body.code);
    return isRefusal(result) ? refuse(reply, result) : reply.code(204).send();
  });

  const remove = describe('Ask for no codes any more', { 204: nothing }, { body: schemas.proof });
  api.post('/session/totp/removal', remove, async (request, reply) => {
    const account = ownAccount({ accounts }, request);
    if (isRefusal(account)) return noSession(reply);
    const result = await accounts.removeOwnTotp(account, { ...request.body, source: sourceOf(request) });
    return isRefusal(result) ? sendProblem(reply, proofProblem(result)) : reply.code(204).send();
  });
}

/** The session a browser had before ends: nobody goes on with an id that was there before they signed in. */
export async function renew(
  { signIn }: Pick<HttpServices, 'signIn'>,
  {
    request,
    reply,
    made,
  }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly made: Session },
): Promise<void> {
  const before = cookieOf(request);
  if (before !== undefined) await signIn.signOut(before);
  setCookie({ request, reply }, made.id);
}

/** Tokens have no account. */
export function ownAccount(
  { accounts }: Pick<HttpServices, 'accounts'>,
  request: FastifyRequest,
): Account | Refusal {
  const { account } = principalOf(request);
  return account === undefined ? { refused: 'unknownAccount' } : accounts.get(account);
}

export function noSession(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, statusProblem(401, 'Nobody is signed in here.'));
}

/** As `describe`, for who is not known yet. */
export function open<const Answers extends object, const Given extends object = object>(
  summary: string,
  answers: Answers,
  given: Given = {} as Given,
) {
  const { schema } = describe(summary, answers, given);
  return { schema: { ...schema, security: [] } };
}

const WRONG = { status: 401, title: 'The e-mail address, the password or the code is wrong' };
const TOO_MANY = { title: 'Too many wrong passwords; try again later' };

/** Not that of a PIN. */
function signInProblem(refusal: Refusal): Problem {
  const problem = problemOf(refusal);
  if (refusal.refused === 'badCredentials') return { ...problem, ...WRONG };
  return refusal.refused === 'tooManyTries' ? { ...problem, ...TOO_MANY } : problem;
}

/** Of somebody who is signed in: the session goes on, so that it is no 401. */
function proofProblem(refusal: PasswordRefusal | DirectoryRefusal): Problem {
  if (refusal.refused === 'badCredentials')
    return { ...signInProblem(refusal), status: 403, title: 'The password or the code is wrong' };
  if (refusal.refused === 'codeNeeded') return { ...problemOf(refusal), status: 403 };
  return refusal.refused === 'tooManyTries'
    ? signInProblem(refusal)
    : passwordProblem(refusal, 'newPassword');
}

/** Names what is wrong with a password, never any of it. */
function passwordProblem(refusal: PasswordRefusal & DirectoryRefusal, field: string): Problem {
  const { passwordProblems, problems, ...plain } = refusal;
  if (passwordProblems === undefined)
    return problemsProblem({ ...plain, ...(problems && { problems }) }, /^account:[^.]*\./);
  const errors = passwordProblems.map((problem) => ({
    path: `body.${field}`,
    message: PASSWORD_WORDS[problem],
  }));
  return { ...problemOf(plain), errors };
}
