import { sdpOf } from '../body.ts';
import type { Clock } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import type { CallContext } from './connect.ts';
import type { InboundInvite } from './inbound.ts';
import type { Leg } from './leg.ts';
import { type ReinviteResult, reinvitePatiently } from './reinvite.ts';
import { NOT_ACCEPTABLE } from './sdp.ts';
import { WebSide } from './web-side.ts';

/** ms between two looks whether there are media again. */
const LOOK_EVERY = 250;
/** ms after which both are better off calling again, and what a try that failed costs of them. */
const PATIENCE = 20_000;
const FAILED = 5_000;
/** ms the answer to an emergency call may be held back: a worker that hangs is seen after four seconds, the next is there after two. */
const ANSWER_PATIENCE = 9_000;
/** ms before the next try. */
const BREATH = 1_000;

/**
 * Gives emergency calls of browsers their sound back after media died: both sides are asked by re-INVITE to send to a new
 * relay, as soon as there is one, and the call stays up throughout. Calls of other phones have no media of ours.
 */
export function reviver(context: CallContext): (leg: Leg) => void {
  const under = new Set<Leg>();
  const attempt = async (leg: Leg): Promise<void> => {
    if (under.has(leg) || (leg.peer && under.has(leg.peer))) return;
    under.add(leg);
    try {
      await revive(context, leg);
    } catch (error) {
      context.deps.log.error({ err: error }, 'an emergency call stays without sound');
    } finally {
      under.delete(leg);
    }
  };
  return (leg) => void attempt(leg);
}

async function revive(context: CallContext, leg: Leg): Promise<void> {
  const { clock, log, media } = context.deps;
  const call = { call: leg.dialog.sip.callId, party: leg.party };
  log.error(call, 'media died under an emergency call: it gets new ones');
  let until = clock.now() + PATIENCE;
  while (!leg.ended) {
    const { peer } = leg;
    const tries = peer !== undefined && media.available;
    if (tries && (await rejoin(context, leg, peer)))
      return log.warn(call, 'the emergency call has its sound back');
    // Nobody has answered it yet: whoever does comes to a call that is up.
    if (!peer) until = clock.now() + PATIENCE;
    if (tries) until -= FAILED;
    if (clock.now() >= until) return giveUp(leg);
    await new Promise<void>((resolve) => clock.setTimer(tries ? BREATH : LOOK_EVERY, resolve));
  }
}

/** Both sides to a new relay: first who is no browser, who takes it for an ordinary re-INVITE; whether it worked. */
async function rejoin(context: CallContext, leg: Leg, peer: Leg): Promise<boolean> {
  const { clock } = context.deps;
  if (peer.web?.died && !(await standAnew(context, peer, leg.source))) return false;
  const web = await standAnew(context, leg, peer.source);
  // What the browser last said: what is new of it comes with its answer.
  const offer = await web?.heard('offer', leg.dialog.remote.sdp ?? '');
  if (!web || offer === undefined) return false;
  const answer = await reinviteEitherWay(peer, [offer, () => web.otherwise()], clock);
  if (answer.outcome === 'refused' || (await web.told('answer', answer.sdp)) === undefined) return false;
  const joined = await reinvitePatiently(leg, answer.sdp, clock);
  // From now on the browser has to come.
  for (const side of [leg, peer]) if (side.web && !side.ended) side.stand(side.web);
  return joined.outcome === 'accepted' && !web.died;
}

/** A trunk that does not take the one kind of RTP is offered the other. */
async function reinviteEitherWay(
  peer: Leg,
  [offer, otherwise]: readonly [string, () => Promise<string | undefined>],
  clock: Clock,
): Promise<ReinviteResult> {
  const answer = await reinvitePatiently(peer, offer, clock);
  if (answer.outcome !== 'refused' || !NOT_ACCEPTABLE.has(answer.status)) return answer;
  const other = await otherwise();
  return other === undefined ? answer : reinvitePatiently(peer, other, clock);
}

/** A relay for this browser alone, whose audio comes from `source` or where the SDP says; the one before is closed. */
async function standAnew(
  { deps }: CallContext,
  leg: Leg,
  source: string | undefined,
): Promise<WebSide | undefined> {
  const web = await WebSide.open(deps, { urgent: true }, source);
  if (!web) return undefined;
  leg.stand(web);
  if (leg.ended) web.close();
  return web;
}

/** Whoever waits in silence does not call again. */
function giveUp(leg: Leg): void {
  const { peer } = leg;
  leg.hangUp(reasonHeader(503, 'Media lost'));
  peer?.hangUp(reasonHeader(503, 'Media lost'));
}

/**
 * Media died before a browser's emergency call was answered: the answer by a new relay, so that the browser can take the
 * call at all. Who answered still speaks to the old one: the call is to be given its sound back once it is up.
 */
export async function answerAnew(
  { deps }: CallContext,
  invite: InboundInvite,
  { sdp, source }: { readonly sdp: string; readonly source: string | undefined },
): Promise<string | undefined> {
  const { clock } = deps;
  const until = clock.now() + ANSWER_PATIENCE;
  while (!invite.signal.aborted && clock.now() < until) {
    const web = await WebSide.open(deps, { urgent: true }, source);
    const offer = await web?.heard('offer', sdpOf(invite.request));
    const answer = offer === undefined ? undefined : await web?.told('answer', sdp);
    if (web && answer !== undefined) {
      invite.web?.drop();
      invite.web = web;
      return answer;
    }
    web?.drop();
    // A new relay cannot read the answer either.
    if (offer !== undefined && !web?.died) return undefined;
    await new Promise<void>((resolve) => clock.setTimer(LOOK_EVERY, resolve));
  }
  return undefined;
}
