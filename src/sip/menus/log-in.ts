import type { Host } from '../../domain/directory.ts';
import { isRefusal, type Reason } from '../../domain/reasons.ts';
import type { LoggedIn, LogInRefusal, LogInRequest } from '../../services/hot-desk.ts';
import type { SipDependencies } from '../ports.ts';
import { reasonHeader, spoken } from '../reasons.ts';
import { readOut } from './clips.ts';
import type { Conversation } from './conversation.ts';
import { askNewPasscode, MAX_PASSCODE_DIGITS } from './new-passcode.ts';

const MAX_TRIES = 3;
/** Longest extension that is listened for. */
const MAX_EXTENSION_DIGITS = 12;
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

interface Emergency {
  readonly emergency: string;
}

/** `emergency`: the caller typed an emergency number instead of an answer; the call is still up. */
export type LogInEnd = Emergency | undefined;

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
  await refuse(conversation, reason);
  return undefined;
}

async function refuse(conversation: Conversation, reason: Reason): Promise<void> {
  const { status, text, clips } = spoken(reason);
  await conversation.say([...clips, 'goodbye']);
  conversation.hangUp(reasonHeader(status, text));
}

async function oneTry(
  deps: SipDependencies,
  conversation: Conversation,
  options: LogInOptions,
): Promise<Reason | 'done' | Emergency> {
  const extension = await conversation.ask({
    prompt: ['enter-extension'],
    maxDigits: MAX_EXTENSION_DIGITS,
    enough: (digits) => options.emergencyNumber(digits) !== undefined && !mayBeAnExtension(deps, digits),
  });
  const emergency = options.emergencyNumber(extension);
  if (emergency !== undefined && !isExtension(deps, extension)) return { emergency };
  if (extension === '') return 'noInput';
  const passcode = await conversation.ask({ prompt: ['enter-pin'], maxDigits: MAX_PASSCODE_DIGITS });
  if (conversation.signal.aborted) return 'done';
  if (passcode === '') return 'noInput';
  if (passcode.length < SHORTEST_PASSCODE && options.emergencyNumber(passcode) !== undefined) {
    return { emergency: passcode };
  }
  const { host, source } = options;
  const request = { host: host.id, extension, passcode, source };
  const result = await deps.hotDesk.logIn(request);
  const needsAnother = isRefusal(result) && result.refused === 'newPasscodeNeeded';
  if (needsAnother) return withNewPasscode(deps, conversation, { ...options, request });
  return tellResult(conversation, result, []);
}

/** The first login with a PIN that was given out: the person chooses one of their own, then it goes on. */
async function withNewPasscode(
  deps: SipDependencies,
  conversation: Conversation,
  options: LogInOptions & { readonly request: LogInRequest },
): Promise<Reason | 'done' | Emergency> {
  const { directory } = deps.view;
  if (!directory) return 'storeUnavailable';
  const { extension, passcode: previous } = options.request;
  const rules = { extension, previous, length: directory.company.passcodeLength };
  const emergencyNumber = (digits: string): string | undefined => options.emergencyNumber(digits);
  const choice = await askNewPasscode(conversation, { rules, emergencyNumber });
  if (conversation.signal.aborted) return 'done';
  if ('emergency' in choice) return choice;
  if (isRefusal(choice)) {
    await refuse(conversation, choice.refused);
    return 'done';
  }
  const result = await deps.hotDesk.logIn({ ...options.request, newPasscode: choice.passcode });
  const isChanged = !isRefusal(result) || result.passcodeChanged === true;
  return tellResult(conversation, result, isChanged ? ['pin-changed'] : []);
}

/** Says the good news and hangs up; of a refusal what can be said before it. */
async function tellResult(
  conversation: Conversation,
  result: LoggedIn | LogInRefusal,
  first: readonly string[],
): Promise<Reason | 'done'> {
  if (isRefusal(result)) {
    if (first.length > 0) await conversation.say(first);
    return result.refused;
  }
  const moved = result.movedFrom ? ['moved'] : [];
  await conversation.say([...first, ...moved, 'logged-in-as', ...readOut(result.user.extension)]);
  conversation.hangUp(reasonHeader(200, 'Logged in'));
  return 'done';
}

function isExtension(deps: SipDependencies, digits: string): boolean {
  return deps.view.directory?.users.has(digits) ?? false;
}

/** As it stands, or with more digits. */
function mayBeAnExtension(deps: SipDependencies, digits: string): boolean {
  const continues = deps.view.directory?.index.continuesToExtension(digits) ?? false;
  return continues || isExtension(deps, digits);
}
