import type { Host } from '../../domain/directory.ts';
import { isRefusal } from '../../domain/reasons.ts';
import type { SipDependencies } from '../ports.ts';
import { reasonHeader, spoken } from '../reasons.ts';
import { readOut } from './clips.ts';
import type { Conversation } from './conversation.ts';

/** The log-out (rule A2): asks nothing, says who was logged out. */
export async function logOut(deps: SipDependencies, conversation: Conversation, host: Host): Promise<void> {
  const result = await deps.hotDesk.logOut({ host: host.id });
  if (isRefusal(result)) {
    const { status, text, clips } = spoken(result.refused);
    await conversation.say(clips);
    conversation.hangUp(reasonHeader(status, text));
    return;
  }
  await conversation.say(['extension', ...readOut(result.association.guest), 'logged-out-as']);
  conversation.hangUp(reasonHeader(200, 'Logged out'));
}
