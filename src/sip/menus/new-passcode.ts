import { type PasscodeRules, passcodeProblems } from '../../domain/passcode.ts';
import type { Reason, Refusal } from '../../domain/reasons.ts';
import { spoken } from '../reasons.ts';
import { pinLengthClips } from './clips.ts';
import type { Conversation } from './conversation.ts';

const MAX_TRIES = 3;
/** More than any passcode has, so that the # after one too long is not left as the answer to the next question. */
export const MAX_PASSCODE_DIGITS = 20;

export interface NewPasscodeOptions {
  readonly rules: PasscodeRules;
  /** The number to call when the digits are an emergency number. */
  emergencyNumber(digits: string): string | undefined;
}

/** `emergency`: the caller typed an emergency number instead; the call is still up. */
export type NewPasscode = { readonly passcode: string } | { readonly emergency: string } | Refusal;

/** Asks for a new PIN and for it again, three times at most. Refused with why the last try would not do. */
export async function askNewPasscode(
  conversation: Conversation,
  options: NewPasscodeOptions,
): Promise<NewPasscode> {
  let reason: Reason = 'noInput';
  for (let attempt = 0; attempt < MAX_TRIES && !conversation.signal.aborted; attempt++) {
    if (attempt > 0) await conversation.tell(clipsOf(reason, options.rules));
    const answer = await oneTry(conversation, options);
    if (typeof answer === 'object') return answer;
    reason = answer;
  }
  return { refused: reason };
}

/** Nobody guesses how long a PIN has to be. */
function clipsOf(reason: Reason, { length }: PasscodeRules): readonly string[] {
  const { clips } = spoken(reason);
  return reason === 'passcodeTooSimple' ? [...clips, ...pinLengthClips(length)] : clips;
}

async function oneTry(
  conversation: Conversation,
  { rules, emergencyNumber }: NewPasscodeOptions,
): Promise<NewPasscode | Reason> {
  const ask = (prompt: string): Promise<string> =>
    conversation.ask({ prompt: [prompt], maxDigits: MAX_PASSCODE_DIGITS });
  // No passcode is that short: it is a call for help.
  const isEmergency = (digits: string): boolean =>
    digits.length < rules.length.min && emergencyNumber(digits) !== undefined;
  const passcode = await ask('new-pin');
  if (isEmergency(passcode)) return { emergency: passcode };
  if (passcode === '') return 'noInput';
  if (passcodeProblems(passcode, rules).length > 0) return 'passcodeTooSimple';
  const again = await ask('repeat-pin');
  if (isEmergency(again)) return { emergency: again };
  if (again === '') return 'noInput';
  return again === passcode ? { passcode } : 'passcodesDiffer';
}
