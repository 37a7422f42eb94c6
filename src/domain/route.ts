import { type CallbackRoute, decideCallback } from './callback.ts';
import { findUser, lookUp } from './colleague.ts';
import { dialledUser, normaliseDialled } from './dialled.ts';
import type { CivicAddress, Directory, Host, User } from './directory.ts';
import { callbackNumberOf } from './directory-index.ts';
import { decideCallFor } from './divert.ts';
import { isEmergencyAnywhere, isEmergencyCall, isEmergencyTest } from './emergency.ts';
import { isSilent, personAt } from './reach.ts';
import type { Reason } from './reasons.ts';
import type { NumberPlan, View } from './view.ts';

/** Who calls, as proved by digest authentication or by address; never by From alone. */
export type Caller =
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'trunk'; readonly trunk: string; readonly emergency: boolean }
  | { readonly kind: 'unknown' };

/** The name and number a call shows; `number` is an extension inside and E.164 outside. */
export interface Identity {
  readonly name: string;
  readonly number: string;
}

/** What a call may do. Decided by one pure function from facts. */
export type Route =
  | {
      readonly kind: 'emergency';
      /** Number to dial on the trunk, digits only; a service URN becomes the country's number. */
      readonly number: string;
      readonly host: Host | undefined;
      readonly callbackNumber: string | undefined;
      readonly address: CivicAddress | undefined;
      /** Who sits there, for notifications only. */
      readonly guest: User | undefined;
    }
  | { readonly kind: 'logIn'; readonly host: Host }
  | { readonly kind: 'logOut'; readonly host: Host }
  /** `person`: who is at the host, guest or owner; they need to give only their passcode. */
  | { readonly kind: 'voicePortal'; readonly host: Host; readonly person: User | undefined }
  /** One's own messages. */
  | { readonly kind: 'voicemail'; readonly user: User }
  /** A test number: what an emergency call would tell is read aloud. */
  | { readonly kind: 'readBack'; readonly host: Host; readonly callbackNumber: string | undefined }
  /** Ring every binding of these hosts at once. */
  | {
      readonly kind: 'ring';
      readonly user: User | undefined;
      readonly hosts: readonly Host[];
      readonly as: Identity | undefined;
      /** Where the call goes when nobody answers. */
      readonly otherwise?: Diverted | undefined;
    }
  /** Sent on to where somebody else wants it. */
  | { readonly kind: 'divert'; readonly to: Diverted; readonly as: Identity | undefined }
  | {
      readonly kind: 'trunk';
      readonly number: string;
      readonly trunk: string | undefined;
      readonly as: Identity;
    }
  | CallbackRoute
  | { readonly kind: 'refuse'; readonly reason: Reason };

/** Where a call for somebody goes instead: a number as their site dials it, or their mailbox. */
export interface Diverted {
  readonly user: User;
  readonly to: { readonly kind: 'number'; readonly number: string } | { readonly kind: 'voicemail' };
  /** RFC 5806. */
  readonly reason: 'unconditional' | 'no-answer' | 'unavailable';
}

export type EmergencyRoute = Extract<Route, { kind: 'emergency' }>;

/** What is known of a caller nobody has proved yet. Used for one thing only: the address of an emergency call. */
export interface AnonymousSource {
  /** User part of From: the phone's own word. */
  readonly claimedHost?: string | undefined;
  /** Where the request came from; a registered phone is known by its flow. */
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

export interface Call {
  readonly requestUri: string;
  readonly caller: Caller;
  readonly anonymousSource?: AnonymousSource | undefined;
}

interface Facts {
  readonly call: Call;
  readonly directory: Directory;
  readonly view: View;
  readonly plan: NumberPlan;
}

/**
 * What a call may do, from facts already in memory. The order is the product's promise: emergency first, whoever
 * calls and whatever is known; then the call back after one; then who calls, feature access codes, the voice portal,
 * whether anybody is at the host (rule A3), their voicemail, colleagues, and the outside world.
 */
export function decideRoute(call: Call, view: View, plan: NumberPlan): Route {
  const emergency = decideEmergency(call, view, plan);
  if (emergency) return emergency;
  const callback = decideCallback(call, view, plan);
  if (callback) return callback;
  const { caller } = call;
  if (caller.kind === 'unknown') return refuse('callerUnknown');
  const { directory } = view;
  if (!directory) return refuse('stateUnknown');
  const facts = { call, directory, view, plan };
  if (caller.kind === 'trunk') return fromTrunk(facts);
  const host = directory.hosts.get(caller.host);
  return host ? fromHost(facts, host) : refuse('callerUnknown');
}

function refuse(reason: Reason): Route {
  return { kind: 'refuse', reason };
}

function decideEmergency(call: Call, view: View, plan: NumberPlan): Route | undefined {
  const { emergencyDirectory: directory } = view;
  const host = directory && emergencyHost(call, directory, view);
  const number = emergencyNumber(call, { host, directory, plan });
  if (number === undefined) return undefined;
  return {
    kind: 'emergency',
    number,
    host,
    callbackNumber: host && callbackNumberOf(host, directory),
    address: host?.address,
    guest: host && personAt(host, directory, view),
  };
}

interface Rules {
  readonly host: Host | undefined;
  readonly directory: Directory | undefined;
  readonly plan: NumberPlan;
}

/** By the rules of the phone's site; of any site while the phone is unknown. */
function emergencyNumber({ requestUri, caller }: Call, { host, directory, plan }: Rules): string | undefined {
  if (host) return isEmergencyCall(requestUri, { plan, site: directory?.sites.get(host.site) });
  if (caller.kind === 'trunk' || !directory) return isEmergencyCall(requestUri, { plan });
  return isEmergencyAnywhere(requestUri, { plan, directory });
}

/** The host an emergency call comes from. Better the address a phone claims than none: the call goes out anyway. */
function emergencyHost(call: Call, directory: Directory, view: View): Host | undefined {
  if (call.caller.kind === 'trunk') return undefined;
  if (call.caller.kind === 'host') return directory.hosts.get(call.caller.host);
  const source = call.anonymousSource;
  if (!source) return undefined;
  const claimed = source.claimedHost === undefined ? undefined : directory.hosts.get(source.claimedHost);
  if (claimed && registeredFrom(claimed, source, view)) return claimed;
  const { address, port } = source;
  const there = address === undefined || port === undefined ? undefined : view.hostByFlow(address, port);
  return (there === undefined ? undefined : directory.hosts.get(there)) ?? claimed;
}

function registeredFrom(host: Host, source: AnonymousSource, view: View): boolean {
  return view
    .bindingsOf(host.id)
    .some(({ flow }) => flow.address === source.address && flow.port === source.port);
}

function fromHost(facts: Facts, host: Host): Route {
  const { directory, view } = facts;
  const person = view.knowledge === 'unknown' ? undefined : personAt(host, directory, view);
  const service = decideService(facts, host, person);
  if (service) return service;
  if (view.knowledge === 'unknown') return refuse('stateUnknown');
  if (!person) return refuse('hostFree');
  return isSilent(host, directory, view) ? refuse('ownPhoneSilent') : fromPerson(facts, host, person);
}

/** What every phone of ours may call, whoever is there or not. */
function decideService({ call, directory }: Facts, host: Host, person: User | undefined): Route | undefined {
  const feature = decideFeature(dialledUser(call.requestUri), directory, host);
  if (feature) return feature;
  if (isEmergencyTest(call.requestUri, directory.sites.get(host.site)))
    return { kind: 'readBack', host, callbackNumber: callbackNumberOf(host, directory) };
  const { voicePortal } = directory.company;
  const isPortal = voicePortal !== undefined && normaliseDialled(call.requestUri) === voicePortal.number;
  return isPortal ? { kind: 'voicePortal', host, person } : undefined;
}

function fromPerson(facts: Facts, host: Host, person: User): Route {
  const { call, directory } = facts;
  const number = normaliseDialled(call.requestUri);
  if (number !== '' && number === directory.company.voicemailNumber)
    return { kind: 'voicemail', user: person };
  const { outside, user } = lookUp(number, directory.sites.get(host.site), facts);
  return user
    ? decideCallFor({ callee: user, caller: { user: person, host } }, facts)
    : outbound(facts, { host, person, number, outside });
}

/** `*90` and `*91`, exactly. Whatever begins with one may hold a passcode and goes nowhere. */
function decideFeature(dialled: string, directory: Directory, host: Host): Route | undefined {
  const { logIn, logOut } = directory.company.featureAccessCodes;
  if (dialled === logIn) return { kind: 'logIn', host };
  if (dialled === logOut) return { kind: 'logOut', host };
  const longer = dialled.startsWith(logIn) || dialled.startsWith(logOut);
  return longer ? refuse('malformedNumber') : undefined;
}

interface Outbound {
  readonly host: Host;
  readonly person: User;
  readonly number: string;
  /** The number without the outside-line prefix, when it was dialled. */
  readonly outside: string | undefined;
}

function outbound({ directory, plan }: Facts, { host, person, number, outside }: Outbound): Route {
  const digits = outside ?? number;
  if (!/^\+?\d{3,20}$/.test(digits)) return refuse('numberUnknown');
  if (outside === undefined && isMisdialledExtension(number, directory, plan)) return refuse('numberUnknown');
  const trunk = directory.sites.get(host.site)?.outboundTrunk;
  return { kind: 'trunk', number: digits, trunk, as: { name: person.name, number: person.callerId } };
}

/** As long as an extension and no public number: nobody's, and not worth a call to the outside. */
export function isMisdialledExtension(number: string, directory: Directory, plan: NumberPlan): boolean {
  if (!directory.index.hasExtensionOfLength(number.length)) return false;
  return plan.toE164(number) === undefined && !(plan.isShortNumber?.(number) ?? false);
}

function fromTrunk(facts: Facts): Route {
  const { call, directory, view, plan } = facts;
  const number = normaliseDialled(call.requestUri);
  const numbers = [plan.toE164(number), number.startsWith('+') ? number : plan.toE164(`+${number}`)];
  if (view.knowledge === 'unknown') return refuse('stateUnknown');
  const callee = findUser(number, numbers, directory);
  return callee ? decideCallFor({ callee }, facts) : refuse('numberUnknown');
}
