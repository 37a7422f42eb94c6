import type { Identity, Route } from '../../domain/route.ts';
import type { SipDependencies, Trunk } from '../ports.ts';
import type { Headers } from '../srf.ts';
import type { Round } from './connect.ts';
import type { Target } from './fork.ts';
import { callTargets, emergencyTarget, trunkTarget } from './targets.ts';

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
    const targets = callTargets(route.hosts, view, { identity, domain, called, extra });
    return targets.length === 0 ? [] : [targets];
  }
  const show = { identity: route.as, domain, called: route.number, extra };
  const trunks = ordered(deps.trunks, route.trunk).filter(
    (trunk) => !trunk.emergency || trunk.name === route.trunk,
  );
  return downLast(deps, trunks).map((trunk) => [trunkTarget(trunk, route.number, show)]);
}

/**
 * Emergency trunks in their order, then the ordinary ones: the whole list, each once. One that is known to be down
 * comes last among its like: to know it is not to be sure.
 */
export function emergencyRounds(
  deps: SipDependencies,
  number: string,
  show: { identity: Identity; extra: Headers; location?: Target['enclosed'] },
): Round[] {
  const { trunks, domain } = deps;
  const meant = trunks.filter(({ emergency }) => emergency);
  const others = trunks.filter(({ emergency }) => !emergency);
  const inTurn = [...downLast(deps, meant), ...downLast(deps, others)];
  return inTurn.map((trunk) => [emergencyTarget(trunk, number, { ...show, domain, called: number })]);
}

function ordered(trunks: readonly Trunk[], first: string | undefined): Trunk[] {
  return [...trunks.filter((t) => t.name === first), ...trunks.filter((t) => t.name !== first)];
}

function downLast({ trunkHealth, log }: SipDependencies, trunks: readonly Trunk[]): readonly Trunk[] {
  try {
    const isDown = (trunk: Trunk): boolean => trunkHealth.isDown(trunk.name);
    return [...trunks.filter((t) => !isDown(t)), ...trunks.filter(isDown)];
  } catch (error) {
    // Their order is no reason for a call to fail.
    log.error({ err: error }, 'nothing is known of the trunks');
    return trunks;
  }
}
