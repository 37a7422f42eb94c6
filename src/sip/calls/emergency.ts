import type { EmergencyRoute, Identity } from '../../domain/route.ts';
import { sdpOf } from '../body.ts';
import { contentId, PIDF_TYPE, pidfLo } from '../location/pidf-lo.ts';
import { Conversation } from '../menus/conversation.ts';
import type { EmergencyDesk, SipDependencies } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import type { Headers } from '../srf.ts';
import { type CallContext, type ConnectResult, connect, connectLeg, type Outgoing } from './connect.ts';
import type { Target } from './fork.ts';
import type { InboundInvite } from './inbound.ts';
import type { Party } from './leg.ts';
import { emergencyRounds } from './rounds.ts';
import { isWeb, WebSide } from './web-side.ts';

interface Placing {
  readonly route: EmergencyRoute;
  /** Who calls as the trunk says from which the call comes (RFC 3325); absent: it comes from a phone. */
  readonly asserted?: Identity | undefined;
  readonly maxForwards: Headers;
}

/**
 * Sends an emergency call out: the desk's callback number is shown, never the guest's, and every
 * trunk is tried. Nothing here asks the store, a licence or a limit.
 */
export async function placeEmergency(
  context: CallContext,
  invite: InboundInvite,
  { route, asserted, maxForwards }: Placing,
): Promise<void> {
  const { deps } = context;
  const outgoing = outgoingOf(context, { route, asserted, maxForwards });
  const result = await followed(context, route, () =>
    connect(context, invite, { ...outgoing, caller: partyOf(route) }),
  );
  if (result.outcome !== 'failed') return;
  deps.log.error({ ...outgoing.record, status: result.status }, 'EMERGENCY CALL FAILED on every trunk');
  // No trunk can read a browser's offer, and we cannot speak to it either: it is to call again without sound.
  if (isWeb(sdpOf(invite.request)) && !invite.web) return invite.refuse(488, 'No audio', deps.domain);
  const conversation = await Conversation.answer(deps.media, deps.clock, invite);
  await conversation?.say(['emergency-failed', 'emergency-failed']);
  conversation?.hangUp(reasonHeader(result.status, 'Emergency call failed'));
}

/** The same for a caller who typed the number at a menu: the call that is up becomes the emergency call. */
export async function emergencyFromMenu(
  context: CallContext,
  conversation: Conversation,
  route: EmergencyRoute,
): Promise<void> {
  const { deps, table } = context;
  const outgoing = outgoingOf(context, { route, maxForwards: {} });
  conversation.detach();
  const leg = table.add(conversation.dialog, { party: partyOf(route), emergency: true });
  const gone = new AbortController();
  leg.dialog.on('destroy', () => gone.abort(reasonHeader(487, 'Caller hung up')));
  if (leg.ended) gone.abort();
  if (isWeb(leg.remoteSdp)) {
    const web = await WebSide.of(deps, conversation.media);
    if (web) leg.stand(web);
    if (leg.ended) web?.close();
  }
  try {
    const result = await followed(context, route, () =>
      connectLeg(context, leg, { ...outgoing, signal: gone.signal }),
    );
    if (result.outcome !== 'failed') return;
    deps.log.error({ ...outgoing.record, status: result.status }, 'EMERGENCY CALL FAILED on every trunk');
    await conversation.say(['emergency-failed', 'emergency-failed']);
  } finally {
    // Nobody to talk to, for whatever reason.
    if (!leg.peer) leg.hangUp(reasonHeader(503, 'Emergency call failed'));
    await conversation.media.close();
  }
}

/**
 * Places the call, and tells the emergency desk of it: when its first INVITE has been handed over, and how it ends.
 * What goes wrong in telling is no business of the call's.
 */
async function followed(
  { deps }: CallContext,
  route: EmergencyRoute,
  place: () => Promise<ConnectResult>,
): Promise<ConnectResult> {
  const call = place();
  const record = told(deps, (desk) => desk.placed(route));
  const note = (stage: 'answered' | 'failed'): void => {
    if (record) told(deps, (desk) => desk.stage(record, stage));
  };
  try {
    const result = await call;
    if (result.outcome !== 'gone') note(result.outcome === 'connected' ? 'answered' : 'failed');
    return result;
  } catch (error) {
    note('failed');
    throw error;
  }
}

/** What the desk says to it; nothing when it cannot be told. */
function told<T>({ emergencies, log }: SipDependencies, of: (desk: EmergencyDesk) => T): T | undefined {
  try {
    return of(emergencies);
  } catch (error) {
    log.error({ err: error }, 'the emergency desk failed');
    return undefined;
  }
}

function outgoingOf({ deps }: CallContext, { route, asserted, maxForwards }: Placing): Outgoing {
  const { host, callbackNumber, number } = route;
  const identity: Identity = host
    ? { name: host.nickname, number: callbackNumber ?? 'anonymous' }
    : whoElse(deps, asserted);
  const extra = { Priority: 'emergency', ...maxForwards };
  const record = { emergency: number, host: host?.id, callbackNumber };
  deps.log.warn(record, 'emergency call');
  const location = locationOf(deps, route);
  return { rounds: emergencyRounds(deps, number, { identity, extra, location }), emergency: true, record };
}

/** Whom a trunk asserts, if a PSAP can call them back: an extension may have the next trunk refuse the call. */
function whoElse({ numberPlan }: SipDependencies, asserted: Identity | undefined): Identity {
  const { name, number } = asserted ?? { name: '', number: '' };
  // Trunks write national numbers, and full ones with and without the plus.
  const read = numberPlan.toE164(number) ?? numberPlan.toE164(`+${number}`);
  const full = read ?? /^\+\d{8,15}$/.exec(number)?.[0];
  return full === undefined ? { name: '', number: 'anonymous' } : { name, number: full };
}

/** The desk's address by value, with the headers that speak of it (RFC 6442); never in the way of the call. */
function locationOf(
  { trunks, domain, clock, log }: SipDependencies,
  { host, address }: EmergencyRoute,
): Target['enclosed'] {
  const isWanted = trunks.some(({ emergencyCalls }) => emergencyCalls?.pidfLo);
  if (!isWanted || !host || !address) return undefined;
  try {
    const known = { host: host.id, domain, at: clock.now() };
    const unverified = host.location?.verified === false;
    const { nickname, mac } = host;
    const id = contentId(known);
    return {
      part: { type: PIDF_TYPE, id, content: pidfLo({ ...known, nickname, mac, address, unverified }) },
      headers: { Geolocation: `<cid:${id}>`, 'Geolocation-Routing': 'yes', Supported: 'geolocation' },
    };
  } catch (error) {
    log.error({ err: error, host: host.id }, 'an emergency call goes out without its location');
    return undefined;
  }
}

function partyOf({ host }: EmergencyRoute): Party {
  return { kind: 'host', host: host?.id ?? '' };
}
