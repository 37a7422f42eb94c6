import { PASSCODE_WORDS } from '../../domain/passcode.ts';
import { isRefusal } from '../../domain/reasons.ts';
import type { PasscodeRefusal } from '../../services/passcode-service.ts';
import type { HttpServices } from '../ports.ts';
import { tag } from '../preconditions.ts';
import { presentUser } from '../present.ts';
import { actorOf } from '../principal.ts';
import { type Problem, problemOf, refuse, sendProblem } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { type Api, describe, userIn } from './route.ts';

/** Users, where each is logged in, their PINs, and lifting a lock-out. */
export function userRoutes(api: Api, services: HttpServices): void {
  const read = describe('Read a user', { 200: schemas.user }, { params: schemas.userPath });
  api.get('/users/:extension', read, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    tag(reply, found.user);
    return reply.send(presentUser(found.user, found.facts));
  });

  const unlock = describe(
    'Forget wrong PINs of a user',
    { 204: schemas.nothing },
    { params: schemas.userPath },
  );
  api.post('/users/:extension/unlock', unlock, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const result = await services.passcodes.unlock(found.user.extension, actorOf(request));
    return isRefusal(result) ? refuse(reply, result) : reply.code(204).send();
  });

  passcodeRoutes(api, services);
}

function passcodeRoutes(api: Api, services: HttpServices): void {
  const given = { params: schemas.userPath, body: schemas.passcodeWish };
  const set = describe('Set a PIN; lifts a lock-out', { 204: schemas.nothing }, given);
  api.put('/users/:extension/passcode', set, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const result = await services.passcodes.set(
      found.user.extension,
      request.body.passcode,
      actorOf(request),
    );
    return isRefusal(result) ? sendProblem(reply, passcodeProblem(result)) : reply.code(204).send();
  });

  const give = describe(
    'Give out a random PIN that the first login replaces; lifts a lock-out',
    { 201: schemas.oneTimePasscode },
    { params: schemas.userPath },
  );
  api.post('/users/:extension/passcode', give, async (request, reply) => {
    const found = userIn(services, request.params.extension);
    if (isRefusal(found)) return refuse(reply, found);
    const result = await services.passcodes.giveOneTime(found.user.extension, actorOf(request));
    if (isRefusal(result)) return refuse(reply, result);
    return reply.code(201).send({ passcode: result.passcode, oneTime: true });
  });
}

/** Names each rule that was broken, never the digits. */
function passcodeProblem(refusal: PasscodeRefusal): Problem {
  const { problems } = refusal;
  if (problems === undefined) return problemOf(refusal);
  const errors = problems.map((problem) => ({ path: 'body.passcode', message: PASSCODE_WORDS[problem] }));
  return { ...problemOf(refusal), errors };
}
