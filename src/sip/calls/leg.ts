import { reasonHeader } from '../reasons.ts';
import type { Dialog, Message, Request, Response } from '../srf.ts';
import { passedOn } from '../status.ts';
import type { OpenLine } from './lines.ts';
import { type ReinviteResult, reinvite, type SessionSide } from './reinvite.ts';
import type { WebSide } from './web-side.ts';

/** Whose phone or trunk a leg leads to. */
export type Party =
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'trunk'; readonly trunk: string };

export interface LegEvents {
  /** The leg asks to transfer its peer (RFC 3515). */
  onRefer(leg: Leg, request: Request, response: Response): void;
  onEnded(leg: Leg): void;
  /** Media died under an emergency call of a browser's: neither side hears the other any more. */
  onMute(leg: Leg): void;
}

/**
 * One answered dialog of a call. A call is two linked legs: what one side asks for is asked of the other. A transfer
 * links a leg to a new peer; nothing else changes hands.
 */
export class Leg implements SessionSide {
  readonly dialog: Dialog;
  web: WebSide | undefined;
  /** Where its phone or trunk signals from, if that is known. */
  readonly source: string | undefined;
  readonly party: Party;
  /** Emergency calls are not transferred (RFC 6881). */
  readonly emergency: boolean;
  /** What others see of it. */
  readonly line: OpenLine;
  peer: Leg | undefined;
  /** Set while a transfer this leg asked for is under way: its BYE then leaves the peer alone. */
  transferring = false;
  ended = false;
  negotiating = false;
  remoteSdp: string;
  readonly #events: LegEvents;

  constructor(
    dialog: Dialog,
    options: {
      party: Party;
      emergency: boolean;
      line: OpenLine;
      web?: WebSide | undefined;
      source?: string | undefined;
      events: LegEvents;
    },
  ) {
    this.dialog = dialog;
    this.party = options.party;
    this.emergency = options.emergency;
    this.line = options.line;
    this.remoteSdp = dialog.remote.sdp ?? '';
    this.#events = options.events;
    this.web = options.web;
    this.source = options.source;
    if (this.web) this.stand(this.web);
  }

  /** From now on the browser at its end is seen through a relay, another one than before. */
  stand(web: WebSide): void {
    if (this.web !== web) this.web?.close();
    this.web = web;
    this.remoteSdp = web.said;
    web.keep((why) => this.#lost(why));
  }

  /** Starts to listen; once, right after the dialog came to be. */
  listen(): this {
    this.dialog
      .on('destroy', (message) => this.#onDestroyed(message))
      .on('ack', (ack) => this.#onAck(ack))
      .on('modify', (request, response) => void this.#onModify(request, response))
      .on('update', (request, response) => void this.#onUpdate(request, response))
      .on('info', (request, response) => void this.#onInfo(request, response))
      .on('refer', (request, response) => this.#events.onRefer(this, request, response))
      .on('message', (_request, response) => response.send(405))
      .on('publish', (_request, response) => response.send(405));
    // A BYE may have come before anybody listened.
    if (!this.dialog.connected) this.#onDestroyed(undefined);
    return this;
  }

  /** Makes two legs one call; a side that is gone already takes the other with it. */
  static link(a: Leg, b: Leg): void {
    a.peer = b;
    b.peer = a;
    if (a.ended) b.hangUp(reasonHeader(200, 'Far end hung up'));
    if (b.ended) a.hangUp(reasonHeader(200, 'Far end hung up'));
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
    // Before the peer's: who hung up is who ended the call.
    this.#events.onEnded(this);
    const peer = this.peer;
    if (!peer || this.transferring) return;
    peer.peer = undefined;
    this.peer = undefined;
    peer.hangUp(message?.get('Reason') ?? reasonHeader(200, 'Far end hung up'));
  }

  /** The browser is gone without a word, or media died. Nobody but the two ends an emergency call. */
  #lost(why: string): void {
    if (this.ended) return;
    if (this.emergency) return this.web?.died ? this.#events.onMute(this) : undefined;
    const reason = reasonHeader(503, why);
    const { peer } = this;
    this.hangUp(reason);
    if (!peer || this.transferring) return;
    peer.peer = undefined;
    this.peer = undefined;
    peer.hangUp(reason);
  }

  /** The peer, if there is anybody to ask. */
  get #livePeer(): Leg | undefined {
    return this.peer?.ended ? undefined : this.peer;
  }

  /** An ACK with a body answers an offer of ours. */
  #onAck(ack: Request): void {
    if (ack.body && !this.web) this.remoteSdp = ack.body;
  }

  /** Re-INVITE: hold, resume, new codecs, or a late offer. The peer decides; we carry the bodies. */
  async #onModify(request: Request, response: Response): Promise<void> {
    // What was read together with it may bring the peer: drachtio-srf itself waits so with other requests.
    if (!this.peer) await new Promise((resolve) => setImmediate(resolve));
    const peer = this.#livePeer;
    // Nobody there yet (a transfer, or a menu's emergency call): ask again in a moment.
    if (!peer || this.negotiating || peer.negotiating) return response.send(491);
    const result = await this.#negotiate(peer, () => this.#offerTo(peer, request.body ?? ''));
    if (result.outcome === 'refused') return response.send(passedOn(result.status));
    const { ack } = result;
    if (ack && this.web) this.dialog.once('ack', ({ body }) => void this.#read(body).then(ack));
    else if (ack) this.dialog.once('ack', ({ body }) => ack(body));
    this.dialog.local.sdp = result.sdp;
    response.send(200, { body: result.sdp, headers: { 'Content-Type': 'application/sdp' } });
  }

  /** This side's offer, or none, to the peer; the answer, or the peer's offer, as this side can read it. */
  async #offerTo(peer: Leg, body: string): Promise<ReinviteResult> {
    const offer = body && this.web ? await this.web.heard('offer', body) : body;
    if (offer === undefined) return { outcome: 'refused', status: 488, reason: 'Not Acceptable Here' };
    const result = await reinvite(peer, offer);
    if (result.outcome === 'refused') return result;
    if (offer) this.remoteSdp = offer;
    if (!this.web) return result;
    const sdp = await this.web.told(offer === '' ? 'offer' : 'answer', result.sdp);
    return { ...result, sdp: sdp ?? result.sdp };
  }

  /** This side's answer as others are told it; as it is when that cannot be. */
  async #read(answer: string): Promise<string> {
    this.remoteSdp = (await this.web?.heard('answer', answer)) ?? answer;
    return this.remoteSdp;
  }

  /** UPDATE (RFC 3311): without a body a session refresh, which each leg keeps to itself. */
  async #onUpdate(request: Request, response: Response): Promise<void> {
    if (!request.body) return response.send(200);
    const peer = this.#livePeer;
    if (!peer || this.negotiating || peer.negotiating) return response.send(491);
    if (this.web || peer.web) return this.#updateByInvite(peer, request.body, response);
    const answer = await this.#negotiate(peer, () => carry(peer.dialog, request));
    if (answer && answer.status < 300) {
      this.remoteSdp = request.body;
      if (answer.body) peer.remoteSdp = answer.body;
    }
    reply(response, answer);
  }

  /** Browsers have no UPDATE: what one side says by it, the other is told by re-INVITE. */
  async #updateByInvite(peer: Leg, offer: string, response: Response): Promise<void> {
    const result = await this.#negotiate(peer, () => this.#offerTo(peer, offer));
    if (result.outcome === 'refused') return response.send(passedOn(result.status));
    this.dialog.local.sdp = result.sdp;
    response.send(200, { body: result.sdp, headers: { 'Content-Type': 'application/sdp' } });
  }

  /** INFO goes to the other side. With nobody there yet it is lost, which is no reason to end the call (RFC 5057). */
  async #onInfo(request: Request, response: Response): Promise<void> {
    const peer = this.#livePeer;
    if (!peer) return response.send(200);
    reply(response, await carry(peer.dialog, request));
  }

  async #negotiate<T>(peer: Leg, work: () => Promise<T>): Promise<T> {
    this.negotiating = true;
    peer.negotiating = true;
    const result = await work();
    this.negotiating = false;
    peer.negotiating = false;
    return result;
  }
}

/** Asks the same of another dialog; undefined when it could not be sent. */
function carry(dialog: Dialog, request: Request): Promise<Response | undefined> {
  const type = request.get('Content-Type');
  const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type };
  return new Promise((resolve) => {
    dialog.request({ method: request.method, headers, body: request.body ?? '' }, (error, answer) => {
      if (error) resolve(undefined);
      else if (answer.status >= 200) resolve(answer);
    });
  });
}

function reply(response: Response, answer: Response | undefined): void {
  if (!answer) return response.send(500);
  const type = answer.get('Content-Type');
  const carried = answer.body && type ? { body: answer.body, headers: { 'Content-Type': type } } : {};
  response.send(answer.status < 300 ? 200 : passedOn(answer.status), carried);
}
