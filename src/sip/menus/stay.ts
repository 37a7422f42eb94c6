import type { EmergencyRoute } from '../../domain/route.ts';
import type { StayQuestion } from '../../services/expiry-warnings.ts';
import type { SipDependencies } from '../ports.ts';
import { reasonHeader, spoken } from '../reasons.ts';
import { minutesClips } from './clips.ts';
import type { Conversation } from './conversation.ts';
import { emergencyByDigits } from './emergency-digits.ts';

const YES = '1';
/** Longest emergency number with the longest outside-line prefix (directory schema). */
const MAX_DIGITS = 11;

export interface StayOptions {
  readonly host: string;
  readonly question: Pick<StayQuestion, 'minutesLeft' | 'stay'>;
}

/**
 * Says that the log-out is near and asks whether the person stays. An emergency number is one here, too: its route is
 * returned and the call is still up. 112 begins with the digit for yes, and is listened for after it.
 */
export async function offerToStay(
  deps: SipDependencies,
  conversation: Conversation,
  { host, question }: StayOptions,
): Promise<EmergencyRoute | undefined> {
  const emergencyAt = (digits: string): EmergencyRoute | undefined => emergencyByDigits(deps, host, digits);
  const answer = await conversation.ask({
    prompt: ['log-out-in', ...minutesClips(question.minutesLeft()), 'press-one-to-stay'],
    maxDigits: MAX_DIGITS,
    enough: (digits) => digits.startsWith(YES) || emergencyAt(digits) !== undefined,
  });
  if (conversation.signal.aborted) return undefined;
  const emergency = answer === YES ? await stay(conversation, question, emergencyAt) : emergencyAt(answer);
  if (emergency) return emergency;
  await conversation.say(['goodbye']);
  conversation.hangUp(reasonHeader(200, 'Warned of the log-out'));
  return undefined;
}

async function stay(
  conversation: Conversation,
  question: Pick<StayQuestion, 'stay'>,
  emergencyAt: (digits: string) => EmergencyRoute | undefined,
): Promise<EmergencyRoute | undefined> {
  const refusal = await question.stay();
  await conversation.say(refusal ? spoken(refusal.refused).clips : ['staying']);
  if (!conversation.hasDigits) return undefined;
  const meant = (digits: string): EmergencyRoute | undefined =>
    emergencyAt(YES + digits) ?? emergencyAt(digits);
  const rest = await conversation.ask({
    prompt: [],
    maxDigits: MAX_DIGITS,
    enough: (digits) => meant(digits) !== undefined,
  });
  return meant(rest);
}
