/** INVITE as UAC: 1xx, 2xx and their repetition, forks, ACK (DP §11, §12). */

import type { SipMessage } from '../message/message.ts';
import type { ClientHandlers } from '../transaction/transaction-layer.ts';
import type { Flow } from '../transport/flow.ts';
import { type ClientRequest, deliverResponse, failRequest } from './client-request.ts';
import { type Core, T64 } from './core.ts';
import { contactUri, type Dialog, unknownRemote } from './dialog.ts';
import { confirmUacDialog, endDialog, noteLocalSdp, refreshTarget, switchFork } from './dialog-life.ts';
import { byeByEngine, byeFork, sendOwnAck } from './engine-bye.ts';
import { limitCall } from './invite-answer.ts';
import { applySessionResponse } from './session-timer.ts';

/** Later forks that get a BYE; there is seldom more than one. */
const MAX_REJECTED = 32;

interface Answer {
  response: SipMessage;
  flow: Flow;
  size: number;
}

/** What happens to an INVITE of an application, inside a dialog or not. */
export function inviteHandlers(core: Core, request: ClientRequest): ClientHandlers {
  return {
    onResponse: (response, flow, size) => {
      const answer = { response, flow, size };
      if (response.status < 200) proceed(core, request);
      if (response.status === 100) return;
      if (response.status < 200) return provisional(core, request, answer);
      if (!core.clientRequests.has(request.id)) return repeated(core, request.dialog, answer);
      core.clientRequests.delete(request.id);
      if (request.dialog?.outgoingInvite === request) request.dialog.outgoingInvite = undefined;
      if (response.status < 300) accepted(core, request, answer);
      else rejected(core, request, answer);
    },
    onTimeout: () => failRequest(core, request, 408),
    onTransportError: () => failRequest(core, request, request.overRegistered ? 410 : 503),
    isWanted: () => !request.cancelled,
  };
}

function provisional(core: Core, request: ClientRequest, answer: Answer): void {
  if (!core.clientRequests.has(request.id)) return;
  const { dialog } = request;
  if (dialog && request.makesDialog) switchFork(dialog, answer.response, answer.flow);
  if (dialog && isRepeatedReliable(dialog, answer.response)) return;
  deliverResponse(request, answer);
}

/** With the first 1xx a CANCEL that waited may go (RFC 3261 9.1). */
function proceed(core: Core, request: ClientRequest): void {
  const headers = request.heldCancel;
  request.proceeding = true;
  request.heldCancel = undefined;
  if (headers && request.tx) core.transactions.cancel(request.tx, headers);
}

/** A reliable 1xx comes again until our PRACK arrives; the application has seen it (RFC 3262 4). */
function isRepeatedReliable(dialog: Dialog, response: SipMessage): boolean {
  const rseq = Number.parseInt(response.get('RSeq') ?? '', 10);
  if (Number.isNaN(rseq)) return false;
  if (dialog.remote.rseq !== undefined && rseq <= dialog.remote.rseq) return true;
  dialog.remote.rseq = rseq;
  return false;
}

function accepted(core: Core, request: ClientRequest, answer: Answer): void {
  const { response, flow } = answer;
  const { dialog } = request;
  if (!dialog) return;
  if (request.makesDialog) {
    confirmUacDialog(dialog, response, flow);
    limitCall(core, dialog);
    core.apps.cdr({ type: 'start', source: 'network', role: 'uac', text: response.toString() });
  } else {
    refreshTarget(dialog, response, flow);
    noteLocalSdp(dialog, request.request);
  }
  dialog.remote.rseq = undefined;
  const seq = request.request.cseq?.seq ?? 0;
  const timer = core.clock.setTimer(T64, () => ackMissing(core, dialog));
  dialog.ackDue = { seq, timer, cancelled: request.cancelled };
  applySessionResponse(core, dialog, response);
  deliverResponse(request, answer);
  // Nobody is left to ACK and hang up.
  if (!request.app.open) byeByEngine(core, dialog, 'application is gone');
}

function ackMissing(core: Core, dialog: Dialog): void {
  byeByEngine(core, dialog, 'ACK timeout');
}

function rejected(core: Core, request: ClientRequest, answer: Answer): void {
  const { dialog } = request;
  if (dialog && request.makesDialog) {
    endDialog(core, dialog);
    const reason = request.cancelled ? 'call-canceled' : 'call-rejected';
    core.apps.cdr({ type: 'stop', source: 'network', reason, text: answer.response.toString() });
  } else if (dialog) dialog.remote.rseq = undefined;
  deliverResponse(request, answer);
}

/** A 2xx after the first: the stored ACK again, or ACK and BYE for another fork (RFC 3261 13.2.2.4). */
export function repeated(
  core: Core,
  dialog: Dialog | undefined,
  answer: { response: SipMessage; flow: Flow },
): void {
  const { response } = answer;
  if (!dialog || response.status >= 300 || response.cseq?.method !== 'INVITE') return;
  if (response.to?.tag !== dialog.remote.tag) return refuseFork(core, dialog, answer);
  const { seq } = response.cseq;
  const ack = dialog.sentAck;
  // Until the application ACKs, repeated 200s are swallowed.
  if (ack?.seq === seq && !ack.flow.closed) ack.flow.send(ack.text);
}

/** Each further 2xx gets its ACK; its BYE goes once. */
function refuseFork(
  core: Core,
  dialog: Dialog,
  { response, flow }: { response: SipMessage; flow: Flow },
): void {
  const tag = response.to?.tag ?? '';
  const seq = response.cseq?.seq ?? 0;
  const fork = forkOf(dialog, response, flow);
  sendOwnAck(core, fork, seq);
  dialog.rejectedForks ??= new Set();
  if (dialog.rejectedForks.has(tag) || dialog.rejectedForks.size >= MAX_REJECTED) return;
  dialog.rejectedForks.add(tag);
  byeFork(core, fork, seq + 1);
}

function forkOf(dialog: Dialog, response: SipMessage, flow: Flow): Dialog {
  const remote = unknownRemote(contactUri(response) ?? dialog.remote.target);
  const fork: Dialog = { ...dialog, state: 'early', forks: undefined, remote };
  confirmUacDialog(fork, response, flow);
  return fork;
}
