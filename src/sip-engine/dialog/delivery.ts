import { SipMessage } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import type { App, Delivery, Echo } from './app.ts';
import type { Core } from './core.ts';

/** Ids a message is delivered under, and how it arrived. */
export interface DeliveryOptions {
  transactionId: string;
  dialogId: string;
  flow: Flow;
  size: number;
  /** New out-of-dialog requests tell where they arrived. */
  isNew?: boolean;
}

/** Hands a received message to an application. */
export function deliver(app: App, message: SipMessage, options: DeliveryOptions): void {
  const { flow, size, transactionId, dialogId } = options;
  const delivery: Delivery = {
    source: 'network',
    text: textForApp(message),
    size,
    protocol: flow.protocol,
    address: flow.remoteAddress,
    port: flow.remotePort,
    transactionId,
    dialogId,
  };
  if (options.isNew) delivery.receivedOn = { address: flow.localAddress, port: flow.localPort };
  app.deliver(delivery);
}

/** Hands an application a response nobody sent: 408, 410, 491, 503 (DP §11). */
export function deliverMadeUp(
  core: Core,
  app: App,
  made: { request: SipMessage; status: number; transactionId: string; dialogId: string },
): void {
  core.counters.madeUpResponses++;
  const { transactionId, dialogId } = made;
  const text = SipMessage.response(made.request, made.status).toString();
  app.deliver({
    source: 'network',
    text,
    size: 0,
    protocol: '',
    address: '',
    port: 0,
    transactionId,
    dialogId,
  });
}

/** Tells an application of a request the engine sent on its behalf (DP §23). */
export function deliverUnsolicited(
  app: App,
  request: SipMessage,
  options: { flow: Flow; dialogId: string },
): void {
  const text = request.toString();
  const { protocol, localAddress, localPort } = options.flow;
  app.deliver({
    source: 'application',
    text,
    size: text.length,
    protocol,
    address: localAddress,
    port: localPort,
    transactionId: 'unsolicited',
    dialogId: options.dialogId,
  });
}

/** Echo of a request; `flow` may be a stand-in when none was found. */
export function requestEcho(
  request: SipMessage,
  flow: Pick<Flow, 'protocol' | 'localAddress' | 'localPort'>,
  transactionId: string,
): Echo {
  const { protocol, localAddress: address, localPort: port } = flow;
  return { text: request.toString(), protocol, address, port, transactionId };
}

/** Echo of a response: the address is the peer's. */
export function responseEcho(
  text: string,
  flow: Flow,
  ids: { transactionId: string; dialogId: string },
): Echo {
  return { text, protocol: flow.protocol, address: flow.remoteAddress, port: flow.remotePort, ...ids };
}

/**
 * The text an application reads. drachtio-srf unescapes header names, so `%46rom` would read as a second From:
 * names with escapes, which nobody needs, are left out.
 */
function textForApp(message: SipMessage): string {
  for (const [name] of message.headers) if (name.includes('%')) message.delete(name);
  return message.toString();
}
