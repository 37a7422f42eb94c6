/** Requests applications send: new ones, and the fate of all of them. */

import type { SipMessage } from '../message/message.ts';
import type { ClientHandlers, ClientTransaction } from '../transaction/transaction-layer.ts';
import type { Flow } from '../transport/flow.ts';
import { grantedSeconds, keepSubscription } from './answer.ts';
import type { App } from './app.ts';
import { type Core, newId } from './core.ts';
import { deliver, deliverMadeUp } from './delivery.ts';
import type { Dialog } from './dialog.ts';
import { confirmUacDialog, endDialog, refreshTarget } from './dialog-life.ts';
import { applySessionResponse } from './session-timer.ts';

/** A request an application sent, until it has its final response. */
export interface ClientRequest {
  /** Transaction id the application knows it by. */
  readonly id: string;
  readonly app: App;
  readonly method: string;
  /** Replaced when it is sent again by another transport. */
  request: SipMessage;
  tx: ClientTransaction | undefined;
  dialog: Dialog | undefined;
  /** It made its dialog, or tried to. */
  readonly makesDialog: boolean;
  /** Goes down a connection the device itself opened: its loss is 410, not 503 (DP §17). */
  readonly overRegistered: boolean;
  cancelled: boolean;
  /** Headers of the application's CANCEL, kept until a 1xx allows to send it (RFC 3261 9.1). */
  heldCancel: [string, string][] | undefined;
  /** A 1xx has come, 100 included. */
  proceeding: boolean;
  /** NOTIFYs that came before the 2xx of our SUBSCRIBE. */
  held: (() => void)[];
}

export function newClientRequest(
  fixed: Pick<ClientRequest, 'app' | 'request' | 'dialog' | 'makesDialog' | 'overRegistered'>,
): ClientRequest {
  return {
    ...fixed,
    id: newId(),
    method: fixed.request.method,
    tx: undefined,
    cancelled: false,
    heldCancel: undefined,
    proceeding: false,
    held: [],
  };
}

/** Puts a request on the wire. */
export function transmit(
  core: Core,
  request: ClientRequest,
  way: { flow: Flow; handlers: ClientHandlers },
): void {
  core.counters.sentRequests++;
  request.tx = core.transactions.request(request.request, way.flow, way.handlers);
}

/** What happens to a request that is not an INVITE, inside a dialog or not. */
export function plainHandlers(core: Core, request: ClientRequest): ClientHandlers {
  return {
    onResponse: (response, flow, size) => {
      if (response.status === 100 || !core.clientRequests.has(request.id)) return;
      if (response.status >= 200) settle(core, request, { response, flow });
      deliverResponse(request, { response, flow, size });
      if (response.status >= 200) releaseHeld(core, request);
    },
    onTimeout: () => failRequest(core, request, 408),
    onTransportError: () => failRequest(core, request, request.overRegistered ? 410 : 503),
  };
}

/** Hands a response to the application that sent the request. */
export function deliverResponse(
  request: ClientRequest,
  answer: { response: SipMessage; flow: Flow; size: number },
): void {
  const { response, flow, size } = answer;
  deliver(request.app, response, {
    transactionId: request.id,
    dialogId: request.dialog?.id ?? '',
    flow,
    size,
  });
}

/** What a final response does to the dialog. */
function settle(core: Core, request: ClientRequest, answer: { response: SipMessage; flow: Flow }): void {
  const { response, flow } = answer;
  const { dialog, method } = request;
  const ok = response.status < 300;
  core.clientRequests.delete(request.id);
  if (!dialog) return;
  if (method === 'SUBSCRIBE') settleSubscribe(core, request, answer);
  else if (method === 'BYE' && response.status !== 401 && response.status !== 407) endDialog(core, dialog);
  else if (method === 'NOTIFY' && endsSubscription(dialog, request.request)) endDialog(core, dialog);
  else if (method === 'UPDATE' && ok) {
    refreshTarget(dialog, response, flow);
    applySessionResponse(core, dialog, response);
  }
}

function settleSubscribe(
  core: Core,
  request: ClientRequest,
  answer: { response: SipMessage; flow: Flow },
): void {
  const { response, flow } = answer;
  const dialog = request.dialog!;
  if (response.status >= 300) {
    if (request.makesDialog) endDialog(core, dialog);
    return;
  }
  if (request.makesDialog) confirmUacDialog(dialog, response, flow);
  else refreshTarget(dialog, response, flow);
  // An INVITE dialog with a subscription in it lives by its own rules.
  if (dialog.kind === 'SUBSCRIBE') keepSubscription(core, dialog, grantedSeconds(response, request.request));
}

/** A NOTIFY with `terminated` ends a SUBSCRIBE dialog, never an INVITE's (DP §16). */
export function endsSubscription(dialog: Dialog, notify: SipMessage): boolean {
  return dialog.kind === 'SUBSCRIBE' && /^\s*terminated\b/i.test(notify.get('Subscription-State') ?? '');
}

/** drachtio-srf needs a moment to attach the handlers of a dialog it has just been given. */
const HANDLERS_READY_MS = 20;

function releaseHeld(core: Core, request: ClientRequest): void {
  const held = request.held;
  request.held = [];
  if (held.length === 0) return;
  core.clock.setTimer(HANDLERS_READY_MS, () => {
    for (const run of held) run();
  });
}

/** The request has failed without a response: the application gets one made up (DP §11). */
export function failRequest(core: Core, request: ClientRequest, status: number): void {
  if (!core.clientRequests.delete(request.id)) return;
  const { dialog, method } = request;
  const dialogId = dialog?.id ?? '';
  if (dialog?.outgoingInvite === request) dialog.outgoingInvite = undefined;
  if (dialog && (request.makesDialog || method === 'BYE' || endsSubscription(dialog, request.request))) {
    endDialog(core, dialog);
  }
  deliverMadeUp(core, request.app, { request: request.request, status, transactionId: request.id, dialogId });
  if (request.makesDialog && method === 'INVITE') {
    const text = request.request.toString();
    core.apps.cdr({ type: 'stop', source: 'network', reason: 'call-rejected', text });
  }
  releaseHeld(core, request);
}
