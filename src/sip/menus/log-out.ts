import type { Host } from '../../domain/directory.ts';
import { isRefusal, type Reason } from '../../domain/reasons.ts';
import type { Ended } from '../../services/hot-desk.ts';
import type { SipDependencies } from '../ports.ts';
import { reasonHeader, spoken } from '../reasons.ts';
import { readOut } from './clips.ts';
import type { Conversation } from './conversation.ts';
import { askCredentials, type Emergency } from './credentials.ts';

export interface LogOutOptions {
  readonly host: Host;
  /** Signalling address, for the guess counters. */
  readonly source: string;
  /** The number to call when the digits are an emergency number. */
  emergencyNumber(digits: string): string | undefined;
}

/**
 * The log-out (rule A2): asks nothing, says who was logged out. At a phone nobody is logged in at, people log out of
 * another one: extension and PIN, and their own association ends wherever it is. An emergency number typed instead is
 * returned; the call is still up.
 */
export async function logOut(
  deps: SipDependencies,
  conversation: Conversation,
  options: LogOutOptions,
): Promise<Emergency | undefined> {
  const result = await deps.hotDesk.logOut({ host: options.host.id });
  if (!isRefusal(result)) await tellEnded(conversation, result);
  else if (result.refused === 'nobodyHere') return logOutElsewhere(deps, conversation, options);
  else await tellRefused(conversation, result.refused);
  return undefined;
}

async function logOutElsewhere(
  deps: SipDependencies,
  conversation: Conversation,
  { host, source, emergencyNumber }: LogOutOptions,
): Promise<Emergency | undefined> {
  const answer = await askCredentials(deps, conversation, {
    host: host.id,
    source,
    emergencyNumber,
    greeting: ['not-logged-in', 'log-out-elsewhere'],
    prove: (request) => deps.hotDesk.identify(request),
  });
  if (!answer || 'emergency' in answer) return answer;
  if (conversation.signal.aborted) return undefined;
  const result = await deps.hotDesk.leave({ extension: answer.proved.user.extension });
  await conversation.say(answer.first);
  if (!isRefusal(result)) await tellEnded(conversation, result);
  else if (result.refused === 'nobodyHere') await tellNowhere(conversation);
  else await tellRefused(conversation, result.refused);
  return undefined;
}

async function tellEnded(conversation: Conversation, { association }: Ended): Promise<void> {
  await conversation.say(['extension', ...readOut(association.guest), 'logged-out-as']);
  conversation.hangUp(reasonHeader(200, 'Logged out'));
}

async function tellNowhere(conversation: Conversation): Promise<void> {
  await conversation.say(['not-logged-in-anywhere', 'goodbye']);
  conversation.hangUp(reasonHeader(403, 'Not logged in at any phone'));
}

async function tellRefused(conversation: Conversation, reason: Reason): Promise<void> {
  const { status, text, clips } = spoken(reason);
  await conversation.say(clips);
  conversation.hangUp(reasonHeader(status, text));
}
