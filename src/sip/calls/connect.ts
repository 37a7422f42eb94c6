import type { SipDependencies } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import type { Dialog, UnacknowledgedLeg } from '../srf.ts';
import { type ForkResult, fork, hangUpLeg, type Target } from './fork.ts';
import type { InboundInvite } from './inbound.ts';
import type { Leg, Party } from './leg.ts';
import { reinvitePatiently } from './reinvite.ts';
import { unheld } from './sdp.ts';
import type { CallTable } from './table.ts';

/** ms a call may ring before the caller is told that nobody answers. */
const MAX_RINGING = 180_000;

export interface CallContext {
  readonly deps: SipDependencies;
  readonly table: CallTable;
}

/** Targets that ring together; rounds are tried one after the other. */
export type Round = readonly Target[];

export interface Outgoing {
  readonly rounds: readonly Round[];
  readonly emergency: boolean;
  /** Added to the call's log lines. */
  readonly record: object;
}

export type ConnectResult =
  | { readonly outcome: 'connected' }
  /** The caller gave up; nothing more to say. */
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'failed'; readonly status: number; readonly reason: string };

/** Finds somebody to answer an INVITE and joins the two (RFC 7092: signalling-only B2BUA; media flows end to end). */
export async function connect(
  { deps, table }: CallContext,
  invite: InboundInvite,
  outgoing: Outgoing & { readonly caller: Party },
): Promise<ConnectResult> {
  const patience = deps.clock.setTimer(MAX_RINGING, () => invite.giveUp(reasonHeader(480, 'No answer')));
  const result = await tryInTurn(deps, outgoing.rounds, {
    offer: invite.request.body ?? '',
    signal: invite.signal,
    onProvisional: (response, only) => invite.relayProvisional(response, only),
  });
  patience.cancel();
  if (result.outcome !== 'answered') return failure(result);
  const near = await invite.answer('ack' in result.leg ? result.leg.sdp : result.leg.remote.sdp);
  if (!near) {
    hangUpLeg(result.leg, reasonHeader(487, 'Caller hung up'));
    return { outcome: 'gone' };
  }
  const { emergency } = outgoing;
  const a = table.add(near, { party: outgoing.caller, emergency });
  const far = await acknowledged(result.leg, near);
  if (!far) {
    a.hangUp(reasonHeader(500, 'No answer to our offer'));
    return { outcome: 'gone' };
  }
  const b = table.add(far, { party: result.target.party, emergency });
  table.connect(a, b, { ...outgoing.record, to: result.target.party });
  return { outcome: 'connected' };
}

/**
 * Joins a leg that is up already (in a menu, or transferred) to somebody new: the new side is offered the leg's own
 * session, then the leg is re-INVITEd to the answer. The leg keeps its dialog throughout.
 */
export async function connectLeg(
  { deps, table }: CallContext,
  leg: Leg,
  outgoing: Outgoing & { readonly signal: AbortSignal },
): Promise<ConnectResult> {
  const offer = unheld(leg.dialog.remote.sdp);
  const result = await tryInTurn(deps, outgoing.rounds, {
    offer,
    signal: outgoing.signal,
    onProvisional: () => undefined,
  });
  if (result.outcome !== 'answered') return failure(result);
  const far = result.leg as Dialog;
  const answer = await reinvitePatiently(leg.dialog, far.remote.sdp, deps.clock);
  if (answer.outcome === 'refused' || leg.ended) {
    hangUpLeg(far, reasonHeader(488, 'Media could not be joined'));
    return leg.ended
      ? { outcome: 'gone' }
      : { outcome: 'failed', status: 488, reason: 'Media could not be joined' };
  }
  const b = table.add(far, { party: result.target.party, emergency: outgoing.emergency });
  table.connect(leg, b, { ...outgoing.record, to: result.target.party });
  if (!sameMedia(answer.sdp, offer)) await reinvitePatiently(far, answer.sdp, deps.clock);
  return { outcome: 'connected' };
}

/** Round after round until one answers; a trunk that is down or silent leads to the next, a busy person does not. */
async function tryInTurn(
  deps: SipDependencies,
  rounds: readonly Round[],
  attempt: Omit<Parameters<typeof fork>[2], 'targets'>,
): Promise<ForkResult> {
  let last: ForkResult = { outcome: 'failed', status: 480, reason: 'Not reachable' };
  for (const targets of rounds) {
    const result = await fork(deps.srf, deps.clock, { ...attempt, targets });
    if (result.outcome !== 'failed' || !worthAnotherTrunk(result.status)) return result;
    last = result;
    deps.log.warn(
      { tried: targets.map(({ party }) => party), status: result.status },
      'no way through, trying the next',
    );
  }
  return last;
}

function worthAnotherTrunk(status: number): boolean {
  return status === 408 || (status >= 500 && status < 600) || status === 401 || status === 407;
}

function failure(result: Exclude<ForkResult, { outcome: 'answered' }>): ConnectResult {
  return result.outcome === 'aborted' ? { outcome: 'gone' } : result;
}

/** Late offer: the caller's ACK brings the answer for the far side (RFC 3261 13.2.2.4). */
function acknowledged(leg: Dialog | UnacknowledgedLeg, near: Dialog): Promise<Dialog | undefined> {
  if (!('ack' in leg)) return Promise.resolve(leg);
  return new Promise((resolve) => {
    near.once('ack', (ack) => {
      leg.ack(ack.body).then(resolve, () => resolve(undefined));
    });
    near.on('destroy', () => {
      leg.destroy().catch(() => undefined);
      resolve(undefined);
    });
  });
}

/** Whether two descriptions of one party lead to the same place: connection and media lines. */
function sameMedia(a: string, b: string): boolean {
  const lines = (sdp: string): string =>
    (sdp.match(/^(c=|m=\S+ \d+).*$/gm) ?? []).map((line) => line.split(' RTP')[0]).join();
  return lines(a) === lines(b);
}
