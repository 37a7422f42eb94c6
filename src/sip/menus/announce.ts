import type { Reason } from '../../domain/reasons.ts';
import { isRefusal } from '../../media/media.ts';
import { sdpOf } from '../body.ts';
import type { InboundInvite } from '../calls/inbound.ts';
import type { SipDependencies } from '../ports.ts';
import { reasonHeader, spoken } from '../reasons.ts';
import { readOut } from './clips.ts';
import { Conversation, openMedia } from './conversation.ts';

/** Answers, says why the call goes no further, and hangs up with the reason. For phones with nobody on them (A3). */
export async function answerAndRefuse(
  deps: SipDependencies,
  invite: InboundInvite,
  reason: Reason,
): Promise<void> {
  const { status, text } = spoken(reason);
  const conversation = await Conversation.answer(deps.media, deps.clock, invite);
  if (!conversation) return;
  await conversation.say(clipsOf(deps, reason));
  conversation.hangUp(reasonHeader(status, text));
}

/** Says why in early media, then sends the refusal itself: the call is never answered, the caller still hears. */
export async function sayAndRefuse(
  deps: SipDependencies,
  invite: InboundInvite,
  reason: Reason,
): Promise<void> {
  const { status, text } = spoken(reason);
  const session = sdpOf(invite.request) === '' ? undefined : await openMedia(deps.media, deps.clock, invite);
  // Without media the refusal alone has to do.
  if (session && !isRefusal(session)) {
    await invite.provisional(183, session.localSdp);
    invite.signal.addEventListener('abort', () => session.stop(), { once: true });
    if (!invite.signal.aborted) await session.play(clipsOf(deps, reason));
    await session.close();
  }
  invite.refuse(status, text, deps.domain);
}

/** At a free phone the company's own code for logging in is read out (A3). */
function clipsOf({ view }: Pick<SipDependencies, 'view'>, reason: Reason): readonly string[] {
  const { clips } = spoken(reason);
  const code = view.directory?.company.featureAccessCodes.logIn;
  if (reason !== 'hostFree' || code === undefined) return clips;
  const [free = 'phone-free', ...more] = clips;
  return [free, 'to-log-in', ...readOut(code), 'pause', ...more];
}
