import { lookUp } from './colleague.ts';
import { normaliseDialled } from './dialled.ts';
import type { Directory, Host, User } from './directory.ts';
import { isEmergencyCall } from './emergency.ts';
import { hostsOf } from './reach.ts';
import type { Diverted, Identity, Route } from './route.ts';
import type { NumberPlan, View } from './view.ts';

export interface CallForSomebody {
  readonly callee: User;
  /** Who calls, and from where, when it is one of us. */
  readonly caller?: { readonly user: User; readonly host: Host } | undefined;
}

interface Facts {
  readonly directory: Directory;
  readonly view: View;
  readonly plan: NumberPlan;
}

/**
 * A call for a person: on to where they have all calls go, else to the phones they are at (reach), else to where
 * unanswered calls go, which is their mailbox unless they say otherwise.
 */
export function decideCallFor({ callee, caller }: CallForSomebody, facts: Facts): Route {
  const { directory, view } = facts;
  const as: Identity | undefined = caller && { name: caller.user.name, number: caller.user.extension };
  const people = { callee, caller: caller?.user };
  const always = forwardedTo(callee.forwarding?.always, people, facts);
  if (always) return { kind: 'divert', to: { user: callee, to: always, reason: 'unconditional' }, as };
  const hosts = hostsOf(callee, directory, view).filter(({ id }) => id !== caller?.host.id);
  const otherwise = unanswered(people, facts);
  const isReachable = hosts.some(({ id }) => view.bindingsOf(id).length > 0);
  if (otherwise && !isReachable) return { kind: 'divert', to: { ...otherwise, reason: 'unavailable' }, as };
  if (hosts.length === 0) return { kind: 'refuse', reason: 'notReachable' };
  return { kind: 'ring', user: callee, hosts, as, ...(otherwise && { otherwise }) };
}

interface People {
  readonly callee: User;
  readonly caller: User | undefined;
}

function unanswered(people: People, facts: Facts): Diverted | undefined {
  const { callee: user } = people;
  const number = forwardedTo(user.forwarding?.unanswered, people, facts);
  const isVoicemail = facts.directory.company.voicemailNumber !== undefined;
  const to = number ?? (isVoicemail ? ({ kind: 'voicemail' } as const) : undefined);
  return to && { user, to, reason: 'no-answer' };
}

/**
 * Where a person's calls are sent, unless it leads back: to themselves, or to who is calling them (it is they who may
 * still ring the person). Nothing is ever sent on to an emergency number or into a menu.
 */
function forwardedTo(
  target: string | undefined,
  { callee, caller }: People,
  facts: Facts,
): Diverted['to'] | undefined {
  if (target === undefined) return undefined;
  const { directory, plan } = facts;
  const { voicePortal, voicemailNumber } = directory.company;
  const site = directory.sites.get(callee.site);
  const number = normaliseDialled(target);
  if (number === voicemailNumber) return { kind: 'voicemail' };
  if (number === voicePortal?.number || isEmergencyCall(target, { plan, site }) !== undefined)
    return undefined;
  const { user } = lookUp(number, site, facts);
  const leadsBack = user && (user.extension === callee.extension || user.extension === caller?.extension);
  return leadsBack ? undefined : { kind: 'number', number };
}
