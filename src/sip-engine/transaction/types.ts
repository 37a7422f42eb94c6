import type { SipMessage } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';

/** A server transaction as its user sees it. */
export interface ServerTransaction {
  readonly request: SipMessage;
  readonly flow: Flow;
  readonly id: string;
  /** Status of the last response given by the user; undefined until then (the layer's own 100 does not count). */
  readonly lastStatus: number | undefined;
  /** True when the transaction is over: further responses are ignored. */
  readonly terminated: boolean;
  /** Called once when the transaction ends, possibly within `respond` (reliable transports). */
  onTerminated: (() => void) | undefined;
  /**
   * Sends a response. After a final one only further 2xx to an INVITE have an effect (RFC 6026). To other methods than INVITE
   * neither a 1xx nor a 408 is put on the wire (RFC 4320).
   */
  respond(response: SipMessage): void;
  /** Sends the last response again: a 2xx to INVITE or a reliable 1xx. */
  resend(): void;
}

export interface ClientHandlers {
  /** 1xx, the final response, and for INVITE every 2xx (repeated or forked). `size` in octets as received. */
  onResponse(response: SipMessage, flow: Flow, size: number): void;
  /** Timer B or F, or no final answer 64*T1 after a CANCEL. */
  onTimeout(): void;
  /** Also for a full table. Never called within `request`. */
  onTransportError(error: Error): void;
  /** False once nobody waits for an answer any more: nothing is sent anew. */
  isWanted?(): boolean;
}

export interface ClientTransaction {
  readonly request: SipMessage;
  readonly flow: Flow;
  readonly id: string;
  readonly terminated: boolean;
  /** The request is not sent again; an answer to what was sent is still awaited. */
  stopResending(): void;
}

export interface TransactionUser {
  /** New requests only: retransmissions are absorbed and merged requests (482) answered before. */
  onRequest(transaction: ServerTransaction, size: number): void;
  /** For an INVITE without final response. The CANCEL's own 200 is sent already; the 487 is the user's. */
  onCancel(cancel: SipMessage, invite: ServerTransaction, flow: Flow, size: number): void;
  /** ACK for a 2xx only. */
  onAck(ack: SipMessage, flow: Flow, size: number): void;
  /** A 2xx to an INVITE of ours whose transaction is gone (late fork). */
  onStrayResponse(response: SipMessage, flow: Flow): void;
}

export interface TransactionLimits {
  /** Entries of each table. Emergency calls, BYE and CANCEL may use as many again. */
  maxServer: number;
  maxClient: number;
  /** Milliseconds an INVITE may stay without any response of the user; then the layer answers 480. */
  inviteSilenceMs: number;
  /** Milliseconds after the last 1xx in which an INVITE must be answered: 480 as server, CANCEL as client. Longer than users wait. */
  inviteRingingMs: number;
  /** Seconds in the Retry-After of the 503 that a full table answers. */
  retryAfter: number;
}

export const DEFAULT_TRANSACTION_LIMITS: TransactionLimits = {
  maxServer: 20_000,
  maxClient: 20_000,
  inviteSilenceMs: 64_000,
  inviteRingingMs: 660_000,
  retryAfter: 5,
};
