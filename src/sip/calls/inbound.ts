import { reasonHeader, warning } from '../reasons.ts';
import type { Dialog, Headers, Request, Response, Srf } from '../srf.ts';
import { passedOn } from './leg.ts';

/** An INVITE from the network until it has its final answer: CANCEL, provisional responses, refusal, answer. */
export class InboundInvite {
  readonly request: Request;
  readonly response: Response;
  readonly #srf: Srf;
  readonly #abort = new AbortController();
  readonly #reliable: boolean;
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

  /** Aborted by CANCEL or `giveUp`; its reason is a Reason header value. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends the search for somebody to answer, as a CANCEL would. */
  giveUp(reason: string): void {
    this.#abort.abort(reason);
  }

  /** Passes a 1xx of the far side on; its body only where one side alone was asked. */
  relayProvisional(response: Response, only: boolean): void {
    const sdp = only && response.body ? response.body : undefined;
    if (sdp === undefined && this.#ringing) return;
    this.#ringing = true;
    const status = sdp === undefined ? 180 : response.status;
    this.#provisionals = this.#provisionals.then(() => this.provisional(status, sdp));
  }

  /** Sends a 1xx; resolves when it is out, or PRACKed where the caller demands reliability. */
  provisional(status: number, sdp?: string): Promise<void> {
    if (this.response.finalResponseSent || this.signal.aborted) return Promise.resolve();
    const headers: Headers = {
      ...(this.#reliable ? { Require: '100rel' } : {}),
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

  /** Sends 200 with this body; undefined when the caller had gone or has no Contact to answer to. */
  async answer(sdp: string, headers: Headers = {}): Promise<Dialog | undefined> {
    await this.#provisionals;
    if (this.signal.aborted || !this.request.has('Contact')) return undefined;
    try {
      return await this.#srf.createUAS(this.request, this.response, { localSdp: sdp, headers });
    } catch {
      return undefined;
    }
  }

  /** Final refusal with the reason in words, for the display and for whoever reads a trace. */
  refuse(status: number, text: string, domain: string): void {
    if (this.response.finalResponseSent || this.signal.aborted) return;
    const code = passedOn(status);
    const retry = code === 503 ? { 'Retry-After': '10' } : {};
    this.response.send(code, {
      headers: { Warning: warning(domain, text), Reason: reasonHeader(code, text), ...retry },
    });
  }

  /** The server has answered 487 itself; saying it again clears drachtio-srf's own table. */
  #cancelled(cancel: Request | undefined): void {
    this.#abort.abort(cancel?.get('Reason') ?? reasonHeader(487, 'Caller hung up'));
    this.response.send(487);
  }
}
