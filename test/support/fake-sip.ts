import { EventEmitter } from 'node:events';
import type {
  Dialog,
  Handler,
  Headers,
  InDialogRequest,
  Request,
  Response,
  SendOptions,
  Srf,
  UacCallbacks,
  UacOptions,
  UnacknowledgedLeg,
} from '../../src/sip/srf.ts';

/**
 * drachtio-srf as the application meets it, without a server: what it does with callbacks, events and errors was read
 * in its source, since its quirks decide what is correct.
 */

/** Lets everything that is ready run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Status numbers drachtio-srf sends; it throws on any other. */
const SENDABLE = new Set(
  '100 180 181 182 183 199 200 202 204 300 301 302 305 380 400 401 402 403 404 405 406 407 408 410 413 414 415 416 420 421 422 423 480 481 482 483 484 485 486 487 488 489 491 493 494 500 501 502 503 504 505 513 580 600 603 604 606'
    .split(' ')
    .map(Number),
);

interface MessageParts {
  method?: string;
  uri?: string;
  status?: number;
  reason?: string;
  headers?: Record<string, string>;
  body?: string;
  source?: string;
}

class FakeMessage extends EventEmitter {
  readonly headers: Map<string, string>;
  readonly body: string;
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol = 'udp';

  constructor({ headers = {}, body = '', source = '192.0.2.10:5060' }: MessageParts) {
    super();
    this.headers = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    this.body = body;
    const colon = source.lastIndexOf(':');
    this.source_address = source.slice(0, colon);
    this.source_port = Number(source.slice(colon + 1));
  }

  get(name: string): string | undefined {
    return this.headers.get(name.toLowerCase());
  }

  has(name: string): boolean {
    return this.headers.has(name.toLowerCase());
  }
}

export class FakeRequest extends FakeMessage {
  readonly method: string;
  readonly uri: string;
  /** CANCELs the application sent for it. */
  readonly cancels: Headers[] = [];
  /** There is no connection to the server any more: drachtio-srf asserts that there is one. */
  disconnected = false;

  constructor(parts: MessageParts = {}) {
    super(parts);
    this.method = parts.method ?? 'INVITE';
    this.uri = parts.uri ?? 'sip:1002@hotdesk.test';
  }

  get asRequest(): Request {
    return this as unknown as Request;
  }

  cancel({ headers }: { headers: Headers }, callback: (error: unknown) => void): void {
    if (this.disconnected) throw new Error('assert(typeSocket(socket))');
    this.cancels.push(headers);
    callback(undefined);
  }

  /** A CANCEL comes from the network: the server has answered 487 already. */
  cancelled(reason?: string): void {
    this.emit('cancel', new FakeMessage({ headers: reason === undefined ? {} : { Reason: reason } }));
  }
}

export interface Sent {
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: Headers;
  readonly body: string | undefined;
}

export class FakeResponse {
  readonly sent: Sent[] = [];
  finalResponseSent = false;
  #pracks: (() => void)[] = [];

  get asResponse(): Response {
    return this as unknown as Response;
  }

  /** The final answer; undefined while there is none. */
  get final(): Sent | undefined {
    return this.sent.find(({ status }) => status >= 200);
  }

  send(status: number, ...rest: unknown[]): void {
    if (!SENDABLE.has(status)) throw new Error(`Response#send: ${status} is no SIP status`);
    const reason = typeof rest[0] === 'string' ? (rest.shift() as string) : undefined;
    const [options = {}, callback, onPrack] = rest as [
      SendOptions?,
      ((error: unknown) => void)?,
      (() => void)?,
    ];
    if (this.finalResponseSent) return callback?.(new Error('final response already sent'));
    if (status >= 200) this.finalResponseSent = true;
    this.sent.push({ status, reason, headers: { ...options.headers }, body: options.body });
    if (onPrack) this.#pracks.push(onPrack);
    callback?.(undefined);
  }

  /** PRACK for the oldest reliable response that has none. */
  prack(): void {
    this.#pracks.shift()?.();
  }

  get unpracked(): number {
    return this.#pracks.length;
  }
}

/** A request the application sent inside a dialog, to be answered by the test. */
export interface Asked extends InDialogRequest {
  answer(status: number, parts?: { body?: string; headers?: Headers; reason?: string }): void;
  /** The server could not send it. */
  fail(): void;
  /** Bodies of ACKs sent by hand (late offer). */
  readonly acks: (string | undefined)[];
}

let tags = 0;

export class FakeDialog extends EventEmitter {
  readonly id: string;
  readonly type: 'uac' | 'uas';
  connected = true;
  readonly sip: { callId: string; localTag: string; remoteTag: string };
  readonly local: { sdp: string };
  readonly remote: { sdp: string };
  readonly asked: Asked[] = [];
  readonly byes: Headers[] = [];

  constructor(type: 'uac' | 'uas', sdp: { local?: string; remote?: string } = {}, callId?: string) {
    super();
    tags++;
    this.type = type;
    this.sip = { callId: callId ?? `call-${tags}`, localTag: `local-${tags}`, remoteTag: `remote-${tags}` };
    this.id = `${this.sip.callId};from-tag=${tags}`;
    this.local = { sdp: sdp.local ?? '' };
    this.remote = { sdp: sdp.remote ?? '' };
  }

  get asDialog(): Dialog {
    return this as unknown as Dialog;
  }

  /** Requests of one method the application sent. */
  sent(method: string): Asked[] {
    return this.asked.filter((request) => request.method === method);
  }

  request(options: InDialogRequest, callback: (...args: unknown[]) => void): void {
    const acks: (string | undefined)[] = [];
    const ack = options.noAck ? (parts: { body: string }) => acks.push(parts.body) : undefined;
    this.asked.push({
      ...options,
      acks,
      answer: (status, { body = '', headers = {}, reason = '' } = {}) => {
        const response = Object.assign(new FakeMessage({ headers, body }), { status, reason });
        callback(null, response, status === 200 ? ack : undefined);
      },
      fail: () => callback(Object.assign(new Error('unable to find dialog'), { code: 'ENODIALOG' })),
    });
    if (!this.connected) this.asked.at(-1)?.fail();
  }

  /** `connected` stays true until the far side has answered, as in drachtio-srf. */
  destroy({ headers }: { headers: Headers }, callback: (error: unknown) => void): void {
    this.byes.push(headers);
    callback(undefined);
    this.removeAllListeners();
  }

  /** BYE from the far side. */
  bye(reason?: string): void {
    this.connected = false;
    this.emit('destroy', new FakeMessage({ headers: reason === undefined ? {} : { Reason: reason } }), 'x');
    this.removeAllListeners();
  }

  /** A request of the far side inside the dialog; drachtio-srf notes the session of a re-INVITE before it tells. */
  receive(method: string, parts: { body?: string; headers?: Headers } = {}): FakeResponse {
    const response = new FakeResponse();
    const event = method === 'INVITE' ? 'modify' : method.toLowerCase();
    if (method === 'INVITE') this.remote.sdp = parts.body ?? '';
    this.emit(event, new FakeRequest({ method, ...parts }), response);
    return response;
  }

  /** An ACK from the far side. (drachtio-srf's dialogs have a method of this name as well.) */
  ack(body = ''): void {
    if (body) this.remote.sdp = body;
    this.emit('ack', new FakeRequest({ method: 'ACK', body }));
  }
}

/** An INVITE the application sent, with the far side's part left to the test. */
export class FakeUac {
  readonly uri: string;
  readonly options: UacOptions;
  readonly request = new FakeRequest();
  readonly dialog: FakeDialog;
  /** What was done to an answer without our offer: ACK bodies, and `'destroy'`. */
  readonly late: string[] = [];
  readonly #callbacks: UacCallbacks;
  readonly #settle: { resolve(leg: Dialog | UnacknowledgedLeg): void; reject(error: unknown): void };

  constructor(
    invite: { uri: string; options: UacOptions; callbacks: UacCallbacks },
    settle: { resolve(leg: Dialog | UnacknowledgedLeg): void; reject(error: unknown): void },
  ) {
    this.uri = invite.uri;
    this.options = invite.options;
    this.#callbacks = invite.callbacks;
    this.#settle = settle;
    this.dialog = new FakeDialog('uac', { local: invite.options.localSdp ?? '' });
  }

  /** Reason headers of the CANCELs sent. */
  get cancels(): (string | undefined)[] {
    return this.request.cancels.map(({ Reason }) => Reason);
  }

  header(name: string): string | undefined {
    return this.options.headers[name];
  }

  /** The server has put it on the wire. */
  echo(): void {
    this.#callbacks.cbRequest(null, this.request.asRequest);
  }

  ring(status = 180, body = ''): void {
    this.#callbacks.cbProvisional(
      Object.assign(new FakeMessage({ body }), { status }) as unknown as Response,
    );
  }

  answer(sdp: string): FakeDialog {
    this.dialog.remote.sdp = sdp;
    if (this.options.noAck && sdp !== '') this.#settle.resolve(this.#unacknowledged(sdp));
    else this.#settle.resolve(this.dialog.asDialog);
    return this.dialog;
  }

  reject(status: number, reason = 'No'): void {
    this.#settle.reject(Object.assign(new Error(reason), { status, reason }));
  }

  /** Nothing could be sent. */
  fail(message = 'Error creating leg'): void {
    this.#callbacks.cbRequest(new Error(message), undefined as unknown as Request);
    this.#settle.reject(new Error(message));
  }

  #unacknowledged(sdp: string): UnacknowledgedLeg {
    return {
      sdp,
      ack: (localSdp) => {
        this.late.push(localSdp);
        this.dialog.local.sdp = localSdp;
        return Promise.resolve(this.dialog.asDialog);
      },
      destroy: () => {
        this.late.push('destroy');
        return Promise.resolve();
      },
    };
  }
}

export class FakeSrf extends EventEmitter {
  readonly uacs: FakeUac[] = [];
  readonly uass: FakeDialog[] = [];
  readonly handlers = new Map<string, Handler>();
  /** INVITEs wait for `uac.echo()` before the application knows its request. */
  holdEcho = false;
  /** The 200 to an INVITE cannot be sent: a CANCEL was faster. */
  answerFails = false;
  /** What the network sends together with the news that a 200 is out. */
  onAnswered: (dialog: FakeDialog) => void = () => undefined;

  get asSrf(): Srf {
    return this as unknown as Srf;
  }

  get uac(): FakeUac {
    const uac = this.uacs.at(-1);
    if (!uac) throw new Error('no INVITE was sent');
    return uac;
  }

  get uas(): FakeDialog {
    const uas = this.uass.at(-1);
    if (!uas) throw new Error('no INVITE was answered');
    return uas;
  }

  use(method: string, handler: Handler): void {
    this.handlers.set(method, handler);
  }

  createUAC(uri: string, options: UacOptions, callbacks: UacCallbacks): Promise<Dialog | UnacknowledgedLeg> {
    return new Promise((resolve, reject) => {
      const uac = new FakeUac({ uri, options, callbacks }, { resolve, reject });
      this.uacs.push(uac);
      if (!this.holdEcho) uac.echo();
    });
  }

  createUAS(
    request: FakeRequest,
    response: FakeResponse,
    { localSdp }: { localSdp: string },
    callback: (error: unknown, dialog?: Dialog) => void,
  ): void {
    if (this.answerFails || response.finalResponseSent) return callback(new Error('unknown transaction'));
    response.send(200, { body: localSdp });
    const dialog = new FakeDialog('uas', { local: localSdp, remote: request.body }, request.get('Call-ID'));
    this.uass.push(dialog);
    callback(null, dialog.asDialog);
    this.onAnswered(dialog);
  }
}
