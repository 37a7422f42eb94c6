/** INVITE as UAS: provisional and final answers, their repetition, ACK, CANCEL (DP §10, §12, §13). */

import { copyRecordRoute, SipMessage } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import type { App, AppCommand } from './app.ts';
import { appHeader } from './app-message.ts';
import { answerByEngine, discard, dropInvite, echoOf, finish } from './closing.ts';
import { type Core, newId, T1, T2, T64 } from './core.ts';
import { deliver } from './delivery.ts';
import type { Dialog } from './dialog.ts';
import { createUasDialog, noteLocalSdp, setDeadline, stopAnswerRetransmission } from './dialog-life.ts';
import { byeByEngine } from './engine-bye.ts';
import { fillResponse } from './fill.ts';
import { afterReliable, sendReliable, wantsReliable } from './reliable.ts';
import type { ServerRequest } from './server-request.ts';
import { applySessionAnswer, fillSessionHeaders } from './session-timer.ts';

/** An application's answer to an INVITE that has no final answer yet. */
export function answerInvite(core: Core, request: ServerRequest, command: AppCommand): void {
  const { status } = command.message;
  if (status === 100) return sendTrying(request, command);
  const reliable = status < 200 && /\b100rel\b/i.test(appHeader(command.message, 'Require') ?? '');
  if (reliable && !wantsReliable(request.tx.request)) {
    return command.answer({ ok: false, reason: 'Remote endpoint does not support 100rel' });
  }
  if (status < 300 && !request.dialog) openDialog(core, request);
  if (status < 200) return sendProvisional(core, request, { command, reliable });
  if (status < 300) return accept(core, request, command);
  reject(core, request, command);
}

function openDialog(core: Core, request: ServerRequest): void {
  createUasDialog(core, request).incomingInvite = request;
}

function sendTrying(request: ServerRequest, command: AppCommand): void {
  const response = SipMessage.response(request.tx.request, 100);
  request.tx.respond(response);
  command.answer({ ok: true, echo: echoOf(request, response) });
}

function fill(
  core: Core,
  request: ServerRequest,
  options: { command: AppCommand; contact: boolean },
): SipMessage {
  const { tx, localTag, dialog } = request;
  const response = fillResponse(options.command.message, tx.request, {
    localTag,
    own: core.transport.addressFor(tx.flow),
    contact: options.contact ? dialog?.localContact : undefined,
  });
  if (response.status < 300) copyRecordRoute(tx.request, response);
  return response;
}

function sendProvisional(
  core: Core,
  request: ServerRequest,
  options: { command: AppCommand; reliable: boolean },
): void {
  const response = fill(core, request, { command: options.command, contact: options.reliable });
  if (request.dialog) noteLocalSdp(request.dialog, response);
  waitForFinal(core, request);
  if (options.reliable) {
    sendReliable(core, request, { response, giveUp: () => giveUp(core, request, 504) });
    if (request.dialog) request.dialog.prackDue = request;
  } else request.tx.respond(response);
  core.counters.sentResponses++;
  options.command.answer({ ok: true, echo: echoOf(request, response) });
}

/** An INVITE that rings has a deadline too; each 1xx of the application starts it anew. */
function waitForFinal(core: Core, request: ServerRequest): void {
  request.silence?.cancel();
  request.silence = core.clock.setTimer(core.limits.ringingMs, () => {
    core.counters.appSilent++;
    giveUp(core, request, 480);
  });
}

/** The engine ends an INVITE on its own; the application hears of it as of a CANCEL. */
export function giveUp(core: Core, request: ServerRequest, status: number): void {
  const { app, dialog } = request;
  if (request.answered) return;
  answerByEngine(core, request, { status });
  deliverCancel(app, request, { dialogId: dialog?.id ?? '', flow: request.tx.flow });
}

function accept(core: Core, request: ServerRequest, command: AppCommand): void {
  const dialog = request.dialog!;
  const response = fill(core, request, { command, contact: true });
  fillSessionHeaders(dialog, request.tx.request, response);
  dialog.state = 'confirmed';
  dialog.localContact = response.get('Contact') ?? dialog.localContact;
  noteLocalSdp(dialog, response);
  const echo = echoOf(request, response);
  finish(core, request, echo);
  if (!request.inDialog) startCall(core, dialog, response);
  afterReliable(request, () => sendSuccess(core, dialog, { request, response }));
  core.counters.sentResponses++;
  command.answer({ ok: true, echo });
}

function startCall(core: Core, dialog: Dialog, response: SipMessage): void {
  core.apps.cdr({ type: 'start', source: 'application', role: 'uas', text: response.toString() });
  limitCall(core, dialog);
}

/** The longest a call may last, for the case that both ends vanish. */
export function limitCall(core: Core, dialog: Dialog): void {
  const expire = (): void => byeByEngine(core, dialog, 'maximum call duration');
  setDeadline(core, dialog, { ms: core.limits.callMs, expire });
}

/** Sends a 2xx and repeats it until the ACK comes, over TCP too (RFC 3261 13.3.1.4). */
function sendSuccess(
  core: Core,
  dialog: Dialog,
  sent: { request: ServerRequest; response: SipMessage },
): void {
  const { request, response } = sent;
  if (dialog.state === 'ended') return;
  stopAnswerRetransmission(dialog);
  const repeat = (wait: number): void => {
    if (!dialog.unacked) return;
    request.tx.respond(response);
    dialog.unacked.timer = again(Math.min(wait * 2, T2));
  };
  const again = (wait: number) => core.clock.setTimer(wait, () => repeat(wait));
  dialog.unacked = {
    seq: request.tx.request.cseq?.seq ?? 0,
    transactionId: request.inDialog ? newId() : request.id,
    timer: again(T1),
    deadline: core.clock.setTimer(T64, () => ackTimeout(core, dialog)),
  };
  request.tx.respond(response);
  applySessionAnswer(core, dialog, response);
}

function ackTimeout(core: Core, dialog: Dialog): void {
  const waiting = dialog.afterAck;
  stopAnswerRetransmission(dialog);
  dialog.afterAck = [];
  // The application's own BYE was waiting for the ACK: it says the same.
  if (waiting.length > 0) for (const run of waiting) run();
  else byeByEngine(core, dialog, 'ACK timeout');
}

function reject(core: Core, request: ServerRequest, command: AppCommand): void {
  const response = fill(core, request, { command, contact: false });
  // The echo names the dialog even though the answer ends it (DP §9).
  const echo = echoOf(request, response);
  finish(core, request, echo);
  dropInvite(core, request);
  request.tx.respond(response);
  core.counters.sentResponses++;
  if (!request.inDialog) {
    core.apps.cdr({
      type: 'stop',
      source: 'application',
      reason: 'call-rejected',
      text: response.toString(),
    });
  }
  command.answer({ ok: true, echo });
}

/** CANCEL of the network: the INVITE gets its 487 first, then the application hears of it (DP §13). */
export function cancelInvite(
  core: Core,
  request: ServerRequest,
  cancel: { message: SipMessage; flow: Flow },
): void {
  if (request.answered) return;
  const { app, dialog, tx } = request;
  answerByEngine(core, request, { status: 487 });
  if (!request.inDialog) {
    core.apps.cdr({ type: 'stop', source: 'network', reason: 'call-canceled', text: tx.request.toString() });
  }
  deliver(app, cancel.message, {
    transactionId: request.id,
    dialogId: dialog?.id ?? '',
    flow: cancel.flow,
    size: request.size,
  });
}

/** A CANCEL nobody sent, so that the application stops what it does for an INVITE that is over. */
function deliverCancel(app: App, request: ServerRequest, ids: { dialogId: string; flow: Flow }): void {
  const invite = request.tx.request;
  const cancel = SipMessage.request('CANCEL', invite.uri);
  for (const name of ['Via', 'From', 'To', 'Call-ID']) cancel.add(name, invite.get(name) ?? '');
  cancel.add('CSeq', `${invite.cseq?.seq ?? 0} CANCEL`);
  deliver(app, cancel, { ...ids, transactionId: request.id, size: request.size });
}

/** BYE for an INVITE that is still open: 487 to it, 200 to the BYE (RFC 3261 15.1.2). */
export function byeBeforeAnswer(core: Core, bye: ServerRequest, invite: ServerRequest): void {
  const dialogId = invite.dialog?.id ?? '';
  answerByEngine(core, invite, { status: 487 });
  bye.tx.respond(SipMessage.response(bye.tx.request, 200));
  discard(core, bye);
  deliverCancel(invite.app, invite, { dialogId, flow: bye.tx.flow });
}

/** ACK for a 2xx of ours. Only the first is passed on. */
export function ackReceived(core: Core, ack: { message: SipMessage; flow: Flow; size: number }): void {
  const { message, flow, size } = ack;
  const dialog = core.dialogs.match(message.callId ?? '', message.to?.tag ?? '', message.from?.tag ?? '');
  if (!dialog?.unacked || dialog.unacked.seq !== message.cseq?.seq) return;
  const { transactionId } = dialog.unacked;
  const waiting = dialog.afterAck;
  stopAnswerRetransmission(dialog);
  dialog.afterAck = [];
  deliver(dialog.app, message, { transactionId, dialogId: dialog.id, flow, size });
  for (const run of waiting) run();
}
