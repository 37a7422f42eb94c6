import type { Host } from '../../domain/directory.ts';
import { isRefusal, type Reason } from '../../domain/reasons.ts';
import type { SipDependencies } from '../ports.ts';
import { reasonHeader, spoken } from '../reasons.ts';
import { readOut } from './clips.ts';
import type { Conversation } from './conversation.ts';

const MAX_TRIES = 3;
/** Longest extension and passcode that are listened for. */
const MAX_DIGITS = 12;
/** No passcode is shorter (domain/passcode), so `999` is a call for help at every prompt. */
const SHORTEST_PASSCODE = 4;
/** Refusals after which another try makes sense. */
const TRY_AGAIN: ReadonlySet<Reason> = new Set(['badCredentials', 'noInput']);

export interface LogInOptions {
  readonly host: Host;
  /** Signalling address, for the guess counters. */
  readonly source: string;
  /** The number to call when the digits at the extension prompt are an emergency number. */
  emergencyNumber(digits: string): string | undefined;
}

/** `emergency`: the caller typed an emergency number instead of an extension; the call is still up. */
export type LogInEnd = { readonly emergency: string } | undefined;

/** The log-in dialogue (rule A1): extension, PIN, three tries; a right answer and a wrong one sound alike until the end. */
export async function logIn(
  deps: SipDependencies,
  conversation: Conversation,
  options: LogInOptions,
): Promise<LogInEnd> {
  let reason: Reason = options.host.enabled ? 'noInput' : 'hostDisabled';
  for (
    let attempt = 0;
    attempt < MAX_TRIES && options.host.enabled && !conversation.signal.aborted;
    attempt++
  ) {
    if (attempt > 0) await conversation.say([...spoken(reason).clips, 'try-again']);
    const answer = await oneTry(deps, conversation, options);
    if (typeof answer === 'object') return answer;
    if (answer === 'done') return undefined;
    reason = answer;
    if (!TRY_AGAIN.has(reason)) break;
  }
  const { status, text, clips } = spoken(reason);
  await conversation.say([...clips, 'goodbye']);
  conversation.hangUp(reasonHeader(status, text));
  return undefined;
}

async function oneTry(
  deps: SipDependencies,
  conversation: Conversation,
  options: LogInOptions,
): Promise<Reason | 'done' | { readonly emergency: string }> {
  const extension = await conversation.ask({
    prompt: ['enter-extension'],
    maxDigits: MAX_DIGITS,
    enough: (digits) => options.emergencyNumber(digits) !== undefined && !beginsAnExtension(deps, digits),
  });
  const emergency = options.emergencyNumber(extension);
  if (emergency !== undefined && !isExtension(deps, extension)) return { emergency };
  if (extension === '') return 'noInput';
  const passcode = await conversation.ask({ prompt: ['enter-pin'], maxDigits: MAX_DIGITS });
  if (conversation.signal.aborted) return 'done';
  if (passcode === '') return 'noInput';
  if (passcode.length < SHORTEST_PASSCODE && options.emergencyNumber(passcode) !== undefined) {
    return { emergency: passcode };
  }
  const { host, source } = options;
  const result = await deps.hotDesk.logIn({ host: host.id, extension, passcode, source });
  if (isRefusal(result)) return result.refused;
  const moved = result.movedFrom ? ['moved'] : [];
  await conversation.say([...moved, 'logged-in-as', ...readOut(result.user.extension)]);
  conversation.hangUp(reasonHeader(200, 'Logged in'));
  return 'done';
}

function isExtension(deps: SipDependencies, digits: string): boolean {
  return deps.view.directory?.users.has(digits) ?? false;
}

function beginsAnExtension(deps: SipDependencies, digits: string): boolean {
  for (const extension of deps.view.directory?.users.keys() ?? []) {
    if (extension.startsWith(digits)) return true;
  }
  return false;
}
