/** Requests of the network inside a dialog (RFC 3261 12.2.2, DP §9). */

import type { ServerTransaction } from '../transaction/transaction-layer.ts';
import { accept } from './accept.ts';
import { type ClientRequest, endsSubscription } from './client-request.ts';
import { answerByEngine, refuse } from './closing.ts';
import { type Core, newId } from './core.ts';
import { deliver } from './delivery.ts';
import type { Dialog } from './dialog.ts';
import { endDialog, refreshTarget } from './dialog-life.ts';
import { byeBeforeAnswer } from './invite-answer.ts';
import { prackReceived } from './reliable.ts';
import type { ServerRequest } from './server-request.ts';
import { intervalTooSmall, MIN_SE } from './session-timer.ts';

interface Arrival {
  tx: ServerTransaction;
  size: number;
}

type Refusal = { status: number; headers?: [string, string][] };

const TARGET_REFRESH = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

/** A request that belongs to `dialog`: refused, or handed to the application that owns it. */
export function inDialogRequest(core: Core, dialog: Dialog, arrival: Arrival): void {
  const { tx } = arrival;
  const refusal = orderRefusal(dialog, tx) ?? ownerRefusal(core, dialog, tx) ?? methodRefusal(dialog, tx);
  if (refusal) return refuse(tx, refusal.status, refusal.headers);
  noteSeq(dialog, tx);
  if (TARGET_REFRESH.has(tx.request.method)) refreshTarget(dialog, tx.request, tx.flow);
  const request = open(core, dialog, arrival);
  if (tx.request.method === 'BYE') return byeReceived(core, dialog, request);
  if (tx.request.method === 'NOTIFY') return notifyReceived(core, dialog, request);
  if (tx.request.method === 'INVITE') dialog.incomingInvite = request;
  handOver(core, dialog, request);
}

/** Requests must come in order (RFC 3261 12.2.2). PRACK names what it answers and needs no order. */
function orderRefusal(dialog: Dialog, tx: ServerTransaction): Refusal | undefined {
  const seq = tx.request.cseq?.seq ?? 0;
  const last = remoteOf(dialog, tx).seq;
  if (last === undefined || seq > last || tx.request.method === 'PRACK') return undefined;
  return { status: 500 };
}

/** The party of a forked call that sent this. */
function remoteOf(dialog: Dialog, tx: ServerTransaction): Dialog['remote'] {
  const tag = tx.request.from?.tag ?? '';
  return dialog.remote.tag === tag ? dialog.remote : (dialog.forks?.get(tag) ?? dialog.remote);
}

function noteSeq(dialog: Dialog, tx: ServerTransaction): void {
  const remote = remoteOf(dialog, tx);
  remote.seq = Math.max(remote.seq ?? 0, tx.request.cseq?.seq ?? 0);
  // A NOTIFY may come before the 2xx that would have told the tag.
  if (remote.tag === '') remote.tag = tx.request.from?.tag ?? '';
}

/** The owner is gone: 481, and a BYE ends the dialog all the same (DP §9). */
function ownerRefusal(core: Core, dialog: Dialog, tx: ServerTransaction): Refusal | undefined {
  if (dialog.app.open) return undefined;
  if (tx.request.method === 'BYE') endDialog(core, dialog);
  return { status: 481 };
}

function methodRefusal(dialog: Dialog, tx: ServerTransaction): Refusal | undefined {
  const { method } = tx.request;
  if (method === 'PRACK') return prackRefusal(dialog, tx);
  if (method !== 'INVITE' && method !== 'UPDATE') return undefined;
  if (intervalTooSmall(tx.request)) return { status: 422, headers: [['Min-SE', String(MIN_SE)]] };
  if (dialog.refreshing) return { status: 491 };
  const busy = method === 'INVITE' ? dialog.incomingInvite : dialog.incomingInvite?.update;
  // RFC 3261 14.2, RFC 3311 5.2: between 0 and 10 seconds.
  return busy
    ? { status: 500, headers: [['Retry-After', String(Math.floor(Math.random() * 10))]] }
    : undefined;
}

function prackRefusal(dialog: Dialog, tx: ServerTransaction): Refusal | undefined {
  const invite = dialog.prackDue;
  return invite && prackReceived(invite, tx.request.get('RAck') ?? '') ? undefined : { status: 481 };
}

/** Books the request; an UPDATE before the INVITE's answer shares the INVITE's id (DP §15). */
function open(core: Core, dialog: Dialog, { tx, size }: Arrival): ServerRequest {
  const invite =
    dialog.role === 'uas' && !dialog.incomingInvite?.inDialog ? dialog.incomingInvite : undefined;
  const shared = tx.request.method === 'UPDATE' ? invite : undefined;
  const request = accept(core, { tx, app: dialog.app, size, id: shared?.id ?? newId(), dialog });
  if (shared) {
    shared.update = request;
    // The id stays the INVITE's.
    core.serverRequests.add(shared);
  }
  return request;
}

function handOver(core: Core, dialog: Dialog, request: ServerRequest): void {
  const { tx, size, id } = request;
  core.counters.deliveredRequests++;
  deliver(dialog.app, tx.request, { transactionId: id, dialogId: dialog.id, flow: tx.flow, size });
}

/** The dialog is over at once, before the application answers (DP §9). */
function byeReceived(core: Core, dialog: Dialog, request: ServerRequest): void {
  const invite = dialog.incomingInvite;
  if (invite && !invite.inDialog) return byeBeforeAnswer(core, request, invite);
  endDialog(core, dialog);
  const text = request.tx.request.toString();
  core.apps.cdr({ type: 'stop', source: 'network', reason: 'normal-release', text });
  handOver(core, dialog, request);
}

/** A NOTIFY ahead of the 2xx of our SUBSCRIBE waits for it: the application has no dialog yet. */
function notifyReceived(core: Core, dialog: Dialog, request: ServerRequest): void {
  const pass = (): void => {
    if (request.tx.terminated || request.answered) return;
    if (dialog.state === 'ended') return answerByEngine(core, request, { status: 481 });
    if (endsSubscription(dialog, request.tx.request)) endDialog(core, dialog);
    handOver(core, dialog, request);
  };
  const subscribe =
    dialog.state === 'early' && dialog.kind === 'SUBSCRIBE' ? openSubscribe(core, dialog) : undefined;
  if (subscribe) subscribe.held.push(pass);
  else pass();
}

function openSubscribe(core: Core, dialog: Dialog): ClientRequest | undefined {
  for (const request of core.clientRequests.values()) {
    if (request.dialog === dialog && request.method === 'SUBSCRIBE') return request;
  }
  return undefined;
}
