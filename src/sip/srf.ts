import { createRequire } from 'node:module';
import { type FrameWire, limitFrames } from './frames.ts';
import { sendInvite } from './uac.ts';

/**
 * drachtio-srf as this project uses it. Its own types leave out much of what it can do (callback forms, `cancel`
 * headers, `body`), so the part in use is named here, once, and everything else under sip/ imports from this file.
 */

export interface Message {
  readonly body: string;
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  get(name: string): string | undefined;
  has(name: string): boolean;
}

export interface Request extends Message {
  readonly method: string;
  /** The SIP server's name of the dialog it belongs to: `<Call-ID>;from-tag=<tag>`; empty outside those it knows. */
  readonly stackDialogId?: string;
  readonly uri: string;
  on(event: 'cancel', listener: (cancel: Request | undefined) => void): void;
  on(event: 'update', listener: (update: Request, response: Response) => void): void;
  on(
    event: 'response',
    listener: (response: Response, ack: (options?: { body: string }) => void) => void,
  ): void;
  cancel(options: { headers: Headers }, callback: (error: unknown) => void): void;
}

export interface SendOptions {
  readonly headers?: Headers;
  readonly body?: string | undefined;
}

export interface Response extends Message {
  readonly status: number;
  readonly reason: string;
  readonly finalResponseSent: boolean;
  send(
    status: number,
    options?: SendOptions,
    callback?: (error: unknown, sent: Message) => void,
    onPrack?: () => void,
  ): void;
  send(
    status: number,
    reason: string,
    options?: SendOptions,
    callback?: (error: unknown, sent: Message) => void,
  ): void;
}

export type Headers = Record<string, string>;

export interface InDialogRequest {
  readonly method: string;
  readonly headers?: Headers;
  readonly body?: string;
  readonly noAck?: boolean;
}

type DialogRequestEvent =
  | 'info'
  | 'message'
  | 'modify'
  | 'notify'
  | 'options'
  | 'publish'
  | 'refer'
  | 'update';

export interface Dialog {
  readonly id: string;
  readonly type: 'uac' | 'uas';
  readonly connected: boolean;
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly local: { sdp: string };
  readonly remote: { sdp: string };
  on(event: 'destroy', listener: (message: Request | undefined, reason?: string) => void): this;
  on(event: DialogRequestEvent, listener: (request: Request, response: Response) => void): this;
  on(event: 'ack', listener: (ack: Request) => void): this;
  once(event: 'ack', listener: (ack: Request) => void): this;
  off(event: 'modify' | 'notify', listener: (request: Request, response: Response) => void): this;
  emit(event: 'modify' | 'notify', request: Request, response: Response): boolean;
  listenerCount(event: 'modify' | 'notify'): number;
  removeAllListeners(): this;
  request(
    options: InDialogRequest,
    callback: (error: unknown, response: Response, ack?: (options: { body: string }) => void) => void,
  ): void;
  destroy(options: { headers: Headers }, callback: (error: unknown) => void): void;
}

/** An answered leg whose 200 carried the offer: nothing is acknowledged until `ack` brings the answer. */
export interface UnacknowledgedLeg {
  readonly sdp: string;
  ack(localSdp: string): Promise<Dialog>;
  destroy(): Promise<void>;
}

/** Looks at what only a dialog has: drachtio-srf gives every dialog a method `ack`, too. */
export function isUnacknowledged(leg: Dialog | UnacknowledgedLeg): leg is UnacknowledgedLeg {
  return !('remote' in leg);
}

export interface UacOptions {
  readonly headers: Headers;
  readonly localSdp?: string;
  /** Sent instead of the offer alone, which it holds; its Content-Type is among the headers. */
  readonly body?: string;
  readonly noAck?: boolean;
  readonly proxy?: string;
  readonly auth?: { readonly username: string; readonly password: string };
}

export interface UacCallbacks {
  cbRequest(error: unknown, request: Request): void;
  cbProvisional(response: Response): void;
}

export type Handler = (request: Request, response: Response) => void;

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Octets of the longest message it is sent; what is longer fails. Absent: any. */
  readonly longest?: number | undefined;
  /** Called with the octets of a message that was too long. */
  onTooLong?(octets: number): void;
}

export interface Srf {
  connect(options: ConnectOptions): void;
  disconnect(): void;
  on(event: 'connect', listener: (error: unknown, hostPorts: string, version: string) => void): this;
  on(event: 'error' | 'close' | 'reconnecting', listener: (error?: unknown) => void): this;
  use(method: string, handler: Handler): void;
  createUAS(
    request: Request,
    response: Response,
    options: { localSdp: string; headers?: Headers },
    callback: (error: unknown, dialog: Dialog) => void,
  ): void;
  createUAC(uri: string, options: UacOptions, callbacks: UacCallbacks): Promise<Dialog | UnacknowledgedLeg>;
  request(
    uri: string,
    options: {
      method: string;
      headers?: Headers;
      body?: string;
      proxy?: string;
      auth?: { readonly username: string; readonly password: string };
      /** Inside this dialog of the SIP server's, whose own identity and target then count. */
      stackDialogId?: string;
    },
    callback: (error: unknown, request: Request) => void,
  ): void;
}

/** A subscription of ours, as the far side granted it (RFC 6665 4.1). */
export interface Subscribed {
  readonly dialog: Dialog;
  /** Seconds; undefined: the answer names none. */
  readonly expires: number | undefined;
}

/** Makes subscriptions and forgets them again. */
export interface Subscriber {
  /** Rejects with the far side's refusal; the least time it grants comes with a 423. */
  subscribe(uri: string, options: SubscribeOptions): Promise<Subscribed>;
  /** Lets go of a subscription that is over for us; nothing is sent. */
  forget(dialog: Dialog): void;
}

export interface SubscribeOptions {
  readonly headers: Headers;
  readonly auth?: { readonly username: string; readonly password: string };
}

/** A library's own idea of a dialog, for an INVITE that was not sent by `createUAC`. */
export interface DialogMaker {
  make(answered: { request: Request; response: Response; auth: UacOptions['auth'] }): Dialog;
}

/** What `createUAC` rejects with: a status when the far side said no, only a message when nothing could be sent. */
export interface SipFailure {
  readonly status?: number;
  readonly reason?: string;
  readonly message?: string;
  /** The refusal itself, of a SUBSCRIBE. */
  readonly res?: Message;
}

type NewDialog = new (
  srf: Srf,
  type: 'uac',
  answered: { req: Request; res: Response; auth: UacOptions['auth'] },
) => Dialog;

const SrfClass = createRequire(import.meta.url)('drachtio-srf') as {
  new (): Srf & {
    /** Its client of the server. */
    readonly app: { readonly client: { readonly wp: FrameWire } };
    addDialog(dialog: Dialog): void;
    removeDialog(dialog: Dialog): void;
  };
  readonly Dialog: NewDialog;
};

/** What drachtio-srf keeps of a dialog, and how it counts the subscriptions in it. */
interface SubscribeDialog extends Dialog {
  readonly dialogType: 'INVITE' | 'SUBSCRIBE';
  readonly res: Message;
  removeSubscription(uri: string, event: string): number;
}

/**
 * With INVITEs that `createUAC` cannot send: to a URN, or with more in the body than a session description; and with
 * subscriptions of our own.
 */
class ProjectSrf extends SrfClass implements DialogMaker, Subscriber {
  override connect({ longest, onTooLong = () => undefined, ...server }: ConnectOptions): void {
    super.connect(server);
    if (longest !== undefined) limitFrames(this.app.client.wp, longest, onTooLong);
  }

  override createUAC(
    uri: string,
    options: UacOptions,
    callbacks: UacCallbacks,
  ): Promise<Dialog | UnacknowledgedLeg> {
    const isPlain = options.body === undefined && !/^urn:/i.test(uri);
    if (isPlain) return super.createUAC(uri, options, callbacks);
    return sendInvite({ srf: this, dialogs: this, uri, options, callbacks });
  }

  override addDialog(dialog: Dialog): void {
    if ((dialog as SubscribeDialog).dialogType === 'SUBSCRIBE') keepEarlyNotify(dialog);
    super.addDialog(dialog);
  }

  async subscribe(uri: string, options: SubscribeOptions): Promise<Subscribed> {
    const subscribe = { ...options, method: 'SUBSCRIBE' };
    const none = { cbRequest: () => undefined, cbProvisional: () => undefined };
    const dialog = (await super.createUAC(uri, subscribe, none)) as SubscribeDialog;
    // drachtio-srf looks the last NOTIFY up by its To, which may be written otherwise: then it keeps the dialog, or dies.
    dialog.removeSubscription = () => 0;
    const expires = /^\s*(\d{1,9})\s*$/.exec(dialog.res.get('Expires') ?? '')?.[1];
    return { dialog, expires: expires === undefined ? undefined : Number(expires) };
  }

  forget(dialog: Dialog): void {
    dialog.removeAllListeners();
    this.removeDialog(dialog);
  }

  make({ request, response, auth }: Parameters<DialogMaker['make']>[0]): Dialog {
    const dialog = new SrfClass.Dialog(this, 'uac', { req: request, res: response, auth });
    this.addDialog(dialog);
    return dialog;
  }
}

/**
 * The first NOTIFY, with the state, is mostly read in one go with the 200, before whoever waits for the dialog can
 * listen, and drachtio-srf answers by itself what nobody listens for: it is told once more a moment later.
 */
function keepEarlyNotify(dialog: Dialog): void {
  const early = (request: Request, response: Response): void => {
    if (dialog.listenerCount('notify') === 1) setImmediate(() => dialog.emit('notify', request, response));
  };
  dialog.on('notify', early);
  setImmediate(() => dialog.off('notify', early));
}

/** A new, unconnected drachtio application. */
export function createSrf(): Srf & Subscriber {
  return new ProjectSrf();
}
