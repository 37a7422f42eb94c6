import { lookUp } from './colleague.ts';
import { normaliseDialled } from './dialled.ts';
import type { Directory } from './directory.ts';
import { decideCallFor } from './divert.ts';
import { isEmergencyCall } from './emergency.ts';
import { type Diverted, type Identity, isMisdialledExtension, type Route } from './route.ts';
import type { NumberPlan, View } from './view.ts';

/** Diversions of one call, those before it came to us included; a call that goes round ends here. */
export const MOST_DIVERSIONS = 5;

/** A step of a diverted call; `voicemail` is the mailbox of who diverts. */
export type DivertedRoute = Extract<Route, { kind: 'ring' | 'trunk' | 'divert' | 'refuse' | 'voicemail' }>;

export interface DivertedFacts {
  readonly view: View;
  readonly plan: NumberPlan;
  /** Who calls; that does not change on the way. */
  readonly as: Identity;
}

/**
 * Where a diverted call goes: to a mailbox, or to a number as the person who diverts would dial it from their site,
 * colleagues first, who may divert it in their turn. Never to emergency services, which are nobody's to divert to.
 */
export function decideDivertedTo(
  { user, to }: Pick<Diverted, 'user' | 'to'>,
  { view, plan, as }: DivertedFacts,
): DivertedRoute {
  const { directory } = view;
  if (!directory) return refused('stateUnknown');
  if (to.kind === 'voicemail') return { kind: 'voicemail', user };
  const site = directory.sites.get(user.site);
  if (isEmergencyCall(to.number, { plan, site }) !== undefined) return refused('numberUnknown');
  const number = normaliseDialled(to.number);
  const { outside, user: callee } = lookUp(number, site, { directory, plan });
  if (callee) return asCalledBy(decideCallFor({ callee }, { directory, view, plan }), as);
  const digits = outside ?? number;
  const isMisdialled = outside === undefined && isMisdialledExtension(number, directory, plan);
  if (isMisdialled || !/^\+?\d{3,20}$/.test(digits)) return refused('numberUnknown');
  return { kind: 'trunk', number: digits, trunk: site?.outboundTrunk, as: shownOutside(as, directory) };
}

function refused(reason: Extract<Route, { kind: 'refuse' }>['reason']): DivertedRoute {
  return { kind: 'refuse', reason };
}

function asCalledBy(route: Route, as: Identity): DivertedRoute {
  switch (route.kind) {
    case 'ring':
    case 'divert':
      return { ...route, as };
    case 'refuse':
      return route;
    default:
      return refused('notReachable');
  }
}

/** A colleague's extension means nothing outside: there they show the number they always show. */
function shownOutside(as: Identity, { users }: Pick<Directory, 'users'>): Identity {
  const colleague = users.get(as.number);
  return colleague ? { name: as.name, number: colleague.callerId } : as;
}
