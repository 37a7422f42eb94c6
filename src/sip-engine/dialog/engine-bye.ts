import type { SipMessage } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import type { CdrReason } from './app.ts';
import type { Core } from './core.ts';
import { deliverUnsolicited } from './delivery.ts';
import type { Dialog } from './dialog.ts';
import { endDialog } from './dialog-life.ts';
import { ignoreOutcome, ownMessage, prepareInDialog, sendRequest } from './launch.ts';

/** Why the engine ended a call: text for the application (DP §23) and for the call record. */
export type EngineByeCause =
  | 'ACK timeout'
  | 'Session timer expired'
  | 'ACK-BYE due to cancel race condition'
  | 'application is gone'
  | 'maximum call duration';

const CDR: Record<EngineByeCause, CdrReason> = {
  'ACK timeout': 'ack-timeout',
  'Session timer expired': 'session-expired',
  'ACK-BYE due to cancel race condition': 'call-canceled',
  'application is gone': 'system-initiated-termination',
  'maximum call duration': 'system-initiated-termination',
};

/** Ends a confirmed dialog with a BYE of the engine's own and tells its application. */
export function byeByEngine(core: Core, dialog: Dialog, cause: EngineByeCause): void {
  if (dialog.state === 'ended') return;
  if (dialog.ackDue) sendOwnAck(core, dialog, dialog.ackDue.seq);
  const seq = ++dialog.localSeq;
  const app = ownMessage('BYE', [['Reason', `SIP;cause=200;text="${cause}"`]]);
  endDialog(core, dialog);
  core.counters.engineByes++;
  prepareInDialog(core, dialog, {
    app,
    seq,
    done: (prepared) => {
      if ('refusal' in prepared) return;
      const { message, flow } = prepared;
      if (flow) sendRequest(core, { message, flow }, ignoreOutcome);
      report(core, dialog, { cause, message, flow: flow ?? dialog.flow });
    },
  });
}

function report(
  core: Core,
  dialog: Dialog,
  sent: { cause: EngineByeCause; message: SipMessage; flow: Flow },
): void {
  const { message, flow, cause } = sent;
  core.log('info', 'call ended by the engine', { dialogId: dialog.id, cause });
  deliverUnsolicited(dialog.app, message, { flow, dialogId: dialog.id });
  core.apps.cdr({ type: 'stop', source: 'application', reason: CDR[cause], text: message.toString() });
}

/** ACKs a 2xx for which no application will (RFC 3261 13.2.2.4: every 2xx gets one). */
export function sendOwnAck(core: Core, dialog: Dialog, seq: number): void {
  prepareInDialog(core, dialog, {
    app: ownMessage('ACK', []),
    seq,
    done: (prepared) => {
      if ('refusal' in prepared || !prepared.flow) return;
      core.transactions.sendAck(prepared.message, prepared.flow);
    },
  });
}

/** BYE for a second fork's leg, which nobody wants (RFC 3261 13.2.2.4). */
export function byeFork(core: Core, fork: Dialog, seq: number): void {
  prepareInDialog(core, fork, {
    app: ownMessage('BYE', [['Reason', 'SIP;cause=200;text="answered elsewhere"']]),
    seq,
    done: (prepared) => {
      if ('refusal' in prepared || !prepared.flow) return;
      sendRequest(core, { message: prepared.message, flow: prepared.flow }, ignoreOutcome);
    },
  });
}
