import type { Host } from '../../domain/directory.ts';
import type { SipDependencies } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import { readOut } from './clips.ts';
import type { Conversation } from './conversation.ts';
import { askCredentials, type Emergency, refuse } from './credentials.ts';

export interface LogInOptions {
  readonly host: Host;
  /** Signalling address, for the guess counters. */
  readonly source: string;
  /** The number to call when the digits at the extension prompt are an emergency number. */
  emergencyNumber(digits: string): string | undefined;
}

/** `emergency`: the caller typed an emergency number instead of an answer; the call is still up. */
export type LogInEnd = Emergency | undefined;

/** The log-in dialogue (rule A1): extension, PIN, three tries; a right answer and a wrong one sound alike until the end. */
export async function logIn(
  deps: SipDependencies,
  conversation: Conversation,
  { host, source, emergencyNumber }: LogInOptions,
): Promise<LogInEnd> {
  if (!host.enabled) {
    await refuse(conversation, 'hostDisabled');
    return undefined;
  }
  const answer = await askCredentials(deps, conversation, {
    host: host.id,
    source,
    emergencyNumber,
    prove: (request) => deps.hotDesk.logIn(request),
  });
  if (!answer || 'emergency' in answer) return answer;
  const { user, movedFrom } = answer.proved;
  const moved = movedFrom ? ['moved'] : [];
  // What a phone still has in its jitter buffer when the call ends is not heard: that is the pause.
  await conversation.say([...answer.first, ...moved, 'logged-in-as', ...readOut(user.extension), 'pause']);
  conversation.hangUp(reasonHeader(200, 'Logged in'));
  return undefined;
}
