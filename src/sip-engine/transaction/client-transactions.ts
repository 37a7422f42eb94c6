import type { Clock, Timer } from '../clock.ts';
import type { SipMessage } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import { ackFor } from './requests.ts';
import { T1, T2, T4, TRANSACTION_TIMEOUT } from './timers.ts';
import type { ClientHandlers, ClientTransaction, TransactionLimits } from './types.ts';

/** What a client transaction needs of its layer. */
export interface ClientContext {
  readonly clock: Clock;
  readonly limits: TransactionLimits;
  /** An INVITE rang too long: the layer cancels it. */
  rangTooLong(transaction: InviteClient): void;
  /** Another connection to the same peer, in place of the one that closed; undefined: there is no way. */
  anotherFlow(transaction: ClientTransactionBase): Flow | undefined;
  removed(transaction: ClientTransactionBase): void;
}

export interface ClientStart {
  request: SipMessage;
  flow: Flow;
  id: string;
  key: string;
  handlers: ClientHandlers;
}

/** A response and how it came. */
export interface Arrival {
  response: SipMessage;
  flow: Flow;
  size: number;
}

/** The common part of both client state machines of RFC 3261 17.1. */
export abstract class ClientTransactionBase implements ClientTransaction {
  readonly request: SipMessage;
  flow: Flow;
  readonly id: string;
  readonly key: string;
  terminated = false;
  protected readonly context: ClientContext;
  protected readonly handlers: ClientHandlers;
  readonly #text: string;
  readonly #startedAt: number;
  /** It goes over a connection that stood before. */
  #overStanding: boolean;
  #deadline: Timer | undefined;
  #resend: Timer | undefined;

  constructor(start: ClientStart, context: ClientContext) {
    this.request = start.request;
    this.flow = start.flow;
    this.id = start.id;
    this.key = start.key;
    this.handlers = start.handlers;
    this.context = context;
    this.#text = start.request.toString();
    this.#startedAt = context.clock.now();
    this.#overStanding = start.flow.standing ?? false;
  }

  abstract onResponse(arrival: Arrival): void;
  /** True until a final response has arrived. */
  abstract get isPending(): boolean;
  /** True until anything has arrived. */
  protected abstract get isUnheard(): boolean;
  /** Milliseconds to the next transmission after one that came `previous` ms after its predecessor. */
  protected abstract nextInterval(previous: number): number;

  /** Sends the request and starts timers A and B, or E and F. */
  start(): void {
    this.deadline(TRANSACTION_TIMEOUT, () => this.timeOut());
    if (!this.flow.reliable) this.#armResend(T1);
    this.transmit(this.#text);
  }

  /** The way to the peer is gone. Once a final response is there this no longer matters. */
  onTransportError(error: Error): void {
    if (this.terminated || !this.isPending || this.#goesOn()) return;
    this.terminate();
    this.handlers.onTransportError(error);
  }

  /** The peer may have forgotten a connection that stood for long, and says so only now: once more over another. */
  #goesOn(): boolean {
    const isWanted = this.#overStanding && this.isUnheard && (this.handlers.isWanted?.() ?? true);
    this.#overStanding = false;
    const flow = isWanted ? this.context.anotherFlow(this) : undefined;
    if (flow === undefined) return false;
    this.flow = flow;
    this.transmit(this.#text);
    return true;
  }

  /** Ends the transaction and its timers without a word. */
  terminate(): void {
    if (this.terminated) return;
    this.terminated = true;
    this.#deadline?.cancel();
    this.#resend?.cancel();
    this.context.removed(this);
  }

  protected transmit(text: string): void {
    this.flow.send(text, (error) => this.onTransportError(error));
  }

  protected timeOut(): void {
    if (this.isUnheard) this.flow.doubt?.(this.#startedAt);
    this.terminate();
    this.handlers.onTimeout();
  }

  protected deadline(ms: number, run: () => void): void {
    this.#deadline?.cancel();
    this.#deadline = this.context.clock.setTimer(ms, run);
  }

  stopResending(): void {
    this.#resend?.cancel();
  }

  /** Stays `ms` more to absorb repetitions; not at all over a reliable transport. */
  protected linger(ms: number): void {
    this.stopResending();
    if (this.flow.reliable) this.terminate();
    else this.deadline(ms, () => this.terminate());
  }

  #armResend(ms: number): void {
    this.#resend = this.context.clock.setTimer(ms, () => {
      this.#armResend(this.nextInterval(ms));
      this.transmit(this.#text);
    });
  }
}

type InviteState = 'calling' | 'proceeding' | 'accepted' | 'completed';

/** INVITE client transaction: RFC 3261 17.1.1 with the Accepted state of RFC 6026. */
export class InviteClient extends ClientTransactionBase {
  #state: InviteState = 'calling';
  #ack: string | undefined;
  #cancelled = false;

  get isPending(): boolean {
    return this.#state === 'calling' || this.#state === 'proceeding';
  }

  protected get isUnheard(): boolean {
    return this.#state === 'calling';
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** After a CANCEL the INVITE's final response must come within 64*T1 (RFC 3261 9.1). */
  onCancelled(): void {
    this.#cancelled = true;
    this.stopResending();
    this.deadline(TRANSACTION_TIMEOUT, () => this.timeOut());
  }

  onResponse(arrival: Arrival): void {
    const { status } = arrival.response;
    if (status < 200) this.#onProvisional(arrival);
    else if (status < 300) this.#onSuccess(arrival);
    else this.#onFailure(arrival);
  }

  protected nextInterval(previous: number): number {
    return previous * 2;
  }

  #onProvisional({ response, flow, size }: Arrival): void {
    if (!this.isPending) return;
    this.#state = 'proceeding';
    this.stopResending();
    const { inviteRingingMs } = this.context.limits;
    if (!this.#cancelled) this.deadline(inviteRingingMs, () => this.context.rangTooLong(this));
    this.handlers.onResponse(response, flow, size);
  }

  #onSuccess({ response, flow, size }: Arrival): void {
    if (this.#state === 'completed') return;
    if (this.isPending) {
      this.#state = 'accepted';
      this.stopResending();
      this.deadline(TRANSACTION_TIMEOUT, () => this.terminate());
    }
    this.handlers.onResponse(response, flow, size);
  }

  #onFailure({ response, flow, size }: Arrival): void {
    if (this.#state === 'accepted') return;
    if (this.#ack !== undefined) {
      this.transmit(this.#ack);
      return;
    }
    this.#state = 'completed';
    this.#ack = ackFor(this.request, response).toString();
    this.transmit(this.#ack);
    this.linger(TRANSACTION_TIMEOUT);
    this.handlers.onResponse(response, flow, size);
  }
}

/** Non-INVITE client transaction: RFC 3261 17.1.2. */
export class NonInviteClient extends ClientTransactionBase {
  #state: 'trying' | 'proceeding' | 'completed' = 'trying';

  get isPending(): boolean {
    return this.#state !== 'completed';
  }

  protected get isUnheard(): boolean {
    return this.#state === 'trying';
  }

  onResponse({ response, flow, size }: Arrival): void {
    if (!this.isPending) return;
    if (response.status < 200) this.#state = 'proceeding';
    else {
      this.#state = 'completed';
      this.linger(T4);
    }
    this.handlers.onResponse(response, flow, size);
  }

  /** Timer E doubles to T2, and is T2 once a provisional response has come. */
  protected nextInterval(previous: number): number {
    return this.#state === 'proceeding' ? T2 : Math.min(previous * 2, T2);
  }
}
