import type { MediaPort } from '../media/media.ts';
import { InboundInvite } from './calls/inbound.ts';
import { readOut } from './menus/clips.ts';
import { Conversation } from './menus/conversation.ts';
import type { Clock, Log } from './ports.ts';
import { reasonHeader } from './reasons.ts';
import type { Request, Srf } from './srf.ts';
import { userOf } from './uri.ts';

export interface DemoTrunkDependencies {
  readonly srf: Srf;
  readonly media: MediaPort;
  readonly clock: Clock;
  readonly log: Log;
  /** Prompt that tells the place a number belongs to, as a PSAP looks an address up by the number shown. */
  placeOf(number: string): string | undefined;
}

/**
 * The far end of the demonstration: answers outside and emergency calls and says whom it believes is calling, and from
 * where; to a call for a mailbox (RFC 5806), whose. A SIP application of its own behind an engine of its own, so that the calls to it are real ones.
 */
export function startDemoTrunk(deps: DemoTrunkDependencies): void {
  deps.srf.use('invite', (request, response) => {
    const invite = new InboundInvite(deps.srf, request, response);
    speak(deps, invite).catch((error: unknown) => deps.log.error({ err: error }, 'demo trunk failed'));
  });
  deps.srf.use('options', (_request, response) => response.send(200));
}

async function speak(deps: DemoTrunkDependencies, invite: InboundInvite): Promise<void> {
  const conversation = await Conversation.answer(deps.media, deps.clock, invite);
  if (!conversation) return;
  const { request } = invite;
  const number = callerOf(request);
  const caller = ['demo-caller', ...readOut(number), 'pause'];
  if (isEmergency(request)) {
    const place = deps.placeOf(number) ?? 'demo-unknown-location';
    await conversation.say(['demo-emergency', ...caller, 'demo-location', place, 'goodbye']);
  } else {
    const mailbox = request.get('Diversion');
    const whose = mailbox === undefined ? caller : [...readOut(userOf(mailbox)), 'pause'];
    await conversation.say(['demo-welcome', ...whose, 'goodbye']);
  }
  conversation.hangUp(reasonHeader(200, 'End of the demonstration'));
}

function isEmergency(request: Request): boolean {
  return request.get('Priority')?.toLowerCase() === 'emergency';
}

function callerOf(request: Request): string {
  return userOf(request.get('P-Asserted-Identity') ?? request.get('From') ?? '');
}
