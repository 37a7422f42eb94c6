import type { Host } from '../../domain/directory.ts';
import { isRefusal, type MediaSession } from '../../media/media.ts';
import { Conversation } from '../menus/conversation.ts';
import type { SipDependencies } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import { type Dialog, isUnacknowledged, type UnacknowledgedLeg } from '../srf.ts';
import { fork, hangUpLeg, type Target } from './fork.ts';
import { phoneTargets } from './targets.ts';

/** Who our own calls and messages come from, as a phone shows it. */
const US = { name: 'Hot desk', number: 'hotdesk' };

export type NoticeResult =
  | { readonly outcome: 'answered'; readonly conversation: Conversation }
  | { readonly outcome: 'unanswered' | 'busy' | 'interrupted' };

/**
 * Rings every binding of a phone for `ringMs`, to talk to whoever answers. The phone makes the offer (RFC 3261 13.2.1):
 * one that only rings costs no media, and its offer says what it needs. The signal ends it, ringing or answered; its
 * reason is a Reason header value.
 */
export async function ringPhone(
  deps: SipDependencies,
  host: Host,
  { ringMs, signal }: { readonly ringMs: number; readonly signal: AbortSignal },
): Promise<NoticeResult> {
  const targets = targetsOf(deps, host);
  const ringing = new AbortController();
  const giveUp = (): void => ringing.abort(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  const patience = deps.clock.setTimer(ringMs, () => ringing.abort(reasonHeader(480, 'No answer')));
  const result = await fork(deps.srf, deps.clock, {
    targets: targets.map(({ target }) => target),
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
  const peer = targets.find(({ target }) => target === result.target)?.address ?? '';
  const conversation = await talk(deps, result.leg, { peer, signal });
  return conversation ? { outcome: 'answered', conversation } : { outcome: 'unanswered' };
}

/** Shows a text on every binding of a phone (RFC 3428). Many phones cannot (405, 415), and that is fine. */
export function sendText(deps: SipDependencies, host: Host, text: string): void {
  for (const { target } of targetsOf(deps, host)) {
    const { From = '', To = '', 'P-Asserted-Identity': asserted = From } = target.headers;
    const headers = { From, To, 'P-Asserted-Identity': asserted, 'Content-Type': 'text/plain;charset=UTF-8' };
    const proxy = target.proxy === undefined ? {} : { proxy: target.proxy };
    deps.srf.request(target.uri, { method: 'MESSAGE', headers, body: text, ...proxy }, (error, request) => {
      if (error) return deps.log.debug({ err: error, host: host.id }, 'text not sent');
      request.on('response', ({ status }) =>
        deps.log.debug({ status, host: host.id }, 'text sent to a phone'),
      );
    });
  }
}

/** Targets with the signalling address of each: media from it is believed. */
function targetsOf({ view, domain }: SipDependencies, host: Host): { target: Target; address: string }[] {
  const targets = phoneTargets([host], view, { identity: US, domain, called: host.id });
  const bindings = view.bindingsOf(host.id);
  return targets.map((target, index) => ({ target, address: bindings[index]?.flow.address ?? '' }));
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
