import type { Clock } from '../clock.ts';
import type { SipMessage } from '../message/message.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { TransportLayer } from '../transport/transport-layer.ts';
import { answerFromApp } from './answer.ts';
import type { App, AppCommand, AppRouter } from './app.ts';
import { discard } from './closing.ts';
import { type Core, type DialogLimits, defaultDialogLimits, type Log, newCounters } from './core.ts';
import { endDialog } from './dialog-life.ts';
import { DialogTable } from './dialog-table.ts';
import { sendInDialog } from './in-dialog.ts';
import { transactionUser } from './incoming.ts';
import { type Lookup, NameCache } from './name-cache.ts';
import { cancelFromApp, sendNewRequest } from './new-request.ts';
import { appClosed } from './orphans.ts';
import { RegisteredFlows } from './registered-flows.ts';
import { ServerRequests } from './server-request.ts';

export interface UserAgentOptions {
  clock: Clock;
  transport: TransportLayer;
  transactions: TransactionLayer;
  apps: AppRouter;
  limits?: Partial<DialogLimits>;
  log?: Log;
  isExempt?: (request: SipMessage) => boolean;
  /** Host names of next hops; the operating system's resolver by default. */
  lookup?: Lookup;
}

/** The dialog layer: SIP below, applications above. It becomes the user of the transaction layer. */
export class UserAgent {
  readonly #core: Core;

  constructor(options: UserAgentOptions) {
    this.#core = makeCore(options);
    const { transactions, transport } = options;
    transactions.user = transactionUser(this.#core);
    const next = transport.onFlowClosed;
    transport.onFlowClosed = (flow) => {
      this.#core.flows.closed(flow);
      next(flow);
    };
  }

  /** One `sip` command of an application (DP §7). */
  command(command: AppCommand): void {
    const { message, transactionId, dialogId } = command;
    if (message.status > 0) return answerFromApp(this.#core, command);
    if (message.method === 'CANCEL' && transactionId && !dialogId) return cancelFromApp(this.#core, command);
    if (dialogId) return sendInDialog(this.#core, command);
    sendNewRequest(this.#core, command);
  }

  /** An application's connection is gone. */
  appClosed(app: App): void {
    appClosed(this.#core, app);
  }

  /** Ends all calls with one BYE each and forgets everything. */
  stop(): void {
    const { dialogs, serverRequests, clientRequests, flows, names, graces } = this.#core;
    for (const grace of graces) grace.cancel();
    // No BYE: which calls may outlive us (emergency calls do) is the application's to say before it stops us.
    for (const dialog of dialogs.all()) endDialog(this.#core, dialog);
    for (const request of serverRequests.all()) discard(this.#core, request);
    clientRequests.clear();
    flows.stop();
    names.stop();
  }

  /** Sizes of all tables, and counters since the start. */
  stats(): Record<string, number> {
    const { dialogs, serverRequests, clientRequests, flows, names, counters } = this.#core;
    return {
      dialogs: dialogs.size,
      subscriptions: dialogs.subscriptions,
      serverRequests: serverRequests.size,
      clientRequests: clientRequests.size,
      registeredFlows: flows.size,
      names: names.size,
      ...counters,
    };
  }
}

function makeCore(options: UserAgentOptions): Core {
  const { clock, transport, transactions, apps } = options;
  const limits = { ...defaultDialogLimits, ...options.limits };
  return {
    clock,
    transport,
    transactions,
    apps,
    limits,
    log: options.log ?? (() => {}),
    counters: newCounters(),
    isExempt: options.isExempt ?? (() => false),
    dialogs: new DialogTable(),
    serverRequests: new ServerRequests(),
    clientRequests: new Map(),
    flows: new RegisteredFlows(clock, limits.maxRegisteredFlows),
    names: new NameCache(clock, limits.maxNames, options.lookup),
    graces: new Set(),
  };
}
