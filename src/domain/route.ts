import { type CallbackRoute, decideCallback } from './callback.ts';
import { dialledUser, normaliseDialled, withoutPrefix } from './dialled.ts';
import type { CivicAddress, Directory, Host, Site, User } from './directory.ts';
import { callbackNumberOf } from './directory-index.ts';
import { isEmergencyCall, isEmergencyTest } from './emergency.ts';
import { hostsOf, personAt } from './reach.ts';
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
  /** A test number: what an emergency call would tell is read aloud. */
  | { readonly kind: 'readBack'; readonly host: Host; readonly callbackNumber: string | undefined }
  /** Ring every binding of these hosts at once. */
  | {
      readonly kind: 'ring';
      readonly user: User | undefined;
      readonly hosts: readonly Host[];
      readonly as: Identity | undefined;
    }
  | {
      readonly kind: 'trunk';
      readonly number: string;
      readonly trunk: string | undefined;
      readonly as: Identity;
    }
  | CallbackRoute
  | { readonly kind: 'refuse'; readonly reason: Reason };

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
 * calls and whatever is known; then the call back after one; then who calls, feature access codes, whether anybody is
 * at the host (rule A3), colleagues, and the outside world.
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
  const number = sitesOf(call, host, directory)
    .map((site) => isEmergencyCall(call.requestUri, { plan, site }))
    .find((found) => found !== undefined);
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

/** Whose rules decide what an emergency number is: the phone's site; any site's while the phone is unknown. */
function sitesOf(call: Call, host: Host | undefined, directory: Directory | undefined): (Site | undefined)[] {
  if (host) return [directory?.sites.get(host.site)];
  if (call.caller.kind === 'trunk' || !directory) return [undefined];
  return [undefined, ...directory.sites.values()];
}

/** The host an emergency call comes from. Better the address a phone claims than none: the call goes out anyway. */
function emergencyHost(call: Call, directory: Directory, view: View): Host | undefined {
  if (call.caller.kind === 'trunk') return undefined;
  if (call.caller.kind === 'host') return directory.hosts.get(call.caller.host);
  const source = call.anonymousSource;
  if (!source) return undefined;
  const claimed = source.claimedHost === undefined ? undefined : directory.hosts.get(source.claimedHost);
  if (claimed && registeredFrom(claimed, source, view)) return claimed;
  for (const host of directory.hosts.values()) if (registeredFrom(host, source, view)) return host;
  return claimed;
}

function registeredFrom(host: Host, source: AnonymousSource, view: View): boolean {
  return view
    .bindingsOf(host.id)
    .some(({ flow }) => flow.address === source.address && flow.port === source.port);
}

function fromHost(facts: Facts, host: Host): Route {
  const { call, directory, view, plan } = facts;
  const feature = decideFeature(dialledUser(call.requestUri), directory, host);
  if (feature) return feature;
  if (isEmergencyTest(call.requestUri, directory.sites.get(host.site)))
    return { kind: 'readBack', host, callbackNumber: callbackNumberOf(host, directory) };
  if (view.knowledge === 'unknown') return refuse('stateUnknown');
  const person = personAt(host, directory, view);
  if (!person) return refuse('hostFree');
  const number = normaliseDialled(call.requestUri);
  const outside = withoutPrefix(number, directory.sites.get(host.site)?.outsideLinePrefix ?? '');
  const candidates = [plan.toE164(number), outside === undefined ? undefined : plan.toE164(outside)];
  const colleague = findUser(number, candidates, directory);
  if (!colleague) return outbound(facts, { host, person, number, outside });
  const hosts = hostsOf(colleague, directory, view).filter((other) => other.id !== host.id);
  return ring(colleague, hosts, { name: person.name, number: person.extension });
}

/** `*90` and `*91`, exactly. Whatever begins with one may hold a passcode and goes nowhere. */
function decideFeature(dialled: string, directory: Directory, host: Host): Route | undefined {
  const { logIn, logOut } = directory.company.featureAccessCodes;
  if (dialled === logIn) return { kind: 'logIn', host };
  if (dialled === logOut) return { kind: 'logOut', host };
  const longer = dialled.startsWith(logIn) || dialled.startsWith(logOut);
  return longer ? refuse('malformedNumber') : undefined;
}

function findUser(
  extension: string,
  numbers: readonly (string | undefined)[],
  directory: Directory,
): User | undefined {
  const { index } = directory;
  const byNumber = numbers.map((number) => (number === undefined ? undefined : index.userByNumber(number)));
  return directory.users.get(extension) ?? byNumber.find((user) => user !== undefined);
}

function ring(user: User | undefined, hosts: readonly Host[], as: Identity | undefined): Route {
  return hosts.length === 0 ? refuse('notReachable') : { kind: 'ring', user, hosts, as };
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
function isMisdialledExtension(number: string, directory: Directory, plan: NumberPlan): boolean {
  if (!directory.index.hasExtensionOfLength(number.length)) return false;
  return plan.toE164(number) === undefined && !(plan.isShortNumber?.(number) ?? false);
}

function fromTrunk({ call, directory, view, plan }: Facts): Route {
  const number = normaliseDialled(call.requestUri);
  const numbers = [plan.toE164(number), number.startsWith('+') ? number : plan.toE164(`+${number}`)];
  if (view.knowledge === 'unknown') return refuse('stateUnknown');
  const user = findUser(number, numbers, directory);
  return user ? ring(user, hostsOf(user, directory, view), undefined) : refuse('numberUnknown');
}
