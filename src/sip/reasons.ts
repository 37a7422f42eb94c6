import type { Reason } from '../domain/reasons.ts';

/** What a caller meets when the answer is no: a status for the phone, a sentence for its display, prompts for the ear. */
export interface SpokenRefusal {
  readonly status: number;
  /** Warning text (RFC 3261 20.43, code 399) and the text of a Reason header. */
  readonly text: string;
  readonly clips: readonly string[];
}

/** No caller meets what concerns the portal and its API. */
const NO_CALLER = { status: 500, text: 'Not known', clips: ['call-failed'] } as const;

const refusals = {
  badCredentials: { status: 403, text: 'Extension or PIN not recognised', clips: ['login-failed'] },
  tooManyTries: { status: 403, text: 'Too many attempts, try again later', clips: ['too-many-attempts'] },
  notLicensed: { status: 403, text: 'No hot desking licence', clips: ['not-licensed'] },
  hostDisabled: { status: 403, text: 'Hot desking is off on this phone', clips: ['host-disabled'] },
  notAllowedHere: { status: 403, text: 'Not allowed at this phone', clips: ['not-here'] },
  ownHost: { status: 403, text: 'This is your own phone', clips: ['own-host'] },
  alreadyHere: { status: 403, text: 'Already logged in here', clips: ['already-here'] },
  occupied: { status: 403, text: 'Somebody else is logged in here', clips: ['phone-in-use'] },
  guestElsewhere: { status: 403, text: 'Logged in at another phone', clips: ['guest-elsewhere'] },
  nobodyHere: { status: 403, text: 'Nobody is logged in here', clips: ['not-logged-in'] },
  notYours: { status: 403, text: 'Not logged in at this phone', clips: ['not-logged-in'] },
  noInput: { status: 408, text: 'No digits were received', clips: ['no-input'] },
  newPasscodeNeeded: { status: 403, text: 'Choose a new PIN first', clips: ['new-pin'] },
  passcodeTooSimple: { status: 403, text: 'PIN too easy to guess', clips: ['pin-too-simple'] },
  passcodesDiffer: { status: 403, text: 'The PINs are not the same', clips: ['pins-differ'] },
  storeUnavailable: { status: 503, text: 'Login is unavailable for the moment', clips: ['service-problem'] },
  guestDisabled: { status: 403, text: 'Hot desking is off for you', clips: ['guest-off'] },
  limitTooLong: { status: 403, text: 'Your limit is longer than that of this phone', clips: ['not-here'] },
  associationRunning: { status: 403, text: 'Somebody is logged in there', clips: ['phone-in-use'] },
  licencesUsedUp: { status: 403, text: 'No licence left', clips: ['not-licensed'] },
  ownPhoneSilent: {
    status: 403,
    text: 'You are logged in at another phone',
    clips: ['logged-in-elsewhere', 'emergency-note'],
  },
  notRecorded: { status: 400, text: 'Nothing was recorded', clips: ['not-recorded'] },
  hostFree: {
    status: 403,
    text: 'Nobody is logged in at this phone',
    clips: ['phone-free', 'emergency-note'],
  },
  numberUnknown: { status: 404, text: 'Number not known', clips: ['number-unknown'] },
  notReachable: { status: 480, text: 'Not reachable for the moment', clips: ['call-failed'] },
  callerUnknown: { status: 403, text: 'This phone is not known here', clips: ['not-allowed'] },
  malformedNumber: { status: 484, text: 'Dial the code alone', clips: ['number-unknown'] },
  stateUnknown: { status: 503, text: 'Starting, try again', clips: ['call-failed'] },
  overloaded: { status: 503, text: 'Too many calls for the moment', clips: ['call-failed'] },
  unknownHost: { status: 403, text: 'This phone is not known here', clips: ['not-allowed'] },
  unknownUser: { status: 404, text: 'Number not known', clips: ['number-unknown'] },
  unknownEmergency: { status: 404, text: 'Not known', clips: ['call-failed'] },
  invalidCursor: { status: 500, text: 'Not known', clips: ['call-failed'] },
  unknownSite: NO_CALLER,
  alreadyExists: NO_CALLER,
  inUse: NO_CALLER,
  wrongKind: NO_CALLER,
  changedMeanwhile: NO_CALLER,
  keyUsed: NO_CALLER,
  requestInHand: NO_CALLER,
  unknownWebhook: { status: 404, text: 'Not known', clips: ['call-failed'] },
  unknownDeadLetter: NO_CALLER,
  invalidWebhook: { status: 500, text: 'The webhook is not valid', clips: ['call-failed'] },
  tooManyWebhooks: { status: 500, text: 'Too many webhooks', clips: ['call-failed'] },
  invalidDirectory: { status: 500, text: 'The directory is not valid', clips: ['call-failed'] },
  invalidImport: NO_CALLER,
  unknownOrder: NO_CALLER,
  invalidOrder: NO_CALLER,
  priceChanged: NO_CALLER,
  wrongOrderState: NO_CALLER,
  tooManyOrders: NO_CALLER,
  notPermitted: NO_CALLER,
  codeNeeded: NO_CALLER,
  wrongCode: NO_CALLER,
  linkVoid: NO_CALLER,
  passwordTooSimple: NO_CALLER,
  unknownAccount: NO_CALLER,
  unknownToken: NO_CALLER,
  unknownSession: NO_CALLER,
  providerUnavailable: NO_CALLER,
  signInVoid: NO_CALLER,
  noAccount: NO_CALLER,
  lastAdministrator: NO_CALLER,
  tooManyAccounts: NO_CALLER,
  tooManyTokens: NO_CALLER,
  totpOn: NO_CALLER,
} as const satisfies Record<Reason, SpokenRefusal>;

/** The refusal a caller meets for a reason. */
export function spoken(reason: Reason): SpokenRefusal {
  return refusals[reason];
}

/** `Warning: 399 …` for a refusal (RFC 3261 20.43). */
export function warning(domain: string, text: string): string {
  return `399 ${domain} ${quoted(text)}`;
}

/** `Reason: SIP;cause=…;text="…"` (RFC 3326). */
export function reasonHeader(status: number, text: string): string {
  return `SIP;cause=${status};text=${quoted(text)}`;
}

/** A quoted-string (RFC 3261 25.1); the text may be somebody else's reason phrase. */
function quoted(text: string): string {
  return `"${text.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}
