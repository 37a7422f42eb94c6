/**
 * Every expected "no". Each edge has one table from reason to what a human meets (`satisfies Record<Reason, …>`),
 * so a new reason without a prompt, a SIP status or an API answer does not compile.
 */
export type Reason =
  // logging in and out (rules A1–A4, A7, B2, B5, B6)
  | 'badCredentials' // unknown extension or wrong passcode; never told apart
  | 'tooManyTries'
  | 'notLicensed'
  | 'hostDisabled'
  | 'notAllowedHere'
  | 'ownHost'
  | 'alreadyHere'
  | 'occupied'
  | 'guestElsewhere'
  | 'nobodyHere'
  | 'notYours'
  | 'noInput'
  | 'newPasscodeNeeded' // the passcode is right, but was given out to be replaced at the first login
  | 'passcodeTooSimple' // breaks the company's rules for passcodes
  | 'passcodesDiffer' // the new passcode and its repetition
  | 'storeUnavailable'
  // hosts and guests (rules B1–B3)
  | 'guestDisabled' // has the add-on, but the guest service is off
  | 'limitTooLong' // the guest's limit is above the host's, or there is none and the host enforces one
  | 'associationRunning' // may not be changed while somebody sits there; release first
  | 'licencesUsedUp'
  | 'ownPhoneSilent' // own phone of somebody who sits elsewhere: emergency calls only
  | 'notRecorded' // nothing was said, or too little
  // calls
  | 'hostFree'
  | 'numberUnknown'
  | 'notReachable'
  | 'callerUnknown'
  | 'malformedNumber'
  | 'stateUnknown'
  | 'overloaded'
  // administration
  | 'unknownHost'
  | 'unknownUser'
  | 'unknownEmergency'
  | 'invalidCursor'
  | 'unknownSite'
  | 'alreadyExists' // another has this extension or id
  | 'inUse' // others need it: they are to let go of it first
  | 'wrongKind' // not possible with a phone of this kind
  | 'changedMeanwhile' // not what whoever asks has read
  | 'keyUsed' // the idempotency key came with another request
  | 'requestInHand' // the same request is being worked on
  | 'unknownWebhook'
  | 'unknownDeadLetter' // or one whose changes are forgotten
  | 'invalidWebhook'
  | 'tooManyWebhooks'
  | 'invalidDirectory'
  | 'unknownOrder'
  | 'invalidOrder'
  | 'priceChanged' // the price list says something else than the customer has seen
  | 'wrongOrderState' // not possible with an order that has got so far, or not far enough
  | 'tooManyOrders'
  | 'invalidImport' // a table of people that cannot be taken over as it is
  // signing in
  | 'notPermitted'
  | 'codeNeeded' // the password is right; the account wants a code besides
  | 'wrongCode'
  | 'linkVoid' // used, too old, or never given out
  | 'passwordTooSimple'
  | 'unknownAccount'
  | 'unknownToken'
  | 'unknownSession'
  | 'providerUnavailable' // the identity provider does not answer
  | 'signInVoid' // what came back from the identity provider is not what was asked for, or came before
  | 'noAccount' // whoever the identity provider vouches for may not use this portal
  | 'lastAdministrator' // nobody else could manage accounts
  | 'tooManyAccounts'
  | 'tooManyTokens'
  | 'totpOn'; // and stays as it is until it is switched off

export interface Refusal {
  readonly refused: Reason;
  /** For logs and administrators; never holds a secret, never read to a caller. */
  readonly detail?: string;
}

/** Narrows a result to its refusal. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value;
}
