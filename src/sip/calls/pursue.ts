import { type DivertedRoute, decideDivertedTo, MOST_DIVERSIONS } from '../../domain/diverted-to.ts';
import type { Reason } from '../../domain/reasons.ts';
import type { Diverted, Identity } from '../../domain/route.ts';
import type { SipDependencies } from '../ports.ts';
import type { Headers } from '../srf.ts';
import type { CallContext, ConnectResult, Round } from './connect.ts';
import {
  type Diversion,
  type DiversionReason,
  diversionHeader,
  diversionsIn,
  reasonOf,
} from './diversion.ts';
import { roundsFor } from './rounds.ts';
import { voicemailRounds } from './voicemail.ts';

/** ms a person's phones ring before the call goes on to where they want it then. */
const RING_BEFORE_DIVERSION = 25_000;

export type PursuedRoute = Exclude<DivertedRoute, { kind: 'refuse' }>;

export interface Pursuit {
  readonly route: PursuedRoute;
  /** Who calls, as the call itself says; a route that knows better wins. */
  readonly from: Identity;
  readonly extra: Headers;
  /** Diversion header that the call brought along, as far as it is believed. */
  readonly before?: string | undefined;
  /** Phone that calls: it is not rung. */
  readonly host?: string | undefined;
}

export type Attempt = (attempt: {
  readonly rounds: readonly Round[];
  readonly ringMs: number | undefined;
}) => Promise<ConnectResult>;

export type Pursued = ConnectResult | { readonly outcome: 'refused'; readonly reason: Reason };

interface Step {
  readonly by: Diverted['user'];
  readonly reason: DiversionReason;
}

/**
 * Follows a call to where people want it: their phones, then wherever it goes when nobody answers, at most five times
 * and through nobody twice. Each attempt is the caller's to make.
 */
export async function pursue(context: CallContext, pursuit: Pursuit, attempt: Attempt): Promise<Pursued> {
  const detours: (() => void)[] = [];
  try {
    return await follow(context, pursuit, { attempt, detours });
  } finally {
    for (const end of detours) end();
  }
}

async function follow(
  { deps, table }: CallContext,
  pursuit: Pursuit,
  { attempt, detours }: { readonly attempt: Attempt; readonly detours: (() => void)[] },
): Promise<Pursued> {
  const { from, before } = pursuit;
  const steps: Step[] = [];
  let route: DivertedRoute = pursuit.route;
  const as = ('as' in route && route.as) || from;
  for (;;) {
    if (route.kind === 'refuse') return { outcome: 'refused', reason: route.reason };
    let failed: Pursued = { outcome: 'refused', reason: 'notReachable' };
    if (route.kind !== 'divert') {
      const reached = await tryOut(deps, { ...pursuit, route, from: as }, { steps, attempt });
      if (reached.outcome !== 'failed' && reached.outcome !== 'refused') return reached;
      failed = reached;
    }
    const step = nextStep(route, failed);
    if (!step || steps.length + diversionsIn(before) >= MOST_DIVERSIONS || hasBeen(steps, step.to.user))
      return failed;
    const end = table.detours.begin(step.to.user.extension);
    if (!end) return goesRound(deps, step.to);
    detours.push(end);
    steps.push({ by: step.to.user, reason: step.reason });
    route = decideDivertedTo(step.to, { view: deps.view, plan: deps.numberPlan, as });
    // Whose phones have rung already will not answer now.
    if (route.kind === 'ring' && route.user && hasBeen(steps, route.user)) return failed;
    deps.log.info(
      { by: step.to.user.extension, reason: step.reason, to: route.kind },
      'call sent on to where it is wanted',
    );
  }
}

function goesRound({ log }: SipDependencies, { user }: Diverted): Pursued {
  log.warn({ by: user.extension }, 'too many calls are sent on by one person: they may go round');
  return { outcome: 'failed', status: 482, reason: 'Loop Detected' };
}

function hasBeen(steps: readonly Step[], { extension }: Diverted['user']): boolean {
  return steps.some(({ by }) => by.extension === extension);
}

/** Where it goes next, and why. */
function nextStep(
  route: PursuedRoute,
  failed: Pursued,
): { to: Diverted; reason: DiversionReason } | undefined {
  if (route.kind === 'divert') return { to: route.to, reason: route.to.reason };
  if (route.kind !== 'ring' || !route.otherwise) return undefined;
  const reason = failed.outcome === 'failed' ? reasonOf(failed) : 'unavailable';
  return { to: route.otherwise, reason };
}

async function tryOut(
  deps: SipDependencies,
  pursuit: Pursuit & { readonly route: Exclude<PursuedRoute, { kind: 'divert' }> },
  { steps, attempt }: { readonly steps: readonly Step[]; readonly attempt: Attempt },
): Promise<Pursued> {
  const { route } = pursuit;
  const rounds = roundsOf(deps, pursuit, steps);
  if (rounds.length === 0)
    return { outcome: 'refused', reason: route.kind === 'ring' ? 'notReachable' : 'numberUnknown' };
  const ringMs = route.kind === 'ring' && route.otherwise ? RING_BEFORE_DIVERSION : undefined;
  return attempt({ rounds, ringMs });
}

function roundsOf(
  deps: SipDependencies,
  { route, from, extra, before, host }: Pursuit,
  steps: readonly Step[],
): Round[] {
  const { domain } = deps;
  const asInside = chainOf(steps, ({ extension }) => extension);
  switch (route.kind) {
    case 'voicemail':
      return voicemailRounds(deps, { user: route.user, chain: asInside, from, before, extra });
    case 'ring': {
      const hosts = route.hosts.filter(({ id }) => id !== host);
      const headers = { ...extra, ...diversionHeader(asInside, { domain }) };
      return roundsFor(deps, { ...route, hosts }, { from, extra: headers });
    }
    case 'trunk': {
      if (steps.length === 0) return roundsFor(deps, route, { from, extra });
      const asOutside = chainOf(steps, ({ callerId }) => callerId);
      const headers = { ...extra, ...diversionHeader(asOutside, { domain, before }) };
      return roundsFor(deps, route, { from, extra: headers });
    }
    default:
      return [];
  }
}

function chainOf(steps: readonly Step[], numberOf: (user: Diverted['user']) => string): Diversion[] {
  return steps.map(({ by, reason }) => ({ number: numberOf(by), reason }));
}
