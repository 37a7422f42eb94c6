/** How requests of the network get their last answer and leave the books. */

import { SipMessage } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/transaction-layer.ts';
import { type Core, newTag } from './core.ts';
import { responseEcho } from './delivery.ts';
import { endDialog } from './dialog-life.ts';
import { clearReliable } from './reliable.ts';
import type { ServerRequest } from './server-request.ts';

/** The echo of a response; its dialog id is empty once the dialog is over (DP §31, BYE). */
export function echoOf(request: ServerRequest, response: SipMessage): ReturnType<typeof responseEcho> {
  const dialogId = request.dialog && request.dialog.state !== 'ended' ? request.dialog.id : '';
  return responseEcho(response.toString(), request.tx.flow, { transactionId: request.id, dialogId });
}

/** Marks a request as answered; it leaves the table with its transaction (see `accept` of requests). */
export function finish(core: Core, request: ServerRequest, echo: ServerRequest['answered']): void {
  request.answered = echo;
  request.silence?.cancel();
  const invite = request.dialog?.incomingInvite;
  if (invite === request && request.dialog) request.dialog.incomingInvite = undefined;
  if (invite?.update === request) invite.update = undefined;
  if (request.tx.terminated) core.serverRequests.remove(request);
}

/** Forgets a request: a later answer of the application is for an unknown transaction. */
export function discard(core: Core, request: ServerRequest): void {
  finish(core, request, undefined);
  core.serverRequests.remove(request);
}

/** A final answer of the engine's own to a request an application had. */
export function answerByEngine(
  core: Core,
  request: ServerRequest,
  answer: { status: number; headers?: [string, string][] },
): void {
  const { tx, localTag } = request;
  if (request.answered) return;
  if (request.method === 'INVITE') dropInvite(core, request);
  discard(core, request);
  tx.respond(ownResponse(tx.request, answer.status, { localTag, headers: answer.headers ?? [] }));
}

/** A final answer to a request no application gets to see. */
export function refuse(tx: ServerTransaction, status: number, headers: [string, string][] = []): void {
  tx.respond(ownResponse(tx.request, status, { localTag: newTag(), headers }));
}

function ownResponse(
  request: SipMessage,
  status: number,
  options: { localTag: string; headers: [string, string][] },
): SipMessage {
  const response = SipMessage.response(request, status);
  if (!request.to?.tag) response.set('To', `${request.get('To') ?? ''};tag=${options.localTag}`);
  for (const [name, value] of options.headers) response.add(name, value);
  return response;
}

/** The INVITE came to nothing: its reliable 1xx stop and the dialog it was making goes. */
export function dropInvite(core: Core, request: ServerRequest): void {
  clearReliable(request);
  const dialog = request.dialog;
  if (!dialog) return;
  if (dialog.incomingInvite === request) dialog.incomingInvite = undefined;
  if (!request.inDialog) endDialog(core, dialog);
}
