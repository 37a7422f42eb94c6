import type { Identity, Route } from '../../domain/route.ts';
import type { SipDependencies, Trunk } from '../ports.ts';
import type { Headers } from '../srf.ts';
import type { Round } from './connect.ts';
import { phoneTargets, trunkTarget } from './targets.ts';

/** Where a decided route leads, in the order to try: one round for phones, one for each trunk. */
export function roundsFor(
  deps: SipDependencies,
  route: Extract<Route, { kind: 'ring' | 'trunk' }>,
  { from, extra }: { from?: Identity | undefined; extra?: Headers },
): Round[] {
  const { domain, view } = deps;
  if (route.kind === 'ring') {
    const identity = route.as ?? from ?? { name: '', number: 'anonymous' };
    const called = route.user?.extension ?? route.hosts[0]?.id ?? '';
    const targets = phoneTargets(route.hosts, view, { identity, domain, called, extra });
    return targets.length === 0 ? [] : [targets];
  }
  const show = { identity: route.as, domain, called: route.number, extra };
  return ordered(deps.trunks, route.trunk)
    .filter((trunk) => !trunk.emergency || trunk.name === route.trunk)
    .map((trunk) => [trunkTarget(trunk, route.number, show)]);
}

/** Emergency trunks in their order, then the ordinary ones: the whole list, each once. */
export function emergencyRounds(
  deps: SipDependencies,
  number: string,
  show: { identity: Identity; extra: Headers },
): Round[] {
  const trunks = [...deps.trunks.filter((t) => t.emergency), ...deps.trunks.filter((t) => !t.emergency)];
  return trunks.map((trunk) => [
    trunkTarget(trunk, number, { ...show, domain: deps.domain, called: number }),
  ]);
}

function ordered(trunks: readonly Trunk[], first: string | undefined): Trunk[] {
  return [...trunks.filter((t) => t.name === first), ...trunks.filter((t) => t.name !== first)];
}
