import type { Clock } from '../ports.ts';
import type { InboundInvite } from './inbound.ts';
import type { Leg } from './leg.ts';
import { reinvitePatiently } from './reinvite.ts';
import { sameMedia } from './sdp.ts';

/**
 * A caller is bound to the first description they got (RFC 3261 13.2.1). If that was an announcement of a trunk which
 * failed after it, they would send there and hear nothing: once the call is up they are asked to talk to who has answered.
 */
export async function unbind(
  invite: InboundInvite,
  [near, far]: readonly [Leg, Leg],
  { sdp, clock }: { readonly sdp: string; readonly clock: Clock },
): Promise<void> {
  const { boundTo } = invite;
  // A browser talks to its relay, whoever is behind that.
  if (invite.web || boundTo === undefined || sameMedia(boundTo, sdp)) return;
  const offered = near.remoteSdp;
  await invite.acknowledged;
  if (near.ended || near.peer !== far) return;
  const answer = await reinvitePatiently(near, sdp, clock);
  if (answer.outcome === 'accepted' && near.peer === far && !sameMedia(answer.sdp, offered))
    await reinvitePatiently(far, answer.sdp, clock);
}
