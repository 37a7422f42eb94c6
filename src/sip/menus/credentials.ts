import { isRefusal, type Reason, type Refusal } from '../../domain/reasons.ts';
import type { LogInRefusal, LogInRequest } from '../../services/hot-desk.ts';
import type { SipDependencies } from '../ports.ts';
import { reasonHeader, spoken } from '../reasons.ts';
import type { Conversation } from './conversation.ts';
import { askNewPasscode, MAX_PASSCODE_DIGITS } from './new-passcode.ts';

const MAX_TRIES = 3;
/** Longest extension that is listened for. */
const MAX_EXTENSION_DIGITS = 12;
/** No passcode is shorter (domain/passcode), so `999` is a call for help at every prompt. */
const SHORTEST_PASSCODE = 4;
/** Nothing was proved: an emergency number that a passcode might have been was none. */
const UNPROVED: ReadonlySet<Reason> = new Set(['badCredentials', 'tooManyTries', 'storeUnavailable']);
/** Refusals after which another try makes sense. */
const TRY_AGAIN: ReadonlySet<Reason> = new Set(['badCredentials', 'noInput']);
/** Typed instead of a passcode: somebody else is here. */
const SOMEBODY_ELSE = '*';

export interface Emergency {
  readonly emergency: string;
}

export interface CredentialsOptions<T> {
  /** Id of the host that calls. */
  readonly host: string;
  /** Signalling address, for the guess counters. */
  readonly source: string;
  /** Extension of who is taken to call: asked for the passcode only, unless they say that they are somebody else. */
  readonly person?: string | undefined;
  /** Said before the first question, and interrupted with it. */
  readonly greeting?: readonly string[] | undefined;
  /** The number to call when the digits are an emergency number. */
  emergencyNumber(digits: string): string | undefined;
  /** What is done for who has the right passcode. */
  prove(request: LogInRequest): Promise<T | LogInRefusal>;
}

/** `first`: what to say before the good news; `passcode`: the one that holds now. */
export interface Proved<T> {
  readonly proved: T;
  readonly passcode: string;
  readonly first: readonly string[];
}

/**
 * Asks for extension and PIN, three times, until they do; a right answer and a wrong one sound alike until the end.
 * Undefined: refused and told so, or the caller has gone. `emergency`: an emergency number was typed instead of an
 * answer; the call is still up.
 */
export async function askCredentials<T extends object>(
  deps: SipDependencies,
  conversation: Conversation,
  options: CredentialsOptions<T>,
): Promise<Proved<T> | Emergency | undefined> {
  let reason: Reason = 'noInput';
  let { person, greeting } = options;
  for (let attempt = 0; attempt < MAX_TRIES && !conversation.signal.aborted; attempt++) {
    if (attempt > 0) await conversation.say([...spoken(reason).clips, 'try-again']);
    let answer = await oneTry(deps, conversation, { ...options, person, greeting });
    if (answer === 'somebodyElse') {
      person = undefined;
      answer = await oneTry(deps, conversation, { ...options, person, greeting: [] });
    }
    if (typeof answer === 'object') return answer;
    if (answer === 'over' || answer === 'somebodyElse') return undefined;
    reason = answer;
    greeting = [];
    if (!TRY_AGAIN.has(reason)) break;
  }
  await refuse(conversation, reason);
  return undefined;
}

/** Says why not, and hangs up. */
export async function refuse(conversation: Conversation, reason: Reason): Promise<void> {
  const { status, text, clips } = spoken(reason);
  await conversation.say([...clips, 'goodbye']);
  conversation.hangUp(reasonHeader(status, text));
}

type Try<T> = Proved<T> | Emergency | Reason | 'somebodyElse' | 'over';

async function oneTry<T extends object>(
  deps: SipDependencies,
  conversation: Conversation,
  options: CredentialsOptions<T>,
): Promise<Try<T>> {
  const { person, greeting = [] } = options;
  const extension = person ?? (await askExtension(deps, conversation, options));
  if (typeof extension === 'object') return extension;
  if (extension === '') return 'noInput';
  const passcode = await conversation.ask({
    prompt: person === undefined ? ['enter-pin'] : [...greeting, 'enter-pin', 'another-extension'],
    maxDigits: MAX_PASSCODE_DIGITS,
    starEnds: person !== undefined,
  });
  if (conversation.signal.aborted) return 'over';
  if (passcode === '') return 'noInput';
  if (passcode === SOMEBODY_ELSE) return 'somebodyElse';
  const isNumber = options.emergencyNumber(passcode) !== undefined;
  if (isNumber && passcode.length < shortestPasscode(deps)) return { emergency: passcode };
  const { host, source } = options;
  const request = { host, extension, passcode, source };
  const result = await options.prove(request);
  const needsAnother = isRefusal(result) && result.refused === 'newPasscodeNeeded';
  if (needsAnother) return withNewPasscode(deps, conversation, { ...options, request });
  if (!isRefusal(result)) return { proved: result, passcode, first: [] };
  return isNumber && UNPROVED.has(result.refused) ? { emergency: passcode } : result.refused;
}

/** With the outside-line prefix an emergency number is as long as a passcode may be. */
function shortestPasscode({ view }: SipDependencies): number {
  return view.directory?.company.passcodeLength.min ?? SHORTEST_PASSCODE;
}

async function askExtension<T>(
  deps: SipDependencies,
  conversation: Conversation,
  { greeting = [], emergencyNumber }: CredentialsOptions<T>,
): Promise<string | Emergency> {
  const extension = await conversation.ask({
    prompt: [...greeting, 'enter-extension'],
    maxDigits: MAX_EXTENSION_DIGITS,
    enough: (digits) => emergencyNumber(digits) !== undefined && !mayBeAnExtension(deps, digits),
  });
  const isEmergency = emergencyNumber(extension) !== undefined && !isExtension(deps, extension);
  return isEmergency ? { emergency: extension } : extension;
}

/** The first use of a PIN that was given out: the person chooses one of their own, then it goes on. */
async function withNewPasscode<T extends object>(
  deps: SipDependencies,
  conversation: Conversation,
  options: CredentialsOptions<T> & { readonly request: LogInRequest },
): Promise<Try<T>> {
  const { directory } = deps.view;
  if (!directory) return 'storeUnavailable';
  const { extension, passcode: previous } = options.request;
  const rules = { extension, previous, length: directory.company.passcodeLength };
  const emergencyNumber = (digits: string): string | undefined => options.emergencyNumber(digits);
  const choice = await askNewPasscode(conversation, { rules, emergencyNumber });
  if (conversation.signal.aborted) return 'over';
  if ('emergency' in choice) return choice;
  if (isRefusal(choice)) {
    await refuse(conversation, choice.refused);
    return 'over';
  }
  const { passcode } = choice;
  const result: T | LogInRefusal = await options.prove({ ...options.request, newPasscode: passcode });
  return afterChange(conversation, result, passcode);
}

async function afterChange<T extends object>(
  conversation: Conversation,
  result: T | LogInRefusal,
  passcode: string,
): Promise<Try<T>> {
  if (!isRefusal(result)) return { proved: result, passcode, first: ['pin-changed'] };
  const { refused, passcodeChanged }: LogInRefusal & Refusal = result;
  if (passcodeChanged) await conversation.say(['pin-changed']);
  return refused;
}

function isExtension(deps: SipDependencies, digits: string): boolean {
  return deps.view.directory?.users.has(digits) ?? false;
}

/** As it stands, or with more digits. */
function mayBeAnExtension(deps: SipDependencies, digits: string): boolean {
  const continues = deps.view.directory?.index.continuesToExtension(digits) ?? false;
  return continues || isExtension(deps, digits);
}
