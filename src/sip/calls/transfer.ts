import { decideRoute, type Route } from '../../domain/route.ts';
import { reasonHeader, spoken } from '../reasons.ts';
import type { Dialog, Request, Response } from '../srf.ts';
import { type CallContext, connectLeg } from './connect.ts';
import type { Leg } from './leg.ts';
import { type Pursued, type PursuedRoute, pursue } from './pursue.ts';
import { reinvitePatiently } from './reinvite.ts';
import { type NamedDialog, parseReplaces } from './replaces.ts';
import { unheld } from './sdp.ts';

/** REFER within a call (RFC 3515, RFC 5589): a phone hands its peer to somebody else. */
export function handleRefer(
  context: CallContext,
  leg: Leg,
  exchange: { request: Request; response: Response },
): void {
  const { request, response } = exchange;
  const target = parseReferTo(request.get('Refer-To') ?? '');
  if (!target) return response.send(400, 'Refer-To not understood', {});
  // Only our own phones transfer, and nobody transfers an emergency call (RFC 6881).
  if (leg.party.kind !== 'host' || !mayTransfer(leg)) return response.send(603);
  if (target.replaces) {
    const consulted = context.table.find(target.replaces.callId, target.replaces.tags);
    if (!consulted?.peer || !isSamePhone(leg, consulted)) return response.send(481, 'No such call', {});
    if (!mayTransfer(consulted)) return response.send(603);
    response.send(202);
    safely(context, leg, attended(context, leg, consulted));
    return;
  }
  const route = blindRoute(context, leg.party.host, target.uri);
  if (route.kind !== 'ring' && route.kind !== 'trunk' && route.kind !== 'divert') return response.send(603);
  response.send(202);
  safely(context, leg, blind(context, leg, { route, host: leg.party.host }));
}

function mayTransfer(leg: Leg): boolean {
  return leg.peer !== undefined && !leg.peer.ended && !leg.emergency && !leg.transferring;
}

/** Tags can be overheard; a phone joins its own calls only. */
function isSamePhone(leg: Leg, other: Leg): boolean {
  const { party } = leg;
  return (
    other !== leg && party.kind === 'host' && other.party.kind === 'host' && other.party.host === party.host
  );
}

/** The edge of a transfer, which nobody waits for. */
function safely({ deps }: CallContext, leg: Leg, transfer: Promise<void>): void {
  transfer.catch((error: unknown) => {
    deps.log.error({ err: error }, 'transfer failed');
    leg.transferring = false;
    notify(leg.dialog, '500 Transfer failed', true);
  });
}

/** What a transfer may reach: a person or an outside number, as the one who transfers; never a code or 999. */
function blindRoute({ deps }: CallContext, host: string, requestUri: string): Route {
  return decideRoute({ requestUri, caller: { kind: 'host', host } }, deps.view, deps.numberPlan);
}

async function blind(
  context: CallContext,
  leg: Leg,
  { route, host }: { readonly route: PursuedRoute; readonly host: string },
): Promise<void> {
  const peer = leg.peer!;
  leg.transferring = true;
  notify(leg.dialog, '100 Trying', false);
  const signal = new AbortController();
  peer.dialog.on('destroy', () => signal.abort(reasonHeader(487, 'Transferred party hung up')));
  const pursuit = { route, from: { name: '', number: 'anonymous' }, extra: {}, host };
  const record = { transferBy: leg.party };
  const result = await pursue(context, pursuit, (attempt) =>
    connectLeg(context, peer, { ...attempt, emergency: false, record, signal: signal.signal }),
  );
  leg.transferring = false;
  if (result.outcome === 'connected') return finish(leg);
  if (leg.ended) return peer.hangUp(reasonHeader(480, 'Transfer failed'));
  notify(leg.dialog, `${statusOf(result)} Transfer failed`, true);
}

function statusOf(result: Pursued): number {
  if (result.outcome === 'refused') return spoken(result.reason).status;
  return result.outcome === 'failed' ? result.status : 487;
}

/** Joins the far sides of the two calls a phone has (RFC 5589 7). */
async function attended({ deps, table }: CallContext, leg: Leg, consulted: Leg): Promise<void> {
  const [first, second] = [leg.peer!, consulted.peer!];
  leg.transferring = true;
  consulted.transferring = true;
  notify(leg.dialog, '100 Trying', false);
  second.web?.trust(first.source);
  first.web?.trust(second.source);
  const answer = await reinvitePatiently(second, unheld(first.remoteSdp), deps.clock);
  const joined = answer.outcome === 'accepted' && (await reinvitePatiently(first, answer.sdp, deps.clock));
  leg.transferring = false;
  consulted.transferring = false;
  if (!joined || joined.outcome === 'refused') {
    if (answer.outcome === 'accepted') await reinvitePatiently(second, consulted.remoteSdp, deps.clock);
    notify(leg.dialog, '488 Transfer failed', true);
    return keepApart([leg, first], [consulted, second]);
  }
  first.line.shows(consulted.line.remote);
  second.line.shows(leg.line.remote);
  table.connect(first, second, { transferBy: leg.party });
  consulted.peer = undefined;
  consulted.hangUp(reasonHeader(200, 'Transferred'));
  finish(leg);
}

/** After an attended transfer that failed: a call the phone has left ends; the others are as they were. */
function keepApart(...calls: readonly [Leg, Leg][]): void {
  for (const [own, far] of calls) {
    if (own.ended) far.hangUp(reasonHeader(480, 'Transfer failed'));
    if (far.ended) own.hangUp(reasonHeader(480, 'Transfer failed'));
  }
}

/** Tells the phone that it worked and lets it go. */
function finish(leg: Leg): void {
  leg.peer = undefined;
  if (leg.ended) return;
  notify(leg.dialog, '200 OK', true);
  leg.hangUp(reasonHeader(200, 'Transferred'));
}

/** Progress of a transfer (RFC 3515 2.4.4). */
function notify(dialog: Dialog, status: string, final: boolean): void {
  if (!dialog.connected) return;
  const headers = {
    Event: 'refer',
    'Subscription-State': final ? 'terminated;reason=noresource' : 'active;expires=180',
    'Content-Type': 'message/sipfrag;version=2.0',
  };
  dialog.request({ method: 'NOTIFY', headers, body: `SIP/2.0 ${status}\r\n` }, () => undefined);
}

interface ReferTarget {
  readonly uri: string;
  readonly replaces?: NamedDialog;
}

/** Reads a Refer-To, with the Replaces it may carry as escaped header (RFC 3891 6.1). Total for any input. */
export function parseReferTo(value: string): ReferTarget | undefined {
  const inside = /<([^<>]+)>/.exec(value)?.[1] ?? value.split(';')[0]?.trim() ?? '';
  if (!/^(sips?|tel):/i.test(inside)) return undefined;
  const [uri = '', query = ''] = inside.split('?');
  const escaped = query.split('&').find((part) => /^replaces=/i.test(part));
  if (!escaped) return { uri };
  return { uri, replaces: parseReplaces(decodeSafely(escaped.slice('replaces='.length))) };
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
