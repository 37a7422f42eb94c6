import type { SipMessage } from '../message/message.ts';
import type { ClientHandlers, ClientTransaction } from '../transaction/transaction-layer.ts';
import type { Flow } from '../transport/flow.ts';
import type { AppMessage } from './app-message.ts';
import type { Core } from './core.ts';
import type { Dialog } from './dialog.ts';
import { fillInDialog } from './fill.ts';
import { hopForDialog, openFlow } from './next-hop.ts';

/** A request of a dialog, ready to go; `flow` is undefined when its next hop cannot be found. */
export type Prepared = { message: SipMessage; flow: Flow | undefined } | { refusal: string };

/** Completes a request inside a dialog and finds its way. `done` may be called later (host names). */
export function prepareInDialog(
  core: Core,
  dialog: Dialog,
  options: { app: AppMessage; seq: number; done: (prepared: Prepared) => void },
): void {
  const hop = hopForDialog(core, dialog);
  const use = (flow: Flow | undefined): void => {
    const own = core.transport.addressFor(flow ?? dialog.flow);
    const filled = fillInDialog(dialog, options.app, { seq: options.seq, own });
    options.done('refusal' in filled ? filled : { message: filled.message, flow });
  };
  if ('refusal' in hop) use(undefined);
  else openFlow(core, hop, use);
}

/** Sends a request in a transaction of its own. */
export function sendRequest(
  core: Core,
  request: { message: SipMessage; flow: Flow },
  handlers: ClientHandlers,
): ClientTransaction {
  core.counters.sentRequests++;
  return core.transactions.request(request.message, request.flow, handlers);
}

/** A message of the engine's own, as if an application had written it. */
export function ownMessage(method: string, headers: [string, string][], body = ''): AppMessage {
  return { startLine: method, method, uri: '', status: 0, reason: '', headers, body };
}

const nothing = (): void => {};

/** For requests whose outcome changes nothing any more. */
export const ignoreOutcome: ClientHandlers = {
  onResponse: nothing,
  onTimeout: nothing,
  onTransportError: nothing,
};
