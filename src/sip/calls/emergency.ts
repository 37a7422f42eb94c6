import type { Identity, Route } from '../../domain/route.ts';
import { Conversation } from '../menus/conversation.ts';
import { reasonHeader } from '../reasons.ts';
import type { Headers } from '../srf.ts';
import { type CallContext, connect, connectLeg, type Outgoing } from './connect.ts';
import type { InboundInvite } from './inbound.ts';
import type { Party } from './leg.ts';
import { emergencyRounds } from './rounds.ts';

export type EmergencyRoute = Extract<Route, { kind: 'emergency' }>;

/**
 * Sends an emergency call out: the desk's callback number is shown, never the guest's, and every
 * trunk is tried. Nothing here asks the store, a licence or a limit.
 */
export async function placeEmergency(
  context: CallContext,
  invite: InboundInvite,
  { route, maxForwards }: { route: EmergencyRoute; maxForwards: Headers },
): Promise<void> {
  const { deps } = context;
  const outgoing = outgoingOf(context, route, maxForwards);
  const result = await connect(context, invite, { ...outgoing, caller: partyOf(route) });
  if (result.outcome !== 'failed') return;
  deps.log.error({ ...outgoing.record, status: result.status }, 'EMERGENCY CALL FAILED on every trunk');
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
  const outgoing = outgoingOf(context, route, {});
  conversation.detach();
  const leg = table.add(conversation.dialog, { party: partyOf(route), emergency: true });
  const gone = new AbortController();
  leg.dialog.on('destroy', () => gone.abort(reasonHeader(487, 'Caller hung up')));
  if (leg.ended) gone.abort();
  try {
    const result = await connectLeg(context, leg, { ...outgoing, signal: gone.signal });
    if (result.outcome !== 'failed') return;
    deps.log.error({ ...outgoing.record, status: result.status }, 'EMERGENCY CALL FAILED on every trunk');
    await conversation.say(['emergency-failed', 'emergency-failed']);
  } finally {
    // Nobody to talk to, for whatever reason.
    if (!leg.peer) leg.hangUp(reasonHeader(503, 'Emergency call failed'));
    await conversation.media.close();
  }
}

function outgoingOf({ deps }: CallContext, route: EmergencyRoute, maxForwards: Headers): Outgoing {
  const { host, callbackNumber, number } = route;
  const identity: Identity = { name: host?.nickname ?? '', number: callbackNumber ?? 'anonymous' };
  const extra = { Priority: 'emergency', ...maxForwards };
  const record = { emergency: number, host: host?.id, callbackNumber };
  deps.log.warn(record, 'emergency call');
  return { rounds: emergencyRounds(deps, number, { identity, extra }), emergency: true, record };
}

function partyOf({ host }: EmergencyRoute): Party {
  return { kind: 'host', host: host?.id ?? '' };
}
