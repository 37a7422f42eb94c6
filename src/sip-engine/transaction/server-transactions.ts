import type { Clock, Timer } from '../clock.ts';
import { SipMessage } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import { statelessResponse } from '../transport/stateless.ts';
import { T1, T2, T4, TRANSACTION_TIMEOUT } from './timers.ts';
import type { ServerTransaction, TransactionLimits } from './types.ts';

/** What a server transaction needs of its layer. */
export interface ServerContext {
  readonly clock: Clock;
  readonly limits: TransactionLimits;
  /** Sends to the request's source, over a new connection if its own is gone. */
  send(text: string, transaction: ServerTransactionBase): void;
  /** More comes than can be handled. */
  isFlooded(): boolean;
  /** A non-INVITE is answered and kept only to absorb repetitions. */
  completed(transaction: ServerTransactionBase): void;
  /** An INVITE is refused and kept only until that is acknowledged. */
  refused(transaction: ServerTransactionBase): void;
  removed(transaction: ServerTransactionBase): void;
}

export interface ServerStart {
  request: SipMessage;
  flow: Flow;
  id: string;
  key: string;
  mergeKey: string | undefined;
}

/** The common part of both server state machines of RFC 3261 17.2. */
export abstract class ServerTransactionBase implements ServerTransaction {
  readonly request: SipMessage;
  readonly flow: Flow;
  readonly id: string;
  readonly key: string;
  readonly mergeKey: string | undefined;
  onTerminated: (() => void) | undefined;
  lastStatus: number | undefined;
  terminated = false;
  /** To header of the last response, whose tag a CANCEL's 200 shares. */
  lastTo: string | undefined;
  protected readonly context: ServerContext;
  protected lastText: string | undefined;
  /** The one timer that ends the present state. */
  #deadline: Timer | undefined;

  constructor(start: ServerStart, context: ServerContext) {
    this.request = start.request;
    this.flow = start.flow;
    this.id = start.id;
    this.key = start.key;
    this.mergeKey = start.mergeKey;
    this.context = context;
  }

  abstract start(): void;
  abstract respond(response: SipMessage): void;
  abstract onRetransmission(): void;

  /** True until a final response was given. */
  get isPending(): boolean {
    return !this.terminated && (this.lastStatus === undefined || this.lastStatus < 200);
  }

  resend(): void {
    if (this.lastText !== undefined && !this.terminated) this.context.send(this.lastText, this);
  }

  /** Ends the transaction and its timers; tells the user unless `silent`. */
  terminate(silent = false): void {
    if (this.terminated) return;
    this.terminated = true;
    this.#deadline?.cancel();
    this.stopTimers();
    this.context.removed(this);
    if (!silent) this.onTerminated?.();
  }

  protected stopTimers(): void {}

  protected transmit(response: SipMessage): void {
    this.lastStatus = response.status;
    this.lastTo = response.get('To');
    this.lastText = response.toString();
    this.context.send(this.lastText, this);
  }

  protected deadline(ms: number, run: () => void): void {
    this.#deadline?.cancel();
    this.#deadline = this.context.clock.setTimer(ms, run);
  }
}

type InviteState = 'proceeding' | 'accepted' | 'completed' | 'confirmed';

/** INVITE server transaction: RFC 3261 17.2.1 with the Accepted state of RFC 6026. */
export class InviteServer extends ServerTransactionBase {
  #state: InviteState = 'proceeding';
  #timerG: Timer | undefined;

  /** Answers 100 at once, before anybody decides anything. */
  start(): void {
    this.lastText = SipMessage.response(this.request, 100).toString();
    this.context.send(this.lastText, this);
    this.deadline(this.context.limits.inviteSilenceMs, () => this.#giveUp());
  }

  respond(response: SipMessage): void {
    const { status } = response;
    if (this.terminated || status === 100) return;
    if (this.#state === 'accepted' && status >= 200 && status < 300) this.transmit(response);
    if (this.#state !== 'proceeding') return;
    if (status < 200) this.#provisional(response);
    else if (status < 300) this.#accept(response);
    else this.#refuse(response);
  }

  override resend(): void {
    if (this.#state === 'proceeding' || this.#state === 'accepted') super.resend();
  }

  /** In Accepted the user repeats its 2xx by its own timer, so a repeated INVITE is only absorbed. */
  onRetransmission(): void {
    if (this.#state === 'proceeding' || this.#state === 'completed') super.resend();
  }

  /** Returns true if the ACK belongs to the user: it acknowledges a 2xx. */
  onAck(): boolean {
    if (this.#state === 'completed') this.#confirm();
    return this.#state === 'accepted';
  }

  protected override stopTimers(): void {
    this.#timerG?.cancel();
  }

  #provisional(response: SipMessage): void {
    this.transmit(response);
    this.deadline(this.context.limits.inviteRingingMs, () => this.#giveUp());
  }

  #accept(response: SipMessage): void {
    this.#state = 'accepted';
    this.transmit(response);
    this.deadline(TRANSACTION_TIMEOUT, () => this.terminate());
  }

  #refuse(response: SipMessage): void {
    this.#state = 'completed';
    this.context.refused(this);
    this.transmit(response);
    if (!this.flow.reliable) this.#armG(T1);
    this.deadline(TRANSACTION_TIMEOUT, () => this.terminate());
  }

  #armG(ms: number): void {
    this.#timerG = this.context.clock.setTimer(ms, () => {
      // Under a flood most refusals are never acknowledged; who wants to hear one again asks again.
      if (!this.context.isFlooded()) super.resend();
      this.#armG(Math.min(ms * 2, T2));
    });
  }

  #confirm(): void {
    this.#state = 'confirmed';
    this.#timerG?.cancel();
    if (this.flow.reliable) this.terminate();
    else this.deadline(T4, () => this.terminate());
  }

  /** Second line behind the user, who answers silent applications much earlier. */
  #giveUp(): void {
    this.respond(statelessResponse(this.request, 480));
  }
}

/** Non-INVITE server transaction: RFC 3261 17.2.2 with RFC 4320. */
export class NonInviteServer extends ServerTransactionBase {
  #done = false;

  start(): void {
    this.deadline(TRANSACTION_TIMEOUT, () => this.terminate());
  }

  respond(response: SipMessage): void {
    if (this.terminated || this.#done || response.status < 200) return;
    this.#done = true;
    if (response.status === 408) this.lastStatus = 408;
    else this.transmit(response);
    if (this.flow.reliable) this.terminate();
    else this.#complete();
  }

  onRetransmission(): void {
    this.resend();
  }

  #complete(): void {
    this.deadline(TRANSACTION_TIMEOUT, () => this.terminate());
    this.context.completed(this);
  }
}
