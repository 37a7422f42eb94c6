import type { CallbackRoute } from '../domain/callback.ts';
import { decideRoute, type EmergencyRoute, type Identity, type Route } from '../domain/route.ts';
import { placeCallback } from './calls/callback.ts';
import { type CallContext, connect } from './calls/connect.ts';
import { emergencyFromMenu, placeEmergency } from './calls/emergency.ts';
import { InboundInvite } from './calls/inbound.ts';
import type { Party } from './calls/leg.ts';
import type { OpenLine } from './calls/lines.ts';
import { type PursuedRoute, pursue } from './calls/pursue.ts';
import { isBarge } from './calls/replaces.ts';
import type { EmergencyGuard } from './emergency-guard.ts';
import { refuseUnacceptable } from './guard.ts';
import type { Identifier } from './identify.ts';
import { answerAndRefuse, sayAndRefuse } from './menus/announce.ts';
import { Conversation } from './menus/conversation.ts';
import type { Emergency } from './menus/credentials.ts';
import { emergencyByDigits } from './menus/emergency-digits.ts';
import { logIn } from './menus/log-in.ts';
import { logOut } from './menus/log-out.ts';
import { voicePortal } from './menus/portal/portal.ts';
import { readBack } from './menus/read-back.ts';
import type { SipDependencies } from './ports.ts';
import { reasonHeader, spoken } from './reasons.ts';
import type { Headers, Request, Response } from './srf.ts';
import { displayNameOf, userOf } from './uri.ts';

type UrgentRoute = EmergencyRoute | CallbackRoute;

/** Menus and announcements one phone may have at once. */
const MAX_TALKS = 3;

export interface InviteContext extends CallContext {
  readonly identifier: Identifier;
  readonly emergencyGuard: EmergencyGuard;
  /** Menus and announcements under way, per host, oldest first. */
  readonly talks: Map<string, Set<InboundInvite>>;
  /** True once the server is stopping: emergency calls only. */
  readonly draining: () => boolean;
}

/** INVITE, in this order: emergency, who calls, what for. */
export async function handleInvite(
  context: InviteContext,
  request: Request,
  response: Response,
): Promise<void> {
  const { deps, table } = context;
  // Without it nothing could be sent to the caller inside the call (RFC 3261 8.1.1.8).
  if (!request.has('Contact')) return response.send(400, 'Contact missing', {});
  const urgent = urgentRoute(context, request);
  if (!mayEnter(context, { request, response, urgent })) return;
  const invite = new InboundInvite(deps.srf, request, response);
  if (urgent?.kind === 'emergency') context.emergencyGuard.count(invite);
  table.pending.add(invite);
  try {
    invite.emergency = urgent !== undefined;
    if (urgent) await placeUrgent(context, invite, urgent);
    else await routeCall(context, invite);
  } finally {
    table.pending.delete(invite);
    invite.web?.drop();
  }
}

/**
 * Decided first, from memory, before anything that could go wrong; an emergency call without proof of who calls, a call
 * back after one by the trunk it comes from.
 */
function urgentRoute({ deps, identifier }: InviteContext, request: Request): UrgentRoute | undefined {
  const source = {
    address: request.source_address,
    port: Number(request.source_port),
    claimedHost: identifier.claimedHost(request),
  };
  const trunk = identifier.trunkOf(request);
  // Sent back to us by a trunk for the seventieth time: out of the loop, 483.
  if (trunk && isLastHop(request)) return undefined;
  const caller = trunk
    ? ({ kind: 'trunk', trunk: trunk.name, emergency: trunk.emergency } as const)
    : ({ kind: 'unknown' } as const);
  const route = decideRoute(
    { requestUri: request.uri, caller, anonymousSource: source },
    deps.view,
    deps.numberPlan,
  );
  return route.kind === 'emergency' || route.kind === 'callback' ? route : undefined;
}

function mayEnter(
  context: InviteContext,
  { request, response, urgent }: { request: Request; response: Response; urgent: UrgentRoute | undefined },
): boolean {
  switch (urgent?.kind) {
    case 'emergency':
      return mayCallForHelp(context, { request, response, emergency: urgent });
    case 'callback':
      return true;
    default:
      return mayGoOn(context, request, response);
  }
}

/** From where phones are, always; strangers and floods are kept from the emergency trunks. */
function mayCallForHelp(
  { identifier, emergencyGuard }: InviteContext,
  { request, response, emergency }: { request: Request; response: Response; emergency: EmergencyRoute },
): boolean {
  const verdict = emergencyGuard.decide(request, emergency, identifier.trunkOf(request));
  if (verdict !== 'go') emergencyGuard.refuse(verdict, request, response);
  return verdict === 'go';
}

function mayGoOn(context: InviteContext, request: Request, response: Response): boolean {
  const { deps, table, draining, identifier } = context;
  // Of a dialog that is over, or not ours: a new INVITE has no To tag (RFC 3261 12.2.2).
  if (/;\s*tag\s*=[^<>]*$/i.test(request.get('To') ?? '')) {
    response.send(481);
    return false;
  }
  if (refuseUnacceptable(request, response)) return false;
  if (isBarge(request, table)) {
    response.send(603);
    return false;
  }
  if (isLastHop(request) && !isFeatureCode(request.uri)) {
    response.send(483);
    return false;
  }
  if (!draining() && table.size < deps.maxCalls) return true;
  const { status, text } = spoken('overloaded');
  // A phone told to wait would place no emergency call here meanwhile (RFC 3261 21.5.4).
  const wait: Headers = identifier.trunkOf(request) ? { 'Retry-After': '5' } : {};
  response.send(status, { headers: { ...wait, Reason: reasonHeader(status, text) } });
  return false;
}

function isLastHop(request: Request): boolean {
  return request.get('Max-Forwards')?.trim() === '0';
}

function isFeatureCode(uri: string): boolean {
  return userOf(uri).startsWith('*');
}

async function routeCall(context: InviteContext, invite: InboundInvite): Promise<void> {
  const { deps, identifier } = context;
  const { request, response } = invite;
  // Who calls cannot be known yet: nothing final may be said of a phone that is perhaps ours.
  if (!deps.view.directory) {
    return refuse(deps, invite, { reason: 'stateUnknown', fromPhone: !identifier.trunkOf(request) });
  }
  const caller = identifier.identify(request, response);
  if (!caller || caller.kind === 'unknown') return;
  const route = decideRoute({ requestUri: request.uri, caller }, deps.view, deps.numberPlan);
  deps.log.debug(
    { caller, route: route.kind, reason: route.kind === 'refuse' ? route.reason : undefined },
    'route',
  );
  switch (route.kind) {
    case 'logIn':
    case 'logOut':
    case 'readBack':
    case 'voicePortal':
      return oneOfFew(context, invite, {
        host: route.host.id,
        talk: (line) => menu(context, invite, { route, line }),
      });
    case 'ring':
    case 'trunk':
    case 'divert':
    case 'voicemail':
      return place(context, invite, { route, caller });
    case 'refuse': {
      const talk = (): Promise<void> =>
        refuse(deps, invite, { reason: route.reason, fromPhone: caller.kind === 'host' });
      return caller.kind === 'host' ? oneOfFew(context, invite, { host: caller.host, talk }) : talk();
    }
    case 'emergency':
    case 'callback':
      return placeUrgent(context, invite, route);
  }
}

/** What no limit holds up. */
function placeUrgent(context: InviteContext, invite: InboundInvite, route: UrgentRoute): Promise<void> {
  const { request } = invite;
  const maxForwards = hopsLeft(request);
  const trunk = context.identifier.trunkOf(request);
  if (route.kind === 'emergency') {
    // What lies behind a trunk is not ours: it says itself who calls.
    const asserted = trunk && identityOf(request);
    return placeEmergency(context, invite, { route, asserted, maxForwards });
  }
  const caller: Party = { kind: 'trunk', trunk: trunk?.name ?? '' };
  const extra = { ...maxForwards, ...privacyOf(request) };
  return placeCallback(context, invite, { route, caller, from: identityOf(request), extra });
}

/**
 * A phone has few lines: of more talks with us at once the oldest is one it has forgotten (it was rebooted in a menu),
 * or a flood's. It ends, so that other phones find room.
 */
async function oneOfFew(
  { talks, table }: InviteContext,
  invite: InboundInvite,
  { host, talk }: { host: string; talk: (line: OpenLine) => Promise<void> },
): Promise<void> {
  const own = talks.get(host) ?? new Set();
  talks.set(host, own.add(invite));
  const oldest = [...own].find(({ emergency }) => !emergency);
  if (own.size > MAX_TALKS) oldest?.abandon(reasonHeader(503, 'Too many calls of this phone'));
  const line = table.lines.begin(
    { kind: 'host', host },
    { direction: 'initiator', state: 'confirmed', remote: undefined },
  );
  try {
    await talk(line);
  } finally {
    line.end();
    own.delete(invite);
    if (own.size === 0) talks.delete(host);
  }
}

type MenuRoute = Extract<Route, { kind: 'logIn' | 'logOut' | 'readBack' | 'voicePortal' }>;

/** A talk with us. Whoever types an emergency number at a question is connected to it. */
async function menu(
  context: InviteContext,
  invite: InboundInvite,
  { route, line }: { readonly route: MenuRoute; readonly line: OpenLine },
): Promise<void> {
  const { deps } = context;
  const conversation = await Conversation.answer(deps.media, deps.clock, invite);
  if (!conversation) return;
  try {
    const end = await talk(deps, conversation, { route, source: invite.request.source_address });
    const help = end && emergencyByDigits(deps, route.host.id, end.emergency);
    invite.emergency = help !== undefined;
    if (!help) return;
    const call = emergencyFromMenu(context, conversation, help);
    // The emergency call has a line of its own by now.
    line.end();
    await call;
  } catch (error) {
    conversation.hangUp(reasonHeader(500, 'Something went wrong'));
    throw error;
  }
}

function talk(
  deps: SipDependencies,
  conversation: Conversation,
  { route, source }: { readonly route: MenuRoute; readonly source: string },
): Promise<Emergency | undefined> {
  const { host } = route;
  const emergencyNumber = (digits: string): string | undefined =>
    emergencyByDigits(deps, host.id, digits)?.number;
  switch (route.kind) {
    case 'readBack':
      return readBack(conversation, route).then(() => undefined);
    case 'logOut':
      return logOut(deps, conversation, { host, source, emergencyNumber });
    case 'logIn':
      return logIn(deps, conversation, { host, source, emergencyNumber });
    case 'voicePortal':
      return voicePortal(deps, conversation, { host: host.id, person: route.person, source });
  }
}

/** To where it is wanted, which may be somewhere else after a while. */
async function place(
  context: InviteContext,
  invite: InboundInvite,
  { route, caller }: { route: PursuedRoute; caller: Party },
): Promise<void> {
  const { deps } = context;
  const { request } = invite;
  const isPhone = caller.kind === 'host';
  const pursuit = {
    ...{ route, from: identityOf(request), extra: { ...hopsLeft(request), ...privacyOf(request) } },
    ...(isPhone ? { host: caller.host } : { before: request.get('Diversion') }),
  };
  const record = { from: ('as' in route && route.as?.number) || caller, route: route.kind };
  const result = await pursue(context, pursuit, (attempt) =>
    connect(context, invite, { ...attempt, caller, emergency: false, record }),
  );
  if (result.outcome === 'refused')
    return refuse(deps, invite, { reason: result.reason, fromPhone: isPhone });
  if (result.outcome === 'failed') {
    deps.log.info({ ...record, status: result.status }, 'call not answered');
    invite.refuse(result.status, result.reason, deps.domain);
  }
}

function refuse(
  deps: SipDependencies,
  invite: InboundInvite,
  { reason, fromPhone }: { reason: Parameters<typeof spoken>[0]; fromPhone: boolean },
): Promise<void> {
  deps.log.info({ reason }, 'call refused');
  if (reason === 'hostFree') return answerAndRefuse(deps, invite, reason);
  if (fromPhone) return sayAndRefuse(deps, invite, reason);
  const { status, text } = spoken(reason);
  invite.refuse(status, text, deps.domain);
  return Promise.resolve();
}

/** Caller of a trunk's call, as the trunk asserts it (RFC 3325). */
function identityOf(request: Request): Identity {
  const header = request.get('P-Asserted-Identity') ?? request.get('From') ?? '';
  return { name: displayNameOf(header), number: userOf(header) || 'anonymous' };
}

/** A caller's wish to stay unnamed goes with the call (RFC 3323); not with emergency calls. */
function privacyOf(request: Request): Headers {
  const privacy = request.get('Privacy');
  return privacy === undefined ? {} : { Privacy: privacy };
}

/** A B2BUA that starts each leg at 70 would let a routing loop run for ever (RFC 3261 16.6). */
function hopsLeft(request: Request): Headers {
  const hops = Number.parseInt(request.get('Max-Forwards') ?? '70', 10);
  return { 'Max-Forwards': String(Math.max(Number.isNaN(hops) ? 69 : hops - 1, 0)) };
}
