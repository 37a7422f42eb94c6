/** How dialogs begin, learn about their peer, and end. */

import { isIP } from 'node:net';
import { parseNameAddr, parseUri, type SipMessage, splitList } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import type { App } from './app.ts';
import type { Core } from './core.ts';
import { contactUri, type Dialog, dialogIdOf, type Remote, unknownRemote } from './dialog.ts';
import { parties } from './fill.ts';
import { contactFor } from './next-hop.ts';
import type { ServerRequest } from './server-request.ts';

/** Branches of one call that are told apart while it rings. */
const MAX_FORKS = 32;
const SDP = /^application\/sdp\b/i;

type Fixed = Pick<Dialog, 'kind' | 'role' | 'callId' | 'localTag' | 'app' | 'flow' | 'localSeq'>;

function newDialog(
  core: Core,
  fixed: Fixed,
  known: Pick<Dialog, 'id' | 'localParty' | 'remoteParty' | 'remote'>,
): Dialog {
  return {
    ...fixed,
    ...known,
    localContact: contactFor(core.transport.addressFor(fixed.flow)),
    state: 'early',
    forks: undefined,
    rejectedForks: undefined,
    incomingInvite: undefined,
    outgoingInvite: undefined,
    prackDue: undefined,
    ackDue: undefined,
    sentAck: undefined,
    unacked: undefined,
    afterAck: [],
    session: undefined,
    localSdp: '',
    peerUpdates: false,
    refreshing: false,
    deadline: undefined,
  };
}

/** The dialog an incoming INVITE or SUBSCRIBE makes (RFC 3261 12.1.1); it is in the table afterwards. */
export function createUasDialog(core: Core, request: ServerRequest): Dialog {
  const { tx, app, localTag } = request;
  const message = tx.request;
  const fromTag = message.from?.tag ?? '';
  const fixed: Fixed = {
    kind: request.method === 'SUBSCRIBE' ? 'SUBSCRIBE' : 'INVITE',
    role: 'uas',
    callId: message.callId ?? '',
    localTag,
    app,
    flow: tx.flow,
    localSeq: message.cseq?.seq ?? 0,
  };
  const dialog = newDialog(core, fixed, {
    id: dialogIdOf(fixed.callId, fromTag),
    ...parties(message.get('To') ?? '', message.get('From') ?? '', localTag),
    remote: {
      ...unknownRemote(contactUri(message) ?? message.from?.uri ?? ''),
      tag: fromTag,
      routes: recordRoutes(message),
      seq: message.cseq?.seq,
    },
  });
  dialog.remote.natAddress = natAddress(dialog.remote, tx.flow, 'uas');
  noteAllow(dialog, message);
  core.dialogs.add(dialog);
  request.dialog = dialog;
  return dialog;
}

/** The early dialog of an INVITE or SUBSCRIBE we send; it is in the table afterwards. */
export function createUacDialog(core: Core, request: SipMessage, options: { app: App; flow: Flow }): Dialog {
  const localTag = request.from?.tag ?? '';
  const callId = request.callId ?? '';
  const fixed: Fixed = {
    kind: request.method === 'SUBSCRIBE' ? 'SUBSCRIBE' : 'INVITE',
    role: 'uac',
    callId,
    localTag,
    localSeq: request.cseq?.seq ?? 0,
    ...options,
  };
  const dialog = newDialog(core, fixed, {
    id: dialogIdOf(callId, localTag),
    ...parties(request.get('From') ?? '', request.get('To') ?? '', localTag),
    remote: unknownRemote(request.uri),
  });
  dialog.localContact = request.get('Contact') ?? dialog.localContact;
  noteLocalSdp(dialog, request);
  core.dialogs.add(dialog);
  return dialog;
}

/** Points an early UAC dialog at the branch that spoke last (RFC 3261 12.1.2 for each To tag). */
export function switchFork(dialog: Dialog, response: SipMessage, flow: Flow): void {
  const tag = response.to?.tag;
  if (!tag || dialog.remote.tag === tag) return learnFromResponse(dialog, response, flow);
  dialog.forks ??= new Map();
  if (dialog.forks.size >= MAX_FORKS && !dialog.forks.has(tag) && response.status < 200) return;
  if (dialog.remote.tag) dialog.forks.set(dialog.remote.tag, dialog.remote);
  dialog.remote = dialog.forks.get(tag) ?? { ...unknownRemote(dialog.remote.target), tag };
  dialog.forks.set(tag, dialog.remote);
  learnFromResponse(dialog, response, flow);
}

/** Remote target and route set from a 1xx or 2xx to our dialog-making request. */
function learnFromResponse(dialog: Dialog, response: SipMessage, flow: Flow): void {
  const remote = dialog.remote;
  const routes = recordRoutes(response).reverse();
  if (dialog.state === 'early' && (routes.length > 0 || response.status >= 200)) remote.routes = routes;
  remote.target = contactUri(response) ?? remote.target;
  remote.natAddress = natAddress(remote, flow, 'uac');
  dialog.flow = flow;
  noteAllow(dialog, response);
}

/** Our dialog-making request was answered 2xx: early no more. */
export function confirmUacDialog(dialog: Dialog, response: SipMessage, flow: Flow): void {
  switchFork(dialog, response, flow);
  dialog.state = 'confirmed';
  dialog.forks = undefined;
}

/** A target refresh inside a dialog (RFC 3261 12.2): new Contact, never a new route set. */
export function refreshTarget(dialog: Dialog, message: SipMessage, flow: Flow): void {
  const target = contactUri(message);
  noteAllow(dialog, message);
  if (!target) return;
  dialog.remote.target = target;
  dialog.flow = flow;
  dialog.remote.natAddress = natAddress(dialog.remote, flow, dialog.role);
}

/** Remembers the SDP of a message of ours, for session refreshes. */
export function noteLocalSdp(dialog: Dialog, message: SipMessage): void {
  if (message.body !== '' && SDP.test(message.get('Content-Type') ?? '')) dialog.localSdp = message.body;
}

function noteAllow(dialog: Dialog, message: SipMessage): void {
  const allow = message.getAll('Allow').join(',');
  if (allow !== '') dialog.peerUpdates = /(^|[\s,])UPDATE([\s,]|$)/.test(allow);
}

/** Takes a dialog out of the table and ends everything it waits for. Harmless when repeated. */
export function endDialog(core: Core, dialog: Dialog): void {
  dialog.state = 'ended';
  dialog.deadline?.cancel();
  dialog.session?.timer.cancel();
  dialog.ackDue?.timer.cancel();
  stopAnswerRetransmission(dialog);
  dialog.session = undefined;
  dialog.ackDue = undefined;
  core.dialogs.remove(dialog);
  const waiting = dialog.afterAck;
  dialog.afterAck = [];
  for (const run of waiting) run();
}

/** Stops repeating our 2xx: it was ACKed, or given up. */
export function stopAnswerRetransmission(dialog: Dialog): void {
  dialog.unacked?.timer.cancel();
  dialog.unacked?.deadline.cancel();
  dialog.unacked = undefined;
}

/** (Re)starts a dialog's end of life, in milliseconds from now. */
export function setDeadline(core: Core, dialog: Dialog, options: { ms: number; expire: () => void }): void {
  dialog.deadline?.cancel();
  dialog.deadline = core.clock.setTimer(options.ms, options.expire);
}

function recordRoutes(message: SipMessage): string[] {
  return message.getAll('Record-Route').flatMap(splitList);
}

/**
 * Where in-dialog requests must go over UDP when what the peer wrote cannot be reached (DP §19): its Contact (or,
 * for our calls, its first route) names another place than the one its packets come from.
 */
function natAddress(remote: Remote, flow: Flow, role: Dialog['role']): Remote['natAddress'] {
  if (flow.reliable) return undefined;
  const source = { host: flow.remoteAddress, port: flow.remotePort };
  const route = parseUri(parseNameAddr(remote.routes[0] ?? '')?.uri ?? '');
  if (route)
    return role === 'uac' && isIP(route.host) !== 0 && route.host !== source.host ? source : undefined;
  const contact = parseUri(remote.target);
  const same = contact?.host === source.host && (contact.port === undefined || contact.port === source.port);
  return same ? undefined : source;
}
