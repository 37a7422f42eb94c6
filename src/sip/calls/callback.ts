import type { CallbackRoute } from '../../domain/callback.ts';
import type { Identity } from '../../domain/route.ts';
import type { SipDependencies } from '../ports.ts';
import { spoken } from '../reasons.ts';
import type { Headers } from '../srf.ts';
import { type CallContext, connect, type Round } from './connect.ts';
import type { InboundInvite } from './inbound.ts';
import type { Party } from './leg.ts';
import { phoneTargets } from './targets.ts';

/** What makes a phone ring that would rather not, as far as it listens (RFC 7090, RFC 7462 9). */
const URGENT: Headers = { Priority: 'psap-callback', 'Alert-Info': '<urn:alert:priority:high>' };

export interface CallbackOptions {
  readonly route: CallbackRoute;
  readonly caller: Party;
  readonly from: Identity;
  /** Further headers of the INVITEs. */
  readonly extra: Headers;
}

/** Rings the desk an emergency call came from. It is an emergency call like the first one: nobody transfers or ends it. */
export async function placeCallback(
  context: CallContext,
  invite: InboundInvite,
  { route, caller, from, extra }: CallbackOptions,
): Promise<void> {
  const { deps } = context;
  const record = { callback: route.number, host: route.record?.host, caller };
  deps.log.warn(record, 'call back after an emergency call');
  const targets = targetsOf(deps, route, { identity: from, extra: { ...extra, ...URGENT } });
  const calling = connect(context, invite, { rounds: [targets], caller, record, emergency: true });
  // After the phones: nobody who is told may be in the way.
  note(deps, route);
  const result = await calling;
  if (result.outcome !== 'failed') return;
  deps.log.error({ ...record, status: result.status }, 'CALL BACK AFTER AN EMERGENCY CALL NOT ANSWERED');
  const { text } = spoken('notReachable');
  invite.refuse(result.status, targets.length === 0 ? text : result.reason, deps.domain);
}

function note({ emergencies, log }: SipDependencies, { record }: CallbackRoute): void {
  try {
    if (record) emergencies.stage(record, 'calledBack');
  } catch (error) {
    log.error({ err: error }, 'a call back was not noted');
  }
}

/**
 * Whoever rings goes on ringing when others join. The number stands in To: with it the calls get past full tables. A phone is
 * rung by all its flows at once: rather twice than some seconds late.
 */
function targetsOf(
  { view, domain }: SipDependencies,
  { rounds, roundMs, number }: CallbackRoute,
  show: { readonly identity: Identity; readonly extra: Headers },
): Round {
  const to = { ...show, domain, called: number };
  return rounds
    .map((ids) =>
      phoneTargets(
        ids.map((id) => ({ id })),
        view,
        to,
      ),
    )
    .filter((targets) => targets.length > 0)
    .flatMap((targets, index) => targets.map((target) => ({ ...target, joinsAfterMs: index * roundMs })));
}
