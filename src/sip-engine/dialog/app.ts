/** What the dialog layer knows of the applications above it. The app protocol implements it. */

import type { AppMessage } from './app-message.ts';

/** A SIP message on its way to an application. Texts are latin1, one character per octet. */
export interface Delivery {
  /** `application` only for requests the engine sent on the application's behalf. */
  source: 'network' | 'application';
  text: string;
  /** Octets as received; 0 for a response the engine made up. */
  size: number;
  protocol: string;
  address: string;
  port: number;
  /** A UUID, or `unsolicited`. */
  transactionId: string;
  /** Empty outside a dialog. */
  dialogId: string;
  /** Where a new out-of-dialog request arrived; absent on everything else. */
  receivedOn?: { address: string; port: number };
}

/** What was sent for an application, told back to it. */
export interface Echo {
  text: string;
  protocol: string;
  /** Own address for a request, the peer's for a response. */
  address: string;
  port: number;
  transactionId: string;
  /** Responses only (may be empty). */
  dialogId?: string;
  /** A CANCEL that waits for a 1xx has not been sent yet: 0 octets. */
  held?: boolean;
}

/** How a `sip` command of an application ended. */
export type Outcome = { ok: true; echo: Echo } | { ok: false; reason: string };

/** One `sip` command. `answer` must be called once, before anything that the sent message provokes. */
export interface AppCommand {
  app: App;
  transactionId: string;
  dialogId: string;
  /** Next hop asked for; '' when none. */
  routeUrl: string;
  message: AppMessage;
  answer(outcome: Outcome): void;
}

export type CdrEvent =
  | { type: 'attempt'; source: CdrSource; text: string }
  | { type: 'start'; source: CdrSource; role: 'uas' | 'uac'; text: string }
  | { type: 'stop'; source: CdrSource; reason: CdrReason; text: string };

export type CdrSource = 'network' | 'application';

export type CdrReason =
  | 'call-rejected'
  | 'call-canceled'
  | 'normal-release'
  | 'session-expired'
  | 'ack-timeout'
  | 'system-initiated-termination';

/** One application connection. */
export interface App {
  readonly open: boolean;
  deliver(delivery: Delivery): void;
}

/** All application connections together. */
export interface AppRouter {
  /** The next connection, round robin, that routed `method`; undefined when there is none. */
  pick(method: string): App | undefined;
  /** Upper-case methods that some connection routed. */
  routedMethods(): string[];
  readonly connected: boolean;
  cdr(event: CdrEvent): void;
}
