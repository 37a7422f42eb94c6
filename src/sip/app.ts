import type { CallsAtHosts } from '../services/activity.ts';
import type { WarnedPhones } from '../services/expiry-warnings.ts';
import { reviver } from './calls/revive.ts';
import { CallTable } from './calls/table.ts';
import { handleRefer } from './calls/transfer.ts';
import { WarningCalls } from './calls/warning-calls.ts';
import { DigestServer } from './digest.ts';
import { EmergencyGuard } from './emergency-guard.ts';
import { MailboxNotify } from './events/mailbox-notify.ts';
import { Notifier } from './events/notifier.ts';
import { allowEvents, isStray } from './events/subscribe-request.ts';
import { ALLOW, refuseUnacceptable, SUPPORTED_HEADER } from './guard.ts';
import { Identifier } from './identify.ts';
import { handleInvite, type InviteContext } from './invite.ts';
import type { Log, SipDependencies } from './ports.ts';
import { reasonHeader } from './reasons.ts';
import { handleRegister } from './register.ts';
import type { Handler, Request, Response } from './srf.ts';

/** ms that calls have to end by themselves when the server stops. */
const DRAIN = 2_000;
/** ms that emergency calls have to be answered after that, and browsers' to end. */
const EMERGENCY_DRAIN = 7_000;
/** ms for the last BYEs to reach the wire. */
const LAST_WORDS = 100;

export interface SipApp {
  /** Routes the methods this application answers. */
  start(): void;
  /** Takes no more calls but emergency ones, then ends what is left. */
  stop(): Promise<void>;
  stats(): { calls: number; legs: number };
  /** Who talks or dials at our phones. */
  readonly calls: CallsAtHosts;
  /** How a phone is told of a log-out that is near. */
  readonly warnings: WarnedPhones;
  /** To be started when the SIP server is connected. */
  readonly notifier: Notifier;
}

/** The SIP application: which method goes where. Each handler is an edge that logs a surprise once and answers 500. */
export function createSipApp(deps: SipDependencies): SipApp {
  const { clock, domain, log, nonceLifetime, srf } = deps;
  const identifier = new Identifier(
    deps,
    new DigestServer({ realm: domain, nonceLifetime, now: () => clock.now() }),
  );
  const table = new CallTable(log, () => clock.now(), deps.lines);
  let draining = false;
  const emergencyGuard = new EmergencyGuard(deps);
  const context: InviteContext = {
    ...{ deps, table, identifier, emergencyGuard },
    ...{ talks: new Map(), draining: () => draining },
  };
  const warnings = new WarningCalls({ context, inMenu: (host) => context.talks.has(host) });
  table.onRefer = (leg, request, response) => handleRefer(context, leg, { request, response });
  table.onMute = reviver(context);

  const notifier = new Notifier({ deps, identifier });
  const edge = edgeOf(log);

  /** Resolves when it is so, or after `ms`. */
  const pass = async (ms: number, isSo: () => boolean): Promise<void> => {
    const until = clock.now() + ms;
    while (!isSo() && clock.now() < until) await new Promise<void>((resolve) => clock.setTimer(50, resolve));
  };

  return {
    start() {
      srf.use(
        'invite',
        edge((request, response) => handleInvite(context, request, response)),
      );
      srf.use(
        'register',
        edge((request, response) => register(context, request, response)),
      );
      useOutsideCalls(deps, { notifier, identifier });
      srf.on('close', () => {
        table.dropAll();
        warnings.endAll(reasonHeader(503, 'SIP server lost'));
      });
    },
    async stop() {
      draining = true;
      warnings.endAll(reasonHeader(503, 'Server stops'));
      await pass(DRAIN, () => table.size === 0);
      table.hangUpAll();
      const emergencies = (): number =>
        table.pendingEmergencies + warnings.pendingEmergencies + table.relayedEmergencies;
      await pass(EMERGENCY_DRAIN, () => emergencies() === 0);
      table.hangUpRelayed();
      await new Promise<void>((resolve) => clock.setTimer(LAST_WORDS, resolve));
    },
    stats: () => ({ calls: table.size + warnings.size, legs: table.legs }),
    calls: table.phones,
    warnings,
    notifier,
  };
}

/** Makes handlers that log a surprise once and answer 500. */
function edgeOf(
  log: Log,
): (handler: (request: Request, response: Response) => Promise<void> | void) => Handler {
  return (handler) => {
    const attempt = async (request: Request, response: Response): Promise<void> => {
      try {
        await handler(request, response);
      } catch (error) {
        log.error({ err: error, method: request.method }, 'SIP request failed');
        if (!response.finalResponseSent) response.send(500);
      }
    };
    // Not a moment later: a CANCEL may be the next frame, and is lost when nobody listens yet.
    return (request, response) => void attempt(request, response);
  };
}

/** What is neither call nor registration. */
function useOutsideCalls(
  { srf, clock, log, events, mailboxes }: SipDependencies,
  { notifier, identifier }: { readonly notifier: Notifier; readonly identifier: Identifier },
): void {
  const edge = edgeOf(log);
  const allowed = allowEvents(events.packages);
  const mailboxNotify = new MailboxNotify({ mailboxes, identifier, clock, log });
  /** A dialog nobody knows, such as one of the process before this one, gets 481 (RFC 3261 12.2.2). */
  const outside = (handler: (request: Request, response: Response) => void): Handler =>
    edge((request, response) => (isStray(request) ? response.send(481) : handler(request, response)));
  srf.use(
    'options',
    outside((request, response) => options(request, response, allowed)),
  );
  srf.use(
    'subscribe',
    edge((request, response) => subscribe(notifier, request, response)),
  );
  srf.use(
    'publish',
    edge((request, response) => badEvent(request, response, allowed)),
  );
  srf.use(
    'notify',
    edge((request, response) => {
      if (!refuseUnacceptable(request, response)) mailboxNotify.handle(request, response);
    }),
  );
  for (const method of ['info', 'message', 'refer', 'update']) srf.use(method, outside(notAllowed));
}

async function register(
  { deps, identifier }: InviteContext,
  request: Request,
  response: Response,
): Promise<void> {
  if (!refuseUnacceptable(request, response)) await handleRegister(deps, identifier, { request, response });
}

/** OPTIONS (RFC 3261 11): what this server can do; also how an SBC asks whether it lives. */
function options(request: Request, response: Response, events: string): void {
  if (refuseUnacceptable(request, response)) return;
  const headers = {
    Allow: ALLOW,
    Accept: 'application/sdp',
    'Accept-Language': 'en',
    Supported: SUPPORTED_HEADER,
    'Allow-Events': events,
  };
  response.send(200, { headers });
}

function subscribe(notifier: Notifier, request: Request, response: Response): void {
  if (!refuseUnacceptable(request, response)) notifier.handle(request, response);
}

/** PUBLISH (RFC 3903 6): states are ours to tell, none is taken. */
function badEvent(request: Request, response: Response, events: string): void {
  if (refuseUnacceptable(request, response)) return;
  response.send(489, { headers: { 'Allow-Events': events } });
}

function notAllowed(request: Request, response: Response): void {
  if (refuseUnacceptable(request, response)) return;
  response.send(405, { headers: { Allow: ALLOW } });
}
