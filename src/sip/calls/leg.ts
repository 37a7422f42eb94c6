import { reasonHeader } from '../reasons.ts';
import type { Dialog, Message, Request, Response } from '../srf.ts';
import { reinvite } from './reinvite.ts';

/** Whose phone or trunk a leg leads to. */
export type Party =
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'trunk'; readonly trunk: string };

export interface LegEvents {
  /** The leg asks to transfer its peer (RFC 3515). */
  onRefer(leg: Leg, request: Request, response: Response): void;
  onEnded(leg: Leg): void;
}

/**
 * One answered dialog of a call. A call is two linked legs: what one side asks for is asked of the other. A transfer
 * links a leg to a new peer; nothing else changes hands.
 */
export class Leg {
  readonly dialog: Dialog;
  readonly party: Party;
  /** Emergency calls are not transferred (RFC 6881). */
  readonly emergency: boolean;
  peer: Leg | undefined;
  /** Set while a transfer this leg asked for is under way: its BYE then leaves the peer alone. */
  transferring = false;
  ended = false;
  readonly #events: LegEvents;
  negotiating = false;

  constructor(dialog: Dialog, options: { party: Party; emergency: boolean; events: LegEvents }) {
    this.dialog = dialog;
    this.party = options.party;
    this.emergency = options.emergency;
    this.#events = options.events;
  }

  /** Starts to listen; once, right after the dialog came to be. */
  listen(): this {
    this.dialog
      .on('destroy', (message) => this.#onDestroyed(message))
      .on('modify', (request, response) => void this.#onModify(request, response))
      .on('update', (request, response) => this.#onUpdate(request, response))
      .on('info', (request, response) => this.#relay('INFO', request, response))
      .on('refer', (request, response) => this.#events.onRefer(this, request, response))
      .on('message', (_request, response) => response.send(405))
      .on('publish', (_request, response) => response.send(405));
    return this;
  }

  /** Makes two legs one call. */
  static link(a: Leg, b: Leg): void {
    a.peer = b;
    b.peer = a;
  }

  /** Sends BYE; the peer is left alone. */
  hangUp(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.dialog.destroy({ headers: { Reason: reason } }, () => undefined);
    this.#events.onEnded(this);
  }

  /** Ends this leg and, unless a transfer holds it, the peer. */
  #onDestroyed(message: Message | undefined): void {
    if (this.ended) return;
    this.ended = true;
    const peer = this.peer;
    if (peer && !this.transferring) {
      peer.peer = undefined;
      this.peer = undefined;
      peer.hangUp(message?.get('Reason') ?? reasonHeader(200, 'Far end hung up'));
    }
    this.#events.onEnded(this);
  }

  /** Re-INVITE: hold, resume, new codecs, or a late offer. The peer decides; we carry the bodies. */
  async #onModify(request: Request, response: Response): Promise<void> {
    const peer = this.peer;
    if (!peer) return response.send(500);
    if (this.negotiating || peer.negotiating) return response.send(491);
    this.negotiating = true;
    peer.negotiating = true;
    const result = await reinvite(peer.dialog, request.body);
    this.negotiating = false;
    peer.negotiating = false;
    if (result.outcome === 'refused') return response.send(passedOn(result.status));
    const { ack } = result;
    if (ack) this.dialog.once('ack', (message) => ack(message.body));
    this.dialog.local.sdp = result.sdp;
    response.send(200, { body: result.sdp, headers: { 'Content-Type': 'application/sdp' } });
  }

  /** UPDATE (RFC 3311): without a body a session refresh, which each leg keeps to itself. */
  #onUpdate(request: Request, response: Response): void {
    if (!request.body) return response.send(200);
    const { peer } = this;
    if (this.negotiating || peer?.negotiating) return response.send(491);
    this.dialog.remote.sdp = request.body;
    this.#relay('UPDATE', request, response);
  }

  #relay(method: 'INFO' | 'UPDATE', request: Request, response: Response): void {
    const peer = this.peer;
    if (!peer) return response.send(481);
    const type = request.get('Content-Type');
    const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type };
    peer.dialog.request({ method, headers, body: request.body }, (error, answer) => {
      if (error) return response.send(481);
      const answerType = answer.get('Content-Type');
      const carried =
        answer.body && answerType ? { body: answer.body, headers: { 'Content-Type': answerType } } : {};
      response.send(passedOn(answer.status), carried);
    });
  }
}

/** A challenge is ours to answer, never the caller's (CVE-2021-41158); everything else passes. */
export function passedOn(status: number): number {
  return status === 401 || status === 407 ? 502 : status;
}
