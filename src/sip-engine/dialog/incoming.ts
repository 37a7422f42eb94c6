/** Requests of the network: which dialog, which application, or which refusal (DP §4, §9, §26). */

import type { SipMessage } from '../message/message.ts';
import type { ServerTransaction, TransactionUser } from '../transaction/transaction-layer.ts';
import { accept } from './accept.ts';
import { refuse } from './closing.ts';
import { type Core, hasRoom, newId } from './core.ts';
import { deliver } from './delivery.ts';
import { dialogIdOf } from './dialog.ts';
import { inDialogRequest } from './in-dialog-incoming.ts';
import { ackReceived, cancelInvite } from './invite-answer.ts';
import { repeated } from './invite-request.ts';

/** Methods an application can be asked to handle. */
const KNOWN = new Set(
  'INVITE REGISTER OPTIONS MESSAGE INFO NOTIFY SUBSCRIBE PUBLISH REFER UPDATE PRACK BYE ACK CANCEL'.split(
    ' ',
  ),
);
/** Make no sense outside a dialog. */
const DIALOG_ONLY = new Set(['BYE', 'UPDATE', 'PRACK']);
/** Never belong to a dialog, whatever their To says. */
const DIALOG_NEVER = new Set(['REGISTER', 'PUBLISH']);

/** The dialog layer as the transaction layer sees it. */
export function transactionUser(core: Core): TransactionUser {
  return {
    onRequest: (tx, size) => requestReceived(core, tx, size),
    onCancel: (message, invite, flow) => {
      const request = core.serverRequests.byTransaction(invite);
      if (request) cancelInvite(core, request, { message, flow });
      else refuse(invite, 487);
    },
    onAck: (message, flow, size) => ackReceived(core, { message, flow, size }),
    onStrayResponse: (response, flow) => {
      const dialog = core.dialogs.local(response.callId ?? '', response.from?.tag ?? '');
      repeated(core, dialog, { response, flow });
    },
  };
}

function requestReceived(core: Core, tx: ServerTransaction, size: number): void {
  const { request } = tx;
  const toTag = request.to?.tag;
  const dialog = toTag ? core.dialogs.match(request.callId ?? '', toTag, request.from?.tag ?? '') : undefined;
  if (dialog) inDialogRequest(core, dialog, { tx, size });
  else if (toTag && !isForApp(core, request)) refuse(tx, 481);
  else newRequest(core, tx, size);
}

/**
 * Whether a request with a To tag nobody here knows goes to an application all the same (DP §26): it may go on with what
 * the process before it began, such as a subscription. A call cannot be gone on with.
 */
function isForApp(core: Core, request: SipMessage): boolean {
  const { method } = request;
  if (DIALOG_NEVER.has(method) || !KNOWN.has(method)) return true;
  if (method === 'INVITE' || DIALOG_ONLY.has(method)) return false;
  return core.apps.routedMethods().includes(method) && !(method === 'SUBSCRIBE' && isLoop(core, request));
}

function newRequest(core: Core, tx: ServerTransaction, size: number): void {
  const { request } = tx;
  if (DIALOG_ONLY.has(request.method)) return refuse(tx, 481);
  if (!isNameable(request)) return refuse(tx, 400);
  if (makesDialog(request) && isLoop(core, request)) return refuse(tx, 482);
  if (makesDialog(request) && isFull(core, request)) return refuse(tx, 503, [['Retry-After', '5']]);
  const app = core.apps.pick(request.method);
  if (!app) return noRoute(core, tx);
  const entry = accept(core, { tx, app, size, id: newId() });
  core.counters.deliveredRequests++;
  if (request.method === 'INVITE') {
    core.apps.cdr({ type: 'attempt', source: 'network', text: request.toString() });
  }
  deliver(app, request, { transactionId: entry.id, dialogId: '', flow: tx.flow, size, isNew: true });
}

/** RFC 3261 25.1 has no `|` in Call-ID and tag; the application protocol separates its tokens by it. */
function isNameable(request: SipMessage): boolean {
  return !`${request.callId}${request.from?.tag}`.includes('|');
}

function makesDialog(request: SipMessage): boolean {
  return request.method === 'INVITE' || request.method === 'SUBSCRIBE';
}

/** Our own call came back, or a live dialog's id would be given twice: applications could not tell them apart. */
function isLoop(core: Core, request: SipMessage): boolean {
  return core.dialogs.get(dialogIdOf(request.callId ?? '', request.from?.tag ?? '')) !== undefined;
}

function isFull(core: Core, request: SipMessage): boolean {
  if (hasRoom(core, request.method) || core.isExempt(request)) return false;
  core.counters.refusedFull++;
  return true;
}

/** Nobody handles this method: 501 if none could, 405 while applications are there, else 503. */
function noRoute(core: Core, tx: ServerTransaction): void {
  if (!KNOWN.has(tx.request.method)) return refuse(tx, 501, [['Allow', allowed(core)]]);
  if (core.apps.connected) return refuse(tx, 405, [['Allow', allowed(core)]]);
  refuse(tx, 503, [['Retry-After', '5']]);
}

function allowed(core: Core): string {
  return [...new Set([...core.apps.routedMethods(), 'ACK', 'BYE', 'CANCEL', 'PRACK', 'UPDATE'])].join(', ');
}
