import { protocolOf } from '../flow.ts';
import { reasonHeader, warning } from '../reasons.ts';
import type { Dialog, Headers, Request, Response, Srf } from '../srf.ts';
import { passedOn } from '../status.ts';
import type { WebSide } from './web-side.ts';

/** An INVITE from the network until it has its final answer: CANCEL, provisional responses, refusal, answer. */
export class InboundInvite {
  readonly request: Request;
  readonly response: Response;
  /** Set once it is an emergency call: then a stopping server waits for it. */
  emergency = false;
  /** The caller is a browser, and seen through a relay. */
  web: WebSide | undefined;
  /** The first session description of a 1xx the caller got. */
  boundTo: string | undefined;
  /** Resolves with the ACK for our 200. */
  acknowledged: Promise<void> = Promise.resolve();
  readonly #srf: Srf;
  readonly #abort = new AbortController();
  readonly #reliable: boolean;
  #dialog: Dialog | undefined;
  /** Provisional responses go out one after the other, each PRACKed first when reliable (RFC 3262 3). */
  #provisionals: Promise<void> = Promise.resolve();
  #ringing = false;

  constructor(srf: Srf, request: Request, response: Response) {
    this.#srf = srf;
    this.request = request;
    this.response = response;
    this.#reliable = /\b100rel\b/i.test(request.get('Require') ?? '');
    request.on('cancel', (cancel) => this.#cancelled(cancel));
  }

  /** Aborted by CANCEL or `abandon`; its reason is a Reason header value. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Nothing is left of it: refused, cancelled, or answered and hung up since. */
  get isOver(): boolean {
    if (this.#dialog) return !this.#dialog.connected;
    return this.signal.aborted || this.response.finalResponseSent;
  }

  /** Ends it from our side, answered or not: the server stops. */
  abandon(reason: string): void {
    if (!this.response.finalResponseSent) this.response.send(503, { headers: { Reason: reason } });
    this.#abort.abort(reason);
  }

  /** Passes a 1xx of the far side on; its body only where one side alone was asked. */
  relayProvisional(response: Response, only: boolean): void {
    const sdp = only && response.body ? response.body : undefined;
    if (sdp === undefined && this.#ringing) return;
    this.#ringing = true;
    const status = sdp === undefined || response.status === 180 ? 180 : 183;
    const { web } = this;
    if (!web || sdp === undefined) {
      this.#provisionals = this.#provisionals.then(() => this.provisional(status, sdp));
      return;
    }
    this.#provisionals = this.#provisionals
      .then(() => web.told('answer', sdp))
      .then((told) => this.provisional(status, told));
  }

  /** Sends a 1xx; resolves when it is out, or PRACKed where the caller demands reliability. */
  provisional(status: 180 | 183, sdp?: string): Promise<void> {
    if (this.response.finalResponseSent || this.signal.aborted) return Promise.resolve();
    this.boundTo ??= sdp;
    const headers: Headers = {
      ...(this.#reliable ? { Require: '100rel' } : { Contact: this.#contact() }),
      ...(sdp === undefined ? {} : { 'Content-Type': 'application/sdp' }),
    };
    const options = { headers, ...(sdp === undefined ? {} : { body: sdp }) };
    if (!this.#reliable) {
      this.response.send(status, options);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.signal.addEventListener('abort', () => resolve(), { once: true });
      this.response.send(status, options, (error) => error && resolve(), resolve);
    });
  }

  /**
   * A 1xx makes an early dialog and needs a Contact (RFC 3261 12.1.1), or strict phones do not ring; the server adds
   * one to reliable 1xx and 2xx only. It puts its address in place of `localhost`.
   */
  #contact(): string {
    const protocol = protocolOf(this.request);
    return protocol !== 'udp' ? `<sip:hotdesk@localhost;transport=${protocol}>` : '<sip:hotdesk@localhost>';
  }

  /** Sends 200 with this body; undefined when the caller had gone. */
  async answer(sdp: string, headers: Headers = {}): Promise<Dialog | undefined> {
    await this.#provisionals;
    if (this.signal.aborted) return undefined;
    return new Promise((resolve) => {
      this.#srf.createUAS(this.request, this.response, { localSdp: sdp, headers }, (error, dialog) => {
        if (error) return resolve(undefined);
        keepEarlyReinvite(dialog);
        this.acknowledged = new Promise((acknowledge) => dialog.once('ack', () => acknowledge()));
        this.#dialog = dialog;
        resolve(dialog);
      });
    });
  }

  /** Final refusal with the reason in words, for the display and for whoever reads a trace. */
  refuse(status: number, text: string, domain: string): void {
    if (this.response.finalResponseSent || this.signal.aborted) return;
    // No Retry-After: a phone would call nobody here for that long, emergency services included (RFC 3261 21.5.4).
    const code = passedOn(status);
    this.response.send(code, {
      headers: { Warning: warning(domain, text), Reason: reasonHeader(code, text) },
    });
  }

  /** The server has answered 487 itself; saying it again clears drachtio-srf's own table. */
  #cancelled(cancel: Request | undefined): void {
    this.#abort.abort(cancel?.get('Reason') ?? reasonHeader(487, 'Caller hung up'));
    this.response.send(487);
  }
}

/**
 * A re-INVITE may be read in one go with the news that our 200 is out, before whoever waits for the dialog can listen,
 * and drachtio-srf answers by itself what nobody listens for: it is told once more a moment later.
 */
function keepEarlyReinvite(dialog: Dialog): void {
  const early = (request: Request, response: Response): void => {
    if (dialog.listenerCount('modify') === 1) setImmediate(() => dialog.emit('modify', request, response));
  };
  dialog.on('modify', early);
  setImmediate(() => dialog.off('modify', early));
}
