import type { Timer } from '../clock.ts';
import type { SipMessage } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/transaction-layer.ts';
import type { App, Echo } from './app.ts';
import type { Dialog } from './dialog.ts';

/** Reliable 1xx of one INVITE (RFC 3262): one on the wire at a time, the rest waits for its PRACK. */
export interface Reliable {
  rseq: number;
  outstanding: { rseq: number; message: SipMessage; timer: Timer; deadline: Timer } | undefined;
  waiting: (() => void)[];
}

/** A request of the network that an application has to answer. */
export interface ServerRequest {
  /** Transaction id the application quotes. */
  readonly id: string;
  readonly tx: ServerTransaction;
  readonly app: App;
  readonly size: number;
  readonly method: string;
  /** It arrived inside a dialog that existed before it. */
  readonly inDialog: boolean;
  /** To tag of our answers. */
  localTag: string;
  dialog: Dialog | undefined;
  /** Set as soon as a final answer is decided; an application that answers again gets it back. */
  answered: Echo | undefined;
  /** When the application has taken too long. */
  silence: Timer | undefined;
  reliable: Reliable | undefined;
  /** UPDATE before the INVITE's answer: it shares the INVITE's id (DP §15). */
  update: ServerRequest | undefined;
}

/** Requests waiting for applications, by id and by transaction. */
export class ServerRequests {
  readonly #byId = new Map<string, ServerRequest>();
  readonly #byTransaction = new Map<string, ServerRequest>();

  get size(): number {
    return this.#byTransaction.size;
  }

  all(): ServerRequest[] {
    return [...this.#byTransaction.values()];
  }

  add(request: ServerRequest): void {
    this.#byId.set(request.id, request);
    this.#byTransaction.set(request.tx.id, request);
  }

  get(id: string): ServerRequest | undefined {
    return this.#byId.get(id);
  }

  byTransaction(tx: ServerTransaction): ServerRequest | undefined {
    return this.#byTransaction.get(tx.id);
  }

  remove(request: ServerRequest): void {
    if (this.#byId.get(request.id) === request) this.#byId.delete(request.id);
    this.#byTransaction.delete(request.tx.id);
  }
}
