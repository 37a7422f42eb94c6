import type { Host } from '../../domain/directory.ts';
import { isRefusal, type MediaSession } from '../../media/media.ts';
import type { FaceOutcome } from '../../services/ports.ts';
import { Conversation } from '../menus/conversation.ts';
import type { SipDependencies } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import { type Dialog, isUnacknowledged, type UnacknowledgedLeg } from '../srf.ts';
import { fork, hangUpLeg, type Target } from './fork.ts';
import { addressOf, callTargets, phoneTargets } from './targets.ts';

/** Who our own calls and messages come from, as a phone shows it. */
const US = { name: 'Hot desk', number: 'hotdesk' };
/** ms a phone has to answer a text: five transmissions over UDP (RFC 3261 17.1.2). */
const TEXT_PATIENCE = 8_000;

export type NoticeResult =
  | { readonly outcome: 'answered'; readonly conversation: Conversation }
  | { readonly outcome: 'unanswered' | 'busy' | 'interrupted' };

/**
 * Rings every phone registered as this host for `ringMs`, to talk to whoever answers. The phone makes the offer (RFC 3261 13.2.1):
 * one that only rings costs no media, and its offer says what it needs. The signal ends it, ringing or answered; its
 * reason is a Reason header value.
 */
export async function ringPhone(
  deps: SipDependencies,
  host: Host,
  { ringMs, signal }: { readonly ringMs: number; readonly signal: AbortSignal },
): Promise<NoticeResult> {
  const { view, domain } = deps;
  const ringing = new AbortController();
  const giveUp = (): void => ringing.abort(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  const patience = deps.clock.setTimer(ringMs, () => ringing.abort(reasonHeader(480, 'No answer')));
  const result = await fork(deps.srf, deps.clock, {
    targets: callTargets([host], view, { identity: US, domain, called: host.id }),
    offer: '',
    signal: ringing.signal,
    onProvisional: () => undefined,
  });
  patience.cancel();
  signal.removeEventListener('abort', giveUp);
  if (result.outcome === 'aborted') return { outcome: signal.aborted ? 'interrupted' : 'unanswered' };
  if (result.outcome === 'failed') {
    return { outcome: result.status === 486 || result.status === 600 ? 'busy' : 'unanswered' };
  }
  // Media from where it signals from is believed.
  const peer = addressOf(result.target) ?? '';
  const conversation = await talk(deps, result.leg, { peer, signal });
  return conversation ? { outcome: 'answered', conversation } : { outcome: 'unanswered' };
}

/** What a text needs. */
export type TextDependencies = Pick<SipDependencies, 'srf' | 'view' | 'clock' | 'log' | 'domain'>;

/**
 * Shows a text on every binding of a phone (RFC 3428). Many phones cannot (405, 415), and that is fine. Everything is
 * sent before this returns; what came of it is known some seconds later at most. Never rejects.
 */
export async function sendText(deps: TextDependencies, host: Host, text: string): Promise<FaceOutcome> {
  const { view, domain } = deps;
  const targets = phoneTargets([host], view, { identity: US, domain, called: host.id });
  const outcomes = await Promise.all(targets.map((target) => sendTo(deps, target, { host, text })));
  if (outcomes.length === 0) return 'nobody';
  return outcomes.includes('told') ? 'told' : outcomes.includes('failed') ? 'failed' : 'refused';
}

function sendTo(
  { srf, clock, log }: TextDependencies,
  { uri, headers: from, proxy }: Target,
  { host, text }: { readonly host: Host; readonly text: string },
): Promise<FaceOutcome> {
  const { From = '', To = '', 'P-Asserted-Identity': asserted = From } = from;
  const headers = { From, To, 'P-Asserted-Identity': asserted, 'Content-Type': 'text/plain;charset=UTF-8' };
  const options = { method: 'MESSAGE', headers, body: text, ...(proxy === undefined ? {} : { proxy }) };
  return new Promise((resolve) => {
    const settle = (outcome: FaceOutcome, data: object): void => {
      patience.cancel();
      log.debug({ host: host.id, ...data }, `text to a phone: ${outcome}`);
      resolve(outcome);
    };
    const patience = clock.setTimer(TEXT_PATIENCE, () => settle('failed', { status: 408 }));
    try {
      srf.request(uri, options, (error, request) => {
        if (error) return settle('failed', { err: error });
        request.on('response', ({ status }) => {
          if (status >= 200) settle(outcomeOf(status), { status });
        });
      });
    } catch (error) {
      // drachtio-srf throws while it has no server.
      settle('failed', { err: error });
    }
  });
}

/** A challenge is not answered: no phone gets a digest of ours to crack. */
function outcomeOf(status: number): FaceOutcome {
  if (status < 300) return 'told';
  return status === 408 || status === 480 || status >= 500 ? 'failed' : 'refused';
}

async function talk(
  deps: SipDependencies,
  leg: Dialog | UnacknowledgedLeg,
  { peer, signal }: { readonly peer: string; readonly signal: AbortSignal },
): Promise<Conversation | undefined> {
  if (!isUnacknowledged(leg)) {
    hangUpLeg(leg, reasonHeader(488, 'No session description'));
    return undefined;
  }
  const session = await deps.media.open({ callId: '', peer, offer: leg.sdp });
  if (isRefusal(session)) {
    hangUpLeg(leg, reasonHeader(488, 'No media'));
    return undefined;
  }
  const dialog = await acknowledge(leg, session);
  return dialog && Conversation.over(dialog, session, { clock: deps.clock, signal });
}

async function acknowledge(leg: UnacknowledgedLeg, session: MediaSession): Promise<Dialog | undefined> {
  try {
    return await leg.ack(session.localSdp);
  } catch {
    await session.close();
    return undefined;
  }
}
