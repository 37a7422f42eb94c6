/** Session timers (RFC 4028, DP §22). */

import type { SipMessage } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import { type Core, T1 } from './core.ts';
import type { Dialog } from './dialog.ts';
import { refreshTarget } from './dialog-life.ts';
import { byeByEngine, sendOwnAck } from './engine-bye.ts';
import { ownMessage, prepareInDialog, sendRequest } from './launch.ts';

/** RFC 4028 4: the smallest interval anybody may ask for, in seconds. */
export const MIN_SE = 90;
/** Node's timers end at 2^31 ms. */
const MAX_SE = 1_000_000;

interface Interval {
  seconds: number;
  refresher: 'uac' | 'uas' | undefined;
}

function sessionExpires(message: SipMessage): Interval | undefined {
  const match = /^\s*(\d{1,9})\s*(;.*)?$/.exec(message.get('Session-Expires') ?? '');
  if (!match) return undefined;
  const refresher = /;\s*refresher\s*=\s*(uac|uas)\b/i.exec(match[2] ?? '')?.[1]?.toLowerCase();
  return { seconds: Number(match[1]), refresher: refresher as Interval['refresher'] };
}

/** True when a re-INVITE or UPDATE asks for less than we allow: it gets a 422. */
export function intervalTooSmall(request: SipMessage): boolean {
  const asked = sessionExpires(request);
  return asked !== undefined && asked.seconds < MIN_SE;
}

/**
 * Completes Session-Expires of our 2xx: the application's, else what the peer asked for with a refresher named
 * (or, in a session that has a timer, with the roles kept). Anything else means no timer.
 */
export function fillSessionHeaders(dialog: Dialog, request: SipMessage, response: SipMessage): void {
  const own = sessionExpires(response);
  const asked = sessionExpires(request);
  const chosen = own ?? (asked?.refresher || dialog.session ? asked : undefined);
  if (!chosen || (!own && chosen.seconds < MIN_SE)) return;
  const peerCan = /\btimer\b/i.test([...request.getAll('Supported'), ...request.getAll('Require')].join(','));
  const kept = dialog.session && (dialog.session.weRefresh ? 'uas' : 'uac');
  const refresher = peerCan ? (own?.refresher ?? asked?.refresher ?? kept ?? 'uac') : 'uas';
  response.set('Session-Expires', `${Math.max(chosen.seconds, MIN_SE)};refresher=${refresher}`);
  const required = response.getAll('Require').join(',');
  if (refresher === 'uac' && !/\btimer\b/i.test(required)) response.add('Require', 'timer');
}

/** Starts or stops the timer by a 2xx of ours to INVITE or UPDATE. */
export function applySessionAnswer(core: Core, dialog: Dialog, response: SipMessage): void {
  const agreed = sessionExpires(response);
  arm(core, dialog, agreed && { seconds: agreed.seconds, weRefresh: agreed.refresher === 'uas' });
}

/** Starts or stops the timer by a 2xx the peer gave to our INVITE or UPDATE. */
export function applySessionResponse(core: Core, dialog: Dialog, response: SipMessage): void {
  const agreed = sessionExpires(response);
  arm(core, dialog, agreed && { seconds: agreed.seconds, weRefresh: agreed.refresher !== 'uas' });
}

function arm(core: Core, dialog: Dialog, agreed: { seconds: number; weRefresh: boolean } | undefined): void {
  dialog.session?.timer.cancel();
  dialog.session = undefined;
  if (!agreed || dialog.state === 'ended') return;
  const seconds = Math.min(Math.max(agreed.seconds, MIN_SE), MAX_SE);
  const { weRefresh } = agreed;
  // RFC 4028 10: half the interval for the refresher; a third, at most 32 s, before its end for the other.
  const wait = weRefresh ? seconds / 2 - Math.random() * 5 : seconds - Math.min(32, seconds / 3);
  const act = weRefresh ? refresh : expire;
  dialog.session = { seconds, weRefresh, timer: core.clock.setTimer(wait * 1_000, () => act(core, dialog)) };
}

/** Ends the timer: the session is about to be over. */
export function disarm(dialog: Dialog): void {
  dialog.session?.timer.cancel();
  dialog.session = undefined;
}

function expire(core: Core, dialog: Dialog): void {
  byeByEngine(core, dialog, 'Session timer expired');
}

function retry(core: Core, dialog: Dialog, ms: number): void {
  if (!dialog.session || dialog.state === 'ended') return;
  dialog.session.timer.cancel();
  dialog.session.timer = core.clock.setTimer(ms, () => refresh(core, dialog));
}

/** A refresh of the engine's own: the application is told nothing (DP §22). */
function refresh(core: Core, dialog: Dialog): void {
  const session = dialog.session;
  if (!session || dialog.state !== 'confirmed') return;
  if (dialog.incomingInvite || dialog.outgoingInvite || dialog.ackDue || dialog.unacked) {
    return retry(core, dialog, 4 * T1);
  }
  const method = dialog.localSdp && !dialog.peerUpdates ? 'INVITE' : 'UPDATE';
  const app = ownMessage(
    method,
    [
      ['Supported', 'timer'],
      ['Session-Expires', `${session.seconds};refresher=uac`],
      ['Min-SE', String(MIN_SE)],
    ],
    method === 'INVITE' ? dialog.localSdp : '',
  );
  dialog.refreshing = true;
  const seq = ++dialog.localSeq;
  prepareInDialog(core, dialog, {
    app,
    seq,
    done: (prepared) => {
      if ('refusal' in prepared || !prepared.flow) return failed(core, dialog);
      sendRefresh(core, dialog, { message: prepared.message, flow: prepared.flow, seq });
    },
  });
}

function sendRefresh(
  core: Core,
  dialog: Dialog,
  request: { message: SipMessage; flow: Flow; seq: number },
): void {
  sendRequest(core, request, {
    onResponse: (response, flow) => {
      if (response.status < 200) return;
      const done = dialog.refreshing;
      dialog.refreshing = false;
      if (response.status < 300 && request.message.method === 'INVITE') sendOwnAck(core, dialog, request.seq);
      if (done && dialog.state === 'confirmed') refreshed(core, dialog, { response, flow });
    },
    onTimeout: () => failed(core, dialog),
    onTransportError: () => failed(core, dialog),
  });
}

function refreshed(core: Core, dialog: Dialog, answer: { response: SipMessage; flow: Flow }): void {
  const { response, flow } = answer;
  const session = dialog.session;
  if (response.status < 300) {
    refreshTarget(dialog, response, flow);
    if (response.has('Session-Expires')) applySessionResponse(core, dialog, response);
    else if (session) arm(core, dialog, session);
  } else if (response.status === 491) retry(core, dialog, 2_100 + Math.random() * 1_900);
  else if (response.status === 422 && raise(dialog, response)) retry(core, dialog, 0);
  else if (refusesUpdate(dialog, response)) retry(core, dialog, 0);
  else failed(core, dialog);
}

/** The peer has no UPDATE after all: a re-INVITE will do, if there is an SDP for it. */
function refusesUpdate(dialog: Dialog, response: SipMessage): boolean {
  if (response.method !== 'UPDATE' || !dialog.localSdp || !dialog.peerUpdates) return false;
  dialog.peerUpdates = false;
  return response.status === 405 || response.status === 501;
}

/** Takes the larger interval a 422 asks for; false when it asks for nothing more. */
function raise(dialog: Dialog, response: SipMessage): boolean {
  const wanted = Number.parseInt(response.get('Min-SE') ?? '', 10);
  if (!dialog.session || !(wanted > dialog.session.seconds)) return false;
  dialog.session.seconds = wanted;
  return true;
}

function failed(core: Core, dialog: Dialog): void {
  dialog.refreshing = false;
  byeByEngine(core, dialog, 'Session timer expired');
}
