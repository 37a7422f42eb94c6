import type { Binding, BindingSet } from './binding.ts';
import { parseSipUri, sameUri } from './uri.ts';

/** One Contact of a REGISTER. Malformed `expires` and `q` are left out by the reader. */
export interface RequestedContact {
  readonly uri: string;
  /** Seconds. */
  readonly expires?: number | undefined;
  readonly q?: number | undefined;
  /** `+sip.instance` without its quotes (RFC 5626). */
  readonly instance?: string | undefined;
  readonly regId?: number | undefined;
}

export interface RegisterRequest {
  /** `*`, the contacts, or none for a query. */
  readonly contacts: '*' | readonly RequestedContact[];
  /** Expires header, seconds. */
  readonly expires?: number | undefined;
  readonly callId: string;
  readonly cseq: number;
  readonly flow: Binding['flow'];
  readonly path: readonly string[];
  readonly userAgent: string;
}

/** Seconds, and how many contacts one AOR may have. A further one takes the place of the oldest. */
export interface RegistrationLimits {
  readonly minExpires: number;
  /** Granted to a phone that names none. */
  readonly defaultExpires: number;
  readonly maxExpires: number;
  readonly maxContacts: number;
}

/** A Contact of the answer. */
export interface RegisteredContact {
  readonly uri: string;
  /** Seconds left, at least 1. */
  readonly expires: number;
  readonly q: number;
  readonly instance?: string | undefined;
  readonly regId?: number | undefined;
}

export type RegistrationRefusal =
  | { readonly status: 400 | 403 | 500; readonly reason: string }
  | { readonly status: 423; readonly reason: string; readonly minExpires: number };

/** Granted, to be answered with 200; or refused with the status given. */
export type RegistrationDecision =
  | {
      readonly set: BindingSet;
      /** False for a query: nothing to write. */
      readonly changed: boolean;
      readonly contacts: readonly RegisteredContact[];
    }
  | RegistrationRefusal;

export interface RegistrationFacts {
  readonly current: BindingSet;
  readonly request: RegisterRequest;
  /** ms since 1970, the clock that `expiresAt` is on. */
  readonly now: number;
  readonly limits: RegistrationLimits;
}

/** RFC 3261 10.3 step 7: what lasts this long is never too brief. Seconds. */
const LONG_ENOUGH = 3600;

const OUT_OF_ORDER = { status: 500, reason: 'CSeq Out Of Order' } as const;

/**
 * RFC 3261 10.3, steps 6 to 8: all of the request is carried out, or none of it. At the limit, the bindings that expire soonest
 * make room, those of the same User-Agent first: a phone that restarts may come back with a new contact each time and never
 * remove the old one. 403 only if the request alone brings more contacts than the limit.
 */
export function decideRegistration(facts: RegistrationFacts): RegistrationDecision {
  const { current, request, now } = facts;
  const live = current.bindings.filter((binding) => binding.expiresAt > now);
  if (request.contacts === '*') return removeAll(facts, live);
  if (request.contacts.length === 0) return accept(facts, { bindings: live, changed: false });
  return update(facts, live, request.contacts);
}

/** The bindings as Contacts of a 200 answer, best q first. */
export function registeredContacts(bindings: readonly Binding[], now: number): RegisteredContact[] {
  return bindings.map(({ contact, expiresAt, q, instance, regId }) => ({
    uri: contact,
    expires: Math.max(1, Math.ceil((expiresAt - now) / 1000)),
    q,
    instance,
    regId,
  }));
}

function accept(
  { current, now }: RegistrationFacts,
  result: { readonly bindings: readonly Binding[]; readonly changed: boolean },
): RegistrationDecision {
  const bindings = result.bindings.toSorted((a, b) => b.q - a.q);
  const set = { version: current.version + (result.changed ? 1 : 0), bindings };
  return { set, changed: result.changed, contacts: registeredContacts(bindings, now) };
}

function removeAll(facts: RegistrationFacts, live: readonly Binding[]): RegistrationDecision {
  if (facts.request.expires !== 0) {
    return { status: 400, reason: 'Contact * Needs Expires 0' };
  }
  if (live.some((binding) => isOutOfOrder(binding, facts.request))) return OUT_OF_ORDER;
  return accept(facts, { bindings: [], changed: true });
}

function update(
  facts: RegistrationFacts,
  live: readonly Binding[],
  contacts: readonly RequestedContact[],
): RegistrationDecision {
  const refusal = refuseContacts(facts, live, contacts);
  if (refusal) return refusal;
  const brought = broughtBindings(facts, contacts);
  const room = facts.limits.maxContacts - brought.length;
  if (room < 0) return { status: 403, reason: 'Too Many Contacts' };
  const others = live.filter((binding) => !contacts.some((contact) => isSame(binding, contact)));
  const kept = withoutOldest(others, others.length - room, facts.request.userAgent);
  return accept(facts, { bindings: [...kept, ...brought], changed: true });
}

/** What the request binds; of several contacts that are the same the last one counts. */
function broughtBindings(
  facts: RegistrationFacts,
  contacts: readonly RequestedContact[],
): readonly Binding[] {
  let brought: readonly Binding[] = [];
  for (const contact of contacts) {
    const seconds = grantedSeconds(contact, facts);
    brought = brought.filter((binding) => !isSame(binding, contact));
    if (seconds > 0) brought = [...brought, toBinding(contact, seconds, facts)];
  }
  return brought;
}

/** `bindings` in their order, less `count`. The earliest expiry stands for the earliest refresh. */
function withoutOldest(bindings: readonly Binding[], count: number, userAgent: string): readonly Binding[] {
  if (count <= 0) return bindings;
  const isOther = (binding: Binding) => Number(binding.userAgent !== userAgent);
  const leaving = bindings
    .toSorted((a, b) => isOther(a) - isOther(b) || a.expiresAt - b.expiresAt)
    .slice(0, count);
  return bindings.filter((binding) => !leaving.includes(binding));
}

function refuseContacts(
  facts: RegistrationFacts,
  live: readonly Binding[],
  contacts: readonly RequestedContact[],
): RegistrationRefusal | undefined {
  const { request, limits } = facts;
  if (contacts.some((contact) => !parseSipUri(contact.uri))) {
    return { status: 400, reason: 'Contact Is No SIP URI' };
  }
  if (contacts.some((contact) => isTooBrief(grantedSeconds(contact, facts), limits))) {
    return { status: 423, reason: 'Interval Too Brief', minExpires: limits.minExpires };
  }
  const touched = live.filter((binding) => contacts.some((contact) => isSame(binding, contact)));
  return touched.some((binding) => isOutOfOrder(binding, request)) ? OUT_OF_ORDER : undefined;
}

function isTooBrief(seconds: number, { minExpires }: RegistrationLimits): boolean {
  return seconds > 0 && seconds < LONG_ENOUGH && seconds < minExpires;
}

/** The contact's own word, else the header's, else the default; never above the limit. */
function grantedSeconds(contact: RequestedContact, { request, limits }: RegistrationFacts): number {
  const asked = [contact.expires, request.expires].find(isSeconds) ?? limits.defaultExpires;
  return Math.min(asked, limits.maxExpires);
}

function isSeconds(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0;
}

/** A newer request of the same Call-ID has been carried out already. */
function isOutOfOrder(binding: Binding, request: RegisterRequest): boolean {
  return binding.callId === request.callId && request.cseq <= binding.cseq;
}

/** By instance and reg-id where both name one (RFC 5626 6), else by URI (RFC 3261 19.1.4): a phone may leave without reg-id. */
function isSame(binding: Binding, contact: RequestedContact): boolean {
  if (binding.instance !== undefined && contact.instance !== undefined) {
    if (binding.instance !== contact.instance) return false;
    if (binding.regId === contact.regId) return true;
    if (binding.regId !== undefined && contact.regId !== undefined) return false;
  }
  return sameUri(binding.contact, contact.uri);
}

function toBinding(contact: RequestedContact, seconds: number, facts: RegistrationFacts): Binding {
  const { callId, cseq, flow, path, userAgent } = facts.request;
  const q = contact.q ?? 1;
  return {
    contact: contact.uri,
    callId,
    cseq,
    expiresAt: facts.now + seconds * 1000,
    q: Number.isFinite(q) ? Math.min(1, Math.max(0, q)) : 1,
    flow,
    path,
    userAgent,
    ...(contact.instance === undefined ? {} : { instance: contact.instance }),
    ...(contact.regId === undefined ? {} : { regId: contact.regId }),
  };
}
