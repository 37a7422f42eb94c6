import type { Clock } from '../clock.ts';
import type { SipMessage } from '../message/message.ts';
import { formatHost } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import { statelessResponse } from '../transport/stateless.ts';
import type { TransportLayer } from '../transport/transport-layer.ts';
import type { ClientContext, ClientStart, ClientTransactionBase } from './client-transactions.ts';
import { InviteClient, NonInviteClient } from './client-transactions.ts';
import { clientKey, mergeKey, newBranch, serverKey } from './keys.ts';
import { cancelFor } from './requests.ts';
import type { ServerContext, ServerTransactionBase } from './server-transactions.ts';
import { InviteServer, NonInviteServer } from './server-transactions.ts';
import type { ClientHandlers, ClientTransaction, TransactionLimits, TransactionUser } from './types.ts';
import { DEFAULT_TRANSACTION_LIMITS } from './types.ts';

export type {
  ClientHandlers,
  ClientTransaction,
  ServerTransaction,
  TransactionLimits,
  TransactionUser,
} from './types.ts';

export interface TransactionOptions {
  transport: Pick<TransportLayer, 'addressFor' | 'responseFlow' | 'onMessage' | 'onFlowClosed'> &
    Partial<Pick<TransportLayer, 'isFlooded' | 'flowTo'>>;
  clock: Clock;
  /** Fresh random text for branches and ids, of characters allowed in a token. */
  random: () => string;
  limits?: Partial<TransactionLimits>;
  /** True for a request that must be served even when the tables are full (emergency calls). */
  isExempt?: (request: SipMessage) => boolean;
  /** True for a request that makes room for itself where there is none at all: refused INVITEs nobody has acknowledged go. */
  mayDisplace?: (request: SipMessage) => boolean;
}

/** `server`, `client` and `merged` are entries now, the others count since start. */
export interface TransactionStats {
  server: number;
  client: number;
  merged: number;
  /** Repeated requests absorbed. */
  retransmissions: number;
  /** Requests answered 482. */
  mergedRequests: number;
  /** Requests answered 503 and own requests refused because a table was full. */
  shed: number;
  /** Responses that belong to nothing. */
  strayResponses: number;
}

const IGNORE: ClientHandlers = { onResponse() {}, onTimeout() {}, onTransportError() {} };
const NO_USER: TransactionUser = { onRequest() {}, onCancel() {}, onAck() {}, onStrayResponse() {} };

/** Transactions of RFC 3261 17, RFC 6026, RFC 4320 and RFC 3581 between the transport layer and one user. */
export class TransactionLayer {
  user: TransactionUser = NO_USER;
  readonly #limits: TransactionLimits;
  readonly #context: { server: ServerContext; client: ClientContext };
  readonly #transport: TransactionOptions['transport'];
  readonly #random: () => string;
  readonly #isExempt: (request: SipMessage) => boolean;
  readonly #mayDisplace: (request: SipMessage) => boolean;
  readonly #servers = new Map<string, ServerTransactionBase>();
  /** Answered non-INVITE entries, oldest first: they give way when the table is full. */
  readonly #completed = new Set<ServerTransactionBase>();
  /** Refused INVITE entries, oldest first: a flood's, mostly, which never acknowledges. */
  readonly #refused = new Set<ServerTransactionBase>();
  readonly #merged = new Map<string, ServerTransactionBase>();
  readonly #clients = new Map<string, ClientTransactionBase>();
  readonly #clientsByFlow = new Map<Flow, Set<ClientTransactionBase>>();
  readonly #counters = { retransmissions: 0, mergedRequests: 0, shed: 0, strayResponses: 0 };

  /** Takes over `onMessage` and `onFlowClosed` of the transport. */
  constructor(options: TransactionOptions) {
    this.#limits = { ...DEFAULT_TRANSACTION_LIMITS, ...options.limits };
    this.#context = this.#makeContext(options.clock);
    this.#transport = options.transport;
    this.#random = options.random;
    this.#isExempt = options.isExempt ?? (() => false);
    this.#mayDisplace = options.mayDisplace ?? (() => false);
    this.#transport.onMessage = (message, flow, size) => this.#onMessage(message, flow, size);
    this.#transport.onFlowClosed = (flow) => this.#onFlowClosed(flow);
  }

  /**
   * Sends a request in a new client transaction. Adds the top Via: the flow's listening address, `rport` and a fresh branch.
   */
  request(message: SipMessage, flow: Flow, handlers: ClientHandlers): ClientTransaction {
    const branch = this.#addVia(message, flow);
    const start = {
      request: message,
      flow,
      id: this.#random(),
      key: clientKey(branch, message.method),
      handlers,
    };
    if (!this.#hasClientRoom(message)) return this.#refuseClient(start);
    return this.#startClient(start);
  }

  /** Sends the ACK for a 2xx: no transaction, a branch of its own (RFC 3261 13.2.2.4). Adds the top Via. */
  sendAck(ack: SipMessage, flow: Flow): void {
    this.#addVia(ack, flow);
    flow.send(ack.toString());
  }

  /**
   * Cancels a pending INVITE: returns the CANCEL sent, or undefined if the INVITE is over or cancelled already. The caller waits
   * for a 1xx before (RFC 3261 9.1). Nothing is heard of the CANCEL's own response; the INVITE ends with a 487 or a timeout.
   */
  cancel(
    invite: ClientTransaction,
    extra: readonly (readonly [name: string, value: string])[],
  ): SipMessage | undefined {
    if (!(invite instanceof InviteClient) || !invite.isPending || invite.terminated || invite.cancelled)
      return undefined;
    const request = cancelFor(invite.request, extra);
    const { flow } = invite;
    const key = clientKey(request.topVia?.branch ?? '', 'CANCEL');
    invite.onCancelled();
    this.#startClient({ request, flow, id: this.#random(), key, handlers: IGNORE });
    return request;
  }

  /** Drops every transaction and timer; users hear nothing. */
  stop(): void {
    for (const server of this.#servers.values()) server.terminate(true);
    for (const client of this.#clients.values()) client.terminate();
  }

  stats(): TransactionStats {
    const sizes = { server: this.#servers.size, client: this.#clients.size, merged: this.#merged.size };
    return { ...sizes, ...this.#counters };
  }

  /** What the transactions see of this layer. */
  #makeContext(clock: Clock): { server: ServerContext; client: ClientContext } {
    const common = { clock, limits: this.#limits };
    return {
      server: {
        ...common,
        send: (text, { flow, request }) => this.#transport.responseFlow(flow, request.topVia)?.send(text),
        isFlooded: () => this.#transport.isFlooded ?? false,
        completed: (transaction) => this.#completed.add(transaction),
        refused: (transaction) => this.#refused.add(transaction),
        removed: (transaction) => this.#removeServer(transaction),
      },
      client: {
        ...common,
        rangTooLong: (transaction) => this.cancel(transaction, []),
        anotherFlow: (transaction) => this.#anotherFlow(transaction),
        removed: (transaction) => this.#removeClient(transaction),
      },
    };
  }

  #removeServer(transaction: ServerTransactionBase): void {
    this.#servers.delete(transaction.key);
    this.#completed.delete(transaction);
    this.#refused.delete(transaction);
    const { mergeKey: merged } = transaction;
    if (merged !== undefined && this.#merged.get(merged) === transaction) this.#merged.delete(merged);
  }

  #removeClient(transaction: ClientTransactionBase): void {
    this.#clients.delete(transaction.key);
    this.#leaveFlow(transaction);
  }

  #leaveFlow(transaction: ClientTransactionBase): void {
    const ofFlow = this.#clientsByFlow.get(transaction.flow);
    ofFlow?.delete(transaction);
    if (ofFlow?.size === 0) this.#clientsByFlow.delete(transaction.flow);
  }

  #anotherFlow(transaction: ClientTransactionBase): Flow | undefined {
    const { protocol, remoteAddress: host, remotePort: port } = transaction.flow;
    const flow = this.#transport.flowTo?.({ protocol, host, port });
    if (flow === undefined || flow === transaction.flow) return undefined;
    this.#leaveFlow(transaction);
    this.#indexByFlow(transaction, flow);
    return flow;
  }

  #addVia(message: SipMessage, flow: Flow): string {
    const branch = newBranch(this.#random);
    const { host, port } = this.#transport.addressFor(flow);
    const sentBy = `SIP/2.0/${flow.protocol.toUpperCase()} ${formatHost(host)}:${port}`;
    message.prepend('Via', `${sentBy};rport;branch=${branch}`);
    return branch;
  }

  #startClient(start: ClientStart): ClientTransactionBase {
    const isInvite = start.request.method === 'INVITE';
    const context = this.#context.client;
    const transaction = isInvite ? new InviteClient(start, context) : new NonInviteClient(start, context);
    this.#clients.set(transaction.key, transaction);
    if (start.flow.reliable) this.#indexByFlow(transaction, start.flow);
    transaction.start();
    return transaction;
  }

  /** Only connections can close; UDP flows are made per message. */
  #indexByFlow(transaction: ClientTransactionBase, flow: Flow): void {
    const ofFlow = this.#clientsByFlow.get(flow);
    if (ofFlow === undefined) this.#clientsByFlow.set(flow, new Set([transaction]));
    else ofFlow.add(transaction);
  }

  #refuseClient(start: ClientStart): ClientTransaction {
    this.#counters.shed++;
    queueMicrotask(() => start.handlers.onTransportError(new Error('too many client transactions')));
    const { request, flow, id } = start;
    return { request, flow, id, terminated: true, stopResending: () => undefined };
  }

  #isPrivileged(request: SipMessage): boolean {
    return request.method === 'BYE' || request.method === 'CANCEL' || this.#isExempt(request);
  }

  #hasClientRoom(request: SipMessage): boolean {
    const { maxClient } = this.#limits;
    if (this.#clients.size < maxClient) return true;
    return this.#clients.size < 2 * maxClient && this.#isPrivileged(request);
  }

  #hasServerRoom(request: SipMessage): boolean {
    const { maxServer } = this.#limits;
    // Nobody is asked who may pass while there is room: what answers that may be broken.
    if (this.#servers.size < maxServer) return true;
    if (this.#isPrivileged(request)) {
      if (displaceOne(this.#completed)) return true;
      if (this.#servers.size < 2 * maxServer) return true;
    } else if (this.#makeRoom(maxServer)) return true;
    return this.#mayDisplace(request) && displaceOne(this.#refused);
  }

  /** What was let in beyond the size leaves its place to nobody but its like, or others would soon have taken them all. */
  #makeRoom(size: number): boolean {
    const tooMany = this.#servers.size - size + 1;
    if (tooMany > this.#completed.size) return false;
    for (let n = 0; n < tooMany; n++) displaceOne(this.#completed);
    return true;
  }

  #onFlowClosed(flow: Flow): void {
    const error = flow.closeError ?? new Error('the connection closed');
    for (const client of this.#clientsByFlow.get(flow) ?? []) client.onTransportError(error);
  }

  #onMessage(message: SipMessage, flow: Flow, size: number): void {
    if (!message.isRequest) this.#onResponse(message, flow, size);
    else if (message.method === 'ACK') this.#onAck(message, flow, size);
    else this.#onRequest(message, flow, size);
  }

  #onAck(ack: SipMessage, flow: Flow, size: number): void {
    const transaction = this.#servers.get(serverKey(ack, 'INVITE'));
    if (!(transaction instanceof InviteServer) || transaction.onAck()) this.user.onAck(ack, flow, size);
  }

  #onRequest(request: SipMessage, flow: Flow, size: number): void {
    const key = serverKey(request, request.method);
    const known = this.#servers.get(key);
    if (known !== undefined) {
      this.#counters.retransmissions++;
      known.onRetransmission();
    } else if (this.#isMerged(request)) {
      this.#counters.mergedRequests++;
      flow.send(statelessResponse(request, 482, 'Request Merged').toString());
    } else if (!this.#hasServerRoom(request)) this.#shed(request, flow);
    else this.#startServer(request, flow, { key, size });
  }

  /**
   * Only a request that is being served or was accepted makes others merged: after a failure the same request may well be sent
   * again by another way (RFC 3263 4.3).
   */
  #isMerged(request: SipMessage): boolean {
    const key = mergeKey(request);
    if (key === undefined || request.method === 'CANCEL') return false;
    const first = this.#merged.get(key);
    return first !== undefined && (first.lastStatus ?? 0) < 300;
  }

  #shed(request: SipMessage, flow: Flow): void {
    this.#counters.shed++;
    const response = statelessResponse(request, 503);
    // A phone told to wait would place no emergency call here meanwhile (RFC 3261 21.5.4).
    if (!this.#mayDisplace(request)) response.add('Retry-After', String(this.#limits.retryAfter));
    flow.send(response.toString());
  }

  #startServer(request: SipMessage, flow: Flow, { key, size }: { key: string; size: number }): void {
    const isCancel = request.method === 'CANCEL';
    const merged = isCancel ? undefined : mergeKey(request);
    const start = { request, flow, id: this.#random(), key, mergeKey: merged };
    const isInvite = request.method === 'INVITE';
    const context = this.#context.server;
    const transaction = isInvite ? new InviteServer(start, context) : new NonInviteServer(start, context);
    this.#servers.set(key, transaction);
    if (merged !== undefined) this.#merged.set(merged, transaction);
    transaction.start();
    if (isCancel) this.#onCancel(transaction, size);
    else this.user.onRequest(transaction, size);
  }

  /** The CANCEL's 200 carries the tag of the INVITE's responses (RFC 3261 9.2). */
  #onCancel(cancel: ServerTransactionBase, size: number): void {
    const invite = this.#servers.get(serverKey(cancel.request, 'INVITE'));
    if (invite === undefined) {
      cancel.respond(statelessResponse(cancel.request, 481));
      return;
    }
    const ok = statelessResponse(cancel.request, 200);
    if (invite.lastTo !== undefined) ok.set('To', invite.lastTo);
    cancel.respond(ok);
    if (invite.isPending) this.user.onCancel(cancel.request, invite, cancel.flow, size);
  }

  #onResponse(response: SipMessage, flow: Flow, size: number): void {
    const via = response.topVia;
    const client = this.#clients.get(clientKey(via?.branch ?? '', response.method));
    if (client !== undefined && client.request.callId === response.callId)
      client.onResponse({ response, flow, size });
    else this.#onUnmatched(response, flow);
  }

  /** A 2xx under a Via of ours, and no other, can be that of a late fork. Everything else is dropped. */
  #onUnmatched(response: SipMessage, flow: Flow): void {
    this.#counters.strayResponses++;
    const success = response.method === 'INVITE' && response.status >= 200 && response.status < 300;
    if (!success || response.count('Via') !== 1 || response.get('Via')?.includes(',')) return;
    const via = response.topVia;
    const { host, port } = this.#transport.addressFor(flow);
    if (via?.host === host && (via.port ?? 5060) === port) this.user.onStrayResponse(response, flow);
  }
}

/** Ends the oldest of these; whether there was one. */
function displaceOne(oldestFirst: Iterable<ServerTransactionBase>): boolean {
  for (const oldest of oldestFirst) {
    oldest.terminate();
    return true;
  }
  return false;
}
