import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Reason, Refusal } from '../domain/reasons.ts';
import type { HttpLog } from './ports.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** An RFC 9457 problem. `reason` is stable for programs, `errors` names what was wrong in the request. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly reason?: Reason;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

/** What an administrator meets for each reason. */
export const REASONS = {
  badCredentials: { status: 403, title: 'The extension or the PIN is wrong' },
  tooManyTries: { status: 429, title: 'Too many wrong PINs; try again later or unlock the user' },
  notLicensed: { status: 403, title: 'The user has no hot-desk licence' },
  hostDisabled: { status: 409, title: 'Hot desking is switched off on this host' },
  notAllowedHere: { status: 403, title: 'The user may not log in at this host' },
  ownHost: { status: 409, title: 'This is the user’s own phone' },
  alreadyHere: { status: 409, title: 'The user is logged in at this host already' },
  occupied: { status: 409, title: 'Another user is logged in at this host' },
  guestElsewhere: { status: 409, title: 'The user is logged in at another host' },
  nobodyHere: { status: 404, title: 'Nobody is logged in at this host' },
  notYours: { status: 403, title: 'Another user is logged in at this host' },
  noInput: { status: 400, title: 'Nothing was entered' },
  newPasscodeNeeded: { status: 409, title: 'The user must choose a new PIN at a phone first' },
  passcodeTooSimple: { status: 422, title: 'The PIN breaks the company’s rules; nothing was changed' },
  passcodesDiffer: { status: 422, title: 'The PIN and its repetition differ' },
  storeUnavailable: { status: 503, title: 'The store cannot be reached; nothing was changed' },
  guestDisabled: { status: 409, title: 'The guest service of this user is switched off' },
  limitTooLong: { status: 409, title: 'The guest’s time limit is longer than the host allows' },
  associationRunning: { status: 409, title: 'Somebody is logged in there; release the host first' },
  licencesUsedUp: { status: 409, title: 'All licences of this kind are assigned' },
  ownPhoneSilent: { status: 409, title: 'The user is logged in at another phone' },
  notRecorded: { status: 422, title: 'There was nothing to record' },
  hostFree: { status: 409, title: 'Nobody is logged in at this host' },
  numberUnknown: { status: 404, title: 'No such number' },
  notReachable: { status: 409, title: 'Not reachable' },
  callerUnknown: { status: 403, title: 'The caller is not known' },
  malformedNumber: { status: 400, title: 'Not a number that can be dialled' },
  stateUnknown: { status: 503, title: 'The directory is not loaded yet' },
  overloaded: { status: 503, title: 'Too busy; try again later' },
  unknownHost: { status: 404, title: 'No such host' },
  unknownUser: { status: 404, title: 'No such user' },
  unknownEmergency: { status: 404, title: 'No such emergency call, or one of long ago' },
  invalidCursor: { status: 400, title: 'The list cannot go on from there' },
  unknownSite: { status: 404, title: 'No such site' },
  alreadyExists: { status: 409, title: 'There is one of this name already' },
  inUse: { status: 409, title: 'It is in use' },
  wrongKind: { status: 409, title: 'Not possible with a phone of this kind' },
  changedMeanwhile: { status: 412, title: 'It has changed since it was read; nothing was changed' },
  keyUsed: { status: 422, title: 'The idempotency key came with another request' },
  requestInHand: { status: 409, title: 'The same request is being worked on' },
  unknownWebhook: { status: 404, title: 'No such webhook' },
  unknownDeadLetter: { status: 404, title: 'No such dead letter, or nothing in it to send' },
  invalidWebhook: { status: 422, title: 'The webhook is not valid; nothing was changed' },
  tooManyWebhooks: { status: 409, title: 'There are as many webhooks as there may be' },
  notPermitted: { status: 403, title: 'Your account may not do this' },
  codeNeeded: { status: 401, title: 'A code from your authenticator app is needed' },
  wrongCode: { status: 422, title: 'The code is wrong or was used already' },
  linkVoid: { status: 403, title: 'The link was used already, is too old, or was replaced by another' },
  passwordTooSimple: { status: 422, title: 'The password will not do; nothing was changed' },
  unknownAccount: { status: 404, title: 'No such account' },
  unknownToken: { status: 404, title: 'No such token' },
  unknownSession: { status: 404, title: 'No such session' },
  providerUnavailable: { status: 503, title: 'The identity provider cannot be reached; try again later' },
  signInVoid: { status: 403, title: 'The sign-in took too long or was begun elsewhere; begin again' },
  noAccount: { status: 403, title: 'There is no account for who you are at the identity provider' },
  lastAdministrator: { status: 409, title: 'This is the last administrator; nothing was changed' },
  tooManyAccounts: { status: 409, title: 'There are as many accounts as there may be' },
  tooManyTokens: { status: 409, title: 'There are as many tokens as there may be' },
  totpOn: { status: 409, title: 'Codes are switched on already; switch them off first' },
  unknownOrder: { status: 404, title: 'No such order' },
  invalidOrder: { status: 422, title: 'The order is not valid; nothing was changed' },
  priceChanged: { status: 409, title: 'The charges have changed; nothing was ordered' },
  wrongOrderState: { status: 409, title: 'Not possible in the state the order is in' },
  tooManyOrders: { status: 409, title: 'There are as many orders as there may be, and none is finished' },
  invalidDirectory: { status: 422, title: 'The directory is not valid; nothing was changed' },
  invalidImport: { status: 422, title: 'The table cannot be imported as it is; nothing was changed' },
} as const satisfies Record<Reason, { status: number; title: string }>;

/** Problem of a refusal. */
export function problemOf(refusal: Refusal): Problem {
  const { refused: reason, detail } = refusal;
  return {
    type: `urn:hotdesk:reason:${reason}`,
    ...REASONS[reason],
    reason,
    ...(detail === undefined ? {} : { detail }),
  };
}

/** A refusal with everything that is wrong, a path and words each; `prefix` stands before the paths in the body. */
export function problemsProblem(
  refusal: Refusal & { readonly problems?: readonly string[] },
  prefix: string | RegExp,
): Problem {
  const { problems, ...plain } = refusal;
  if (problems === undefined) return problemOf(plain);
  const errors = problems.map((text) => {
    const [path = '', ...words] = text.split(': ');
    const before = beginOf(path, prefix);
    const inBody = before === undefined ? path : `body.${path.slice(before.length)}`;
    return { path: inBody, message: words.join(': ') };
  });
  return { ...problemOf(plain), errors };
}

function beginOf(path: string, prefix: string | RegExp): string | undefined {
  if (typeof prefix === 'string') return path.startsWith(prefix) ? prefix : undefined;
  return prefix.exec(path)?.[0];
}

/** Problem that says no more than its HTTP status and, at most, a sentence (RFC 9457 4.2.1). */
export function statusProblem(status: number, detail?: string): Problem {
  const title = STATUS_CODES[status] ?? 'Error';
  return { type: 'about:blank', title, status, ...(detail === undefined ? {} : { detail }) };
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 503) reply.header('retry-after', '5');
  return reply.code(problem.status).type('application/problem+json').send(problem);
}

export function refuse(reply: FastifyReply, refusal: Refusal): FastifyReply {
  return sendProblem(reply, problemOf(refusal));
}

/** Sentences for what fastify refuses by itself. Its own may quote the request. */
const REFUSED_REQUESTS: Readonly<Record<number, string>> = {
  400: 'The request could not be read.',
  408: 'The request did not arrive in time.',
  414: 'The address is too long.',
  415: 'The body has a type that is not taken here.',
};

/** `limit`: bytes. Who has much to send learns into how many parts it must go. */
function tooLarge(limit: number): string {
  const most = limit < 2 ** 20 ? `${Math.floor(limit / 2 ** 10)} KiB` : `${Math.floor(limit / 2 ** 20)} MiB`;
  return `The body is too large: ${most} is the most that is taken here.`;
}

function validationProblem(error: FastifyError): Problem {
  const where = error.validationContext === 'params' ? 'path' : (error.validationContext ?? 'request');
  const errors = (error.validation ?? []).map(({ instancePath, message }) => ({
    path: `${where}${instancePath.replaceAll('/', '.')}`.replace(/\.$/, ''),
    message: message ?? 'not valid',
  }));
  return { ...statusProblem(400, 'The request is not valid.'), errors };
}

/** The one place where an exception of a request ends: logged once if it is ours, and answered without internals. */
export function errorHandler(log: HttpLog) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (error.validation !== undefined) return sendProblem(reply, validationProblem(error));
    const { statusCode: status = 500 } = error;
    if (status === 413)
      return sendProblem(reply, statusProblem(413, tooLarge(request.routeOptions.bodyLimit)));
    if (status >= 400 && status < 500)
      return sendProblem(reply, statusProblem(status, REFUSED_REQUESTS[status]));
    log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'HTTP request failed');
    return sendProblem(reply, statusProblem(500));
  };
}

export function notFoundHandler(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(reply, statusProblem(404));
}

/** A whole response in text, for requests so broken that fastify never sees them. */
export function rawProblem(status: number): string {
  const body = JSON.stringify(statusProblem(status, REFUSED_REQUESTS[status]));
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    ...Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
