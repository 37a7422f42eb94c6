/** Requests applications send outside dialogs, and their CANCEL (DP §7, §11, §13). */

import { parseUri, type SipMessage } from '../message/message.ts';
import { cancelFor } from '../transaction/requests.ts';
import type { ClientHandlers, ClientTransaction } from '../transaction/transaction-layer.ts';
import type { Flow } from '../transport/flow.ts';
import type { AppCommand } from './app.ts';
import {
  type ClientRequest,
  failRequest,
  newClientRequest,
  plainHandlers,
  transmit,
} from './client-request.ts';
import { type Core, hasRoom, newId } from './core.ts';
import { requestEcho } from './delivery.ts';
import { dialogIdOf } from './dialog.ts';
import { createUacDialog } from './dialog-life.ts';
import { cancelHeaders, fillRequest } from './fill.ts';
import { inviteHandlers } from './invite-request.ts';
import { type Hop, hopForRequest, largeHop, openFlow, statusWithoutFlow } from './next-hop.ts';

/** A new out-of-dialog request of an application (DP §7, §11). */
export function sendNewRequest(core: Core, command: AppCommand): void {
  const refused = (reason: string): void => command.answer({ ok: false, reason });
  const { message, routeUrl } = command;
  if (!parseUri(message.uri) || ['ACK', 'CANCEL', 'PRACK'].includes(message.method)) {
    return refused(`invalid request-uri: ${message.startLine}`);
  }
  const hop = hopForRequest(core, message.uri, routeUrl);
  if ('refusal' in hop) return refused(hop.refusal);
  openFlow(core, hop, (flow) => fillAndStart(core, command, { hop, flow }));
}

/** Fills the request for its flow; a large one is filled again for TCP, with UDP to fall back on. */
function fillAndStart(core: Core, command: AppCommand, way: { hop: Hop; flow: Flow | undefined }): void {
  const refused = (reason: string): void => command.answer({ ok: false, reason });
  // It may have died while a host name was looked up.
  if (!command.app.open) return;
  const own = way.flow ? core.transport.addressFor(way.flow) : core.transport.addresses()[0]!;
  const filled = fillRequest(command.message, own);
  if ('refusal' in filled) return refused(filled.refusal);
  const large = way.flow && largeHop(core, way.hop, filled.message);
  if (!large)
    return start(core, command, {
      message: filled.message,
      flow: way.flow,
      registered: 'flow' in way.hop,
      otherwise: statusWithoutFlow(way.hop),
    });
  openFlow(core, large, (flow) => {
    const tcp = flow && fillRequest(command.message, core.transport.addressFor(flow));
    if (!flow || !tcp || 'refusal' in tcp) {
      return start(core, command, { message: filled.message, flow: way.flow, registered: false });
    }
    // The identity must not change if UDP is used after all.
    for (const name of ['From', 'Call-ID', 'CSeq']) filled.message.set(name, tcp.message.get(name)!);
    start(core, command, {
      message: tcp.message,
      flow,
      registered: false,
      fallback: { message: filled.message, flow: way.flow! },
    });
  });
}

interface Start {
  message: SipMessage;
  flow: Flow | undefined;
  registered: boolean;
  /** What a request without a flow comes to. */
  otherwise?: number;
  fallback?: { message: SipMessage; flow: Flow };
}

function start(core: Core, command: AppCommand, way: Start): void {
  const { message, flow } = way;
  const { app } = command;
  const makesDialog = message.method === 'INVITE' || message.method === 'SUBSCRIBE';
  const refusal = makesDialog ? dialogRefusal(core, message) : undefined;
  if (refusal) return command.answer({ ok: false, reason: refusal });
  const dialog = makesDialog && flow ? createUacDialog(core, message, { app, flow }) : undefined;
  const request = newClientRequest({
    app,
    request: message,
    dialog,
    makesDialog,
    overRegistered: way.registered,
  });
  if (dialog && message.method === 'INVITE') dialog.outgoingInvite = request;
  core.clientRequests.set(request.id, request);
  if (message.method === 'INVITE') {
    core.apps.cdr({ type: 'attempt', source: 'application', text: message.toString() });
  }
  if (flow) transmit(core, request, { flow, handlers: handlersFor(core, request, way.fallback) });
  const echoFlow = flow ?? noFlow;
  command.answer({ ok: true, echo: requestEcho(message, echoFlow, request.id) });
  if (!flow) failRequest(core, request, way.otherwise ?? 503);
}

const noFlow = { protocol: 'udp', localAddress: '', localPort: 0 } as const;

function dialogRefusal(core: Core, message: SipMessage): string | undefined {
  const id = dialogIdOf(message.callId ?? '', message.from?.tag ?? '');
  if (core.dialogs.get(id)) return 'dialog already exists, rejecting this request';
  if (hasRoom(core, message.method) || core.isExempt(message)) return undefined;
  core.counters.refusedFull++;
  return 'Error creating leg';
}

function handlersFor(core: Core, request: ClientRequest, fallback: Start['fallback']): ClientHandlers {
  const handlers = request.method === 'INVITE' ? inviteHandlers(core, request) : plainHandlers(core, request);
  if (!fallback) return handlers;
  return {
    ...handlers,
    // RFC 3261 18.1.1: a peer without TCP gets the large request by UDP.
    onTransportError: () => {
      if (request.cancelled) return failRequest(core, request, 503);
      request.request = fallback.message;
      if (request.dialog) request.dialog.flow = fallback.flow;
      transmit(core, request, { flow: fallback.flow, handlers });
    },
  };
}

/** CANCEL of an application for its own INVITE; on the wire it waits for a 1xx (DP §13). */
export function cancelFromApp(core: Core, command: AppCommand): void {
  const request = core.clientRequests.get(command.transactionId);
  const tx = request?.method === 'INVITE' ? request.tx : undefined;
  if (!request || !tx) {
    const reason = `unable to cancel unknown transaction id: ${command.transactionId}`;
    return command.answer({ ok: false, reason });
  }
  const headers = cancelHeaders(command.message);
  request.cancelled = true;
  const sent = request.proceeding ? core.transactions.cancel(tx, headers) : undefined;
  if (!request.proceeding) holdCancel(request, tx, headers);
  const echo = requestEcho(sent ?? cancelFor(request.request, headers), tx.flow, newId());
  command.answer({ ok: true, echo: { ...echo, held: sent === undefined } });
}

/**
 * Until a 1xx, which may never come (RFC 3261 9.1). Nobody wants the call any more, so it is not asked for again: who was
 * not reached would otherwise ring after the call has gone another way.
 */
export function holdCancel(request: ClientRequest, tx: ClientTransaction, headers: [string, string][]): void {
  request.heldCancel = headers;
  tx.stopResending();
}
