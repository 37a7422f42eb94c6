import { sdpOf } from '../body.ts';
import type { SipDependencies } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import { type Dialog, isUnacknowledged, type UnacknowledgedLeg } from '../srf.ts';
import { unbind } from './bound.ts';
import { type ForkRequest, type ForkResult, fork, hangUpLeg, type Target } from './fork.ts';
import type { InboundInvite } from './inbound.ts';
import { Leg, type Party } from './leg.ts';
import type { OpenLine } from './lines.ts';
import { type ReinviteResult, reinvitePatiently } from './reinvite.ts';
import { answerAnew } from './revive.ts';
import { Ringing } from './ringing.ts';
import { NOT_ACCEPTABLE, sameMedia, unheld } from './sdp.ts';
import type { CallTable } from './table.ts';
import { addressOf } from './targets.ts';
import { isWeb, WebSide } from './web-side.ts';

/** ms a call may ring before the caller is told that nobody answers. Emergency calls ring as long as they must. */
const MAX_RINGING = 180_000;

/** What a call that has rung for as long as it may fails with. */
export const NO_ANSWER = 'No answer';

export interface CallContext {
  readonly deps: SipDependencies;
  readonly table: CallTable;
}

/** Targets that ring together, some perhaps a while later; rounds are tried one after the other. */
export type Round = readonly Target[];

export interface Outgoing {
  readonly rounds: readonly Round[];
  readonly emergency: boolean;
  /** ms all of it may ring; absent: as long as any call may. */
  readonly ringMs?: number | undefined;
  /** Added to the call's log lines. */
  readonly record: object;
}

export type ConnectResult =
  | { readonly outcome: 'connected' }
  /** The caller gave up; nothing more to say. */
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'failed'; readonly status: number; readonly reason: string };

type Attempt = Omit<ForkRequest, 'targets'> & {
  /** The offer in another way, for an emergency call's trunk that does not take it. */
  readonly offerOtherwise: () => Promise<string | undefined>;
  /** Where who calls signals from. */
  readonly source: string | undefined;
};

/** Finds somebody to answer an INVITE and joins the two (RFC 7092: signalling-only B2BUA; media flows end to end). */
export async function connect(
  context: CallContext,
  invite: InboundInvite,
  outgoing: Outgoing & { readonly caller: Party },
): Promise<ConnectResult> {
  const { phones, lines } = context.table;
  const { caller, emergency } = outgoing;
  const dialled = phones.use(caller, emergency);
  const line = lines.begin(caller, { direction: 'initiator', remote: calledBy(outgoing) });
  const ringing = new Ringing(lines, outgoing.rounds.flat(), outgoing);
  try {
    return await join(context, invite, { ...outgoing, line, ringing });
  } finally {
    dialled();
    line.drop();
    ringing.end();
  }
}

/** The caller's offer as others are told it: a browser's through a relay, if there is one to be had. */
async function offerOf({ deps }: CallContext, invite: InboundInvite): Promise<string> {
  const offer = sdpOf(invite.request);
  invite.web ??= await WebSide.open(deps, { urgent: invite.emergency });
  const plain = await invite.web?.heard('offer', offer);
  if (plain !== undefined) return plain;
  invite.web?.drop();
  invite.web = undefined;
  return offer;
}

/** Whom the caller is shown to talk to. */
function calledBy({ rounds, emergency }: Outgoing): string | undefined {
  return emergency ? undefined : rounds[0]?.[0]?.headers.To;
}

async function join(
  context: CallContext,
  invite: InboundInvite,
  outgoing: Outgoing & { readonly caller: Party; readonly line: OpenLine; readonly ringing: Ringing },
): Promise<ConnectResult> {
  const { line } = outgoing;
  const sent = sdpOf(invite.request);
  const offer = isWeb(sent) ? await offerOf(context, invite) : sent;
  const result = await search(context, outgoing, {
    offer,
    offerOtherwise: async () => invite.web?.otherwise(),
    source: invite.request.source_address,
    signal: invite.signal,
    onProvisional: (response, only, target) => {
      line.early();
      if (only) invite.web?.trust(addressOf(target));
      // A caller is bound to the first description they get (RFC 3261 13.2.1), and this may not be who answers.
      invite.relayProvisional(response, only && outgoing.ringMs === undefined);
    },
  });
  if (result.outcome !== 'answered') return failure(result);
  try {
    return await meet(context, invite, { ...outgoing, answered: result });
  } finally {
    result.web?.drop();
  }
}

/** Answers the caller, and makes one call of the two. */
async function meet(
  context: CallContext,
  invite: InboundInvite,
  outgoing: Outgoing & {
    readonly caller: Party;
    readonly line: OpenLine;
    readonly ringing: Ringing;
    readonly answered: Answered;
  },
): Promise<ConnectResult> {
  const { table } = context;
  const { answered: result, emergency, line, ringing } = outgoing;
  const { web } = result;
  const source = addressOf(result.target);
  const theirs = { party: result.target.party, emergency, line: ringing.lineOf(result.target), web, source };
  const early = takeIn(table, result.leg, theirs);
  invite.web?.trust(source);
  const sdp = await described(result, early);
  const told = await answerFor(invite, sdp);
  const anew =
    told === undefined && emergency ? await answerAnew(context, invite, { sdp, source }) : undefined;
  const near = await invite.answer(told ?? anew ?? sdp);
  if (!near) {
    letGo(early ?? result.leg, reasonHeader(487, 'Caller hung up'));
    return { outcome: 'gone' };
  }
  const a = table.add(near, {
    party: outgoing.caller,
    emergency,
    line,
    web: invite.web,
    source: invite.request.source_address,
  });
  const far = early ?? (await acknowledged(result.leg, near));
  if (!far) {
    a.hangUp(reasonHeader(500, 'No answer to our offer'));
    return { outcome: 'gone' };
  }
  const b = far instanceof Leg ? far : table.add(far, theirs);
  table.connect(a, b, { ...outgoing.record, to: result.target.party });
  if (anew) table.onMute(a);
  else void unbind(invite, [a, b], { sdp, clock: context.deps.clock });
  return { outcome: 'connected' };
}

/**
 * Joins a leg that is up already (in a menu, or transferred) to somebody new: the new side is offered the leg's own
 * session, then the leg is re-INVITEd to the answer. The leg keeps its dialog throughout.
 */
export async function connectLeg(
  context: CallContext,
  leg: Leg,
  outgoing: Outgoing & { readonly signal: AbortSignal },
): Promise<ConnectResult> {
  const ringing = new Ringing(context.table.lines, outgoing.rounds.flat(), outgoing);
  try {
    return await joinLeg(context, leg, { ...outgoing, ringing });
  } finally {
    ringing.end();
  }
}

async function joinLeg(
  context: CallContext,
  leg: Leg,
  outgoing: Outgoing & { readonly signal: AbortSignal; readonly ringing: Ringing },
): Promise<ConnectResult> {
  const offer = unheld(leg.remoteSdp);
  const { signal } = outgoing;
  const offerOtherwise = async (): Promise<string | undefined> => leg.web?.otherwise();
  const attempt = { offer, offerOtherwise, signal, source: leg.source, onProvisional: () => undefined };
  const result = await search(context, outgoing, attempt);
  if (result.outcome !== 'answered') return failure(result);
  try {
    return await meetLeg(context, leg, { ...outgoing, offer, answered: result });
  } finally {
    result.web?.drop();
  }
}

async function meetLeg(
  { deps, table }: CallContext,
  leg: Leg,
  outgoing: Outgoing & { readonly ringing: Ringing; readonly offer: string; readonly answered: Answered },
): Promise<ConnectResult> {
  const { answered: result, emergency, offer, ringing } = outgoing;
  const { web } = result;
  const source = addressOf(result.target);
  const theirs = { party: result.target.party, emergency, line: ringing.lineOf(result.target), web, source };
  const early = takeIn(table, result.leg, theirs);
  const sdp = await described(result, early);
  leg.web?.trust(source);
  const answer = leg.web?.inTalk
    ? await joinTalk(leg, offer, sdp)
    : await reinvitePatiently(leg, sdp, deps.clock);
  if (answer.outcome === 'refused' || leg.ended) {
    letGo(early ?? result.leg, reasonHeader(488, 'Media could not be joined'));
    return leg.ended
      ? { outcome: 'gone' }
      : { outcome: 'failed', status: 488, reason: 'Media could not be joined' };
  }
  const far = isUnacknowledged(result.leg) ? await result.leg.ack(answer.sdp) : result.leg;
  const b = early ?? table.add(far, theirs);
  leg.line.shows(calledBy(outgoing));
  table.connect(leg, b, { ...outgoing.record, to: result.target.party });
  if (offer !== '' && !sameMedia(answer.sdp, offer)) await reinvitePatiently(b, answer.sdp, deps.clock);
  return { outcome: 'connected' };
}

type Answered = Extract<ForkResult, { outcome: 'answered' }>;

/** What who answered has said, as others are told it. */
async function described({ leg, web }: Answered, early: Leg | undefined): Promise<string> {
  const sdp = sdpOfLeg(leg);
  if (!web || isUnacknowledged(leg)) return sdp;
  const plain = (await web.heard('answer', sdp)) ?? sdp;
  if (early) early.remoteSdp = plain;
  return plain;
}

/** A browser that was asked for an offer: others get it through a relay, and it their answer. */
async function offeredBy(deps: SipDependencies, answered: Answered, urgent: boolean): Promise<Answered> {
  const { leg } = answered;
  if (!isUnacknowledged(leg) || !isWeb(leg.sdp)) return answered;
  const web = await WebSide.open(deps, { urgent });
  const sdp = await web?.heard('offer', leg.sdp);
  if (!web || sdp === undefined) {
    web?.drop();
    return answered;
  }
  const ack = async (answer: string): Promise<Dialog> =>
    leg.ack((await web.told('answer', answer)) ?? answer);
  return { ...answered, web, leg: { sdp, ack, destroy: () => leg.destroy() } };
}

/** As the caller is told it; undefined: a browser, and its relay cannot say. */
async function answerFor({ web }: InboundInvite, sdp: string): Promise<string | undefined> {
  return web ? web.told('answer', sdp) : sdp;
}

/** A browser in a talk with us has made its offer by our relay: all it takes is to tell that of the answer. */
async function joinTalk(leg: Leg, offer: string, sdp: string): Promise<ReinviteResult> {
  const { web } = leg;
  if (web) web.inTalk = false;
  await web?.told('answer', sdp);
  return { outcome: 'accepted', sdp: offer };
}

/** Round after round, for as long as a call may ring. */
async function search(
  { deps, table }: CallContext,
  outgoing: Outgoing & { readonly ringing: Ringing },
  { onProvisional, ...attempt }: Attempt,
): Promise<ForkResult> {
  const { signal } = attempt;
  const { ringing: lines } = outgoing;
  const controller = new AbortController();
  const giveUp = (): void => controller.abort(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  const patience = outgoing.emergency
    ? undefined
    : deps.clock.setTimer(outgoing.ringMs ?? MAX_RINGING, () =>
        controller.abort(reasonHeader(480, NO_ANSWER)),
      );
  const ringing = outgoing.rounds.flat().map(({ party }) => table.phones.ring(party));
  const result = await tryInTurn(deps, outgoing, {
    ...{
      ...attempt,
      signal: controller.signal,
      openWeb: () => WebSide.open(deps, { urgent: outgoing.emergency }, attempt.source),
    },
    onProvisional: (response, only, target) => {
      lines.early(target);
      onProvisional(response, only, target);
    },
    onFailed: (target) => lines.failed(target),
  });
  if (result.outcome === 'answered') lines.answered(result.target);
  for (const stop of ringing) stop();
  patience?.cancel();
  signal.removeEventListener('abort', giveUp);
  if (result.outcome === 'aborted' && !signal.aborted) {
    return { outcome: 'failed', status: 480, reason: NO_ANSWER };
  }
  if (result.outcome !== 'answered' || sdpOfLeg(result.leg) !== '') {
    return result.outcome === 'answered' ? offeredBy(deps, result, outgoing.emergency) : result;
  }
  result.web?.drop();
  hangUpLeg(result.leg, reasonHeader(488, 'No session description'));
  return { outcome: 'failed', status: 488, reason: 'Answered without a session description' };
}

/**
 * Until one answers; a trunk that is down or silent leads to the next, a busy person does not. An emergency call takes
 * no answer but yes. The last way out is waited for as long as SIP itself does: after it there is none.
 */
async function tryInTurn(
  deps: SipDependencies,
  { rounds, emergency }: Outgoing,
  attempt: Attempt,
): Promise<ForkResult> {
  let last: ForkResult = { outcome: 'failed', status: 480, reason: 'Not reachable' };
  let { offer } = attempt;
  for (const [index, round] of rounds.entries()) {
    const isLast = index === rounds.length - 1;
    const targets = isLast ? round.map((target) => ({ ...target, answerWithinMs: undefined })) : round;
    const tried = (): Promise<ForkResult> =>
      fork(deps.srf, deps.clock, { ...attempt, offer, targets, undeterred: emergency });
    last = await tried();
    if (emergency && last.outcome === 'failed' && NOT_ACCEPTABLE.has(last.status)) {
      const otherwise = await attempt.offerOtherwise();
      offer = otherwise ?? offer;
      if (otherwise !== undefined) last = await tried();
    }
    if (last.outcome !== 'failed' || !(emergency || worthAnotherTrunk(last.status))) return last;
    deps.log.warn({ tried: targets.map(({ party }) => party), status: last.status }, 'no way through');
  }
  return last;
}

function worthAnotherTrunk(status: number): boolean {
  return status === 408 || (status >= 500 && status < 600) || status === 401 || status === 407;
}

function failure(result: Exclude<ForkResult, { outcome: 'answered' }>): ConnectResult {
  return result.outcome === 'aborted' ? { outcome: 'gone' } : result;
}

/** The answer of a leg, or its offer when we made none. */
function sdpOfLeg(leg: Dialog | UnacknowledgedLeg): string {
  return (isUnacknowledged(leg) ? leg.sdp : leg.remote.sdp) ?? '';
}

/** Listens to who has answered before the other side is ready: they may re-INVITE or hang up at once. */
function takeIn(
  table: CallTable,
  answered: Dialog | UnacknowledgedLeg,
  options: Parameters<CallTable['add']>[1],
): Leg | undefined {
  return isUnacknowledged(answered) ? undefined : table.add(answered, options);
}

function letGo(answered: Leg | Dialog | UnacknowledgedLeg, reason: string): void {
  if (answered instanceof Leg) answered.hangUp(reason);
  else hangUpLeg(answered, reason);
}

/** Late offer: the caller's ACK brings the answer for the far side (RFC 3261 13.2.2.4). */
function acknowledged(leg: Dialog | UnacknowledgedLeg, near: Dialog): Promise<Dialog | undefined> {
  if (!isUnacknowledged(leg)) return Promise.resolve(leg);
  return new Promise((resolve) => {
    let open = true;
    const abandon = (): void => {
      // Once acknowledged the leg is a dialog: this would be a second ACK and BYE.
      if (open) leg.destroy().catch(() => undefined);
      open = false;
      resolve(undefined);
    };
    if (!near.connected) return abandon();
    near.once('ack', (ack) => {
      if (!ack.body) return abandon();
      open = false;
      leg.ack(ack.body).then(resolve, () => resolve(undefined));
    });
    near.on('destroy', abandon);
  });
}
