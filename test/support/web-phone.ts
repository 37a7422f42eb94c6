import {
  type Core,
  type Invitation,
  Inviter,
  Registerer,
  RegistererState,
  URI,
  UserAgent,
  type Web,
} from 'sip.js';
import { WebSocket } from 'ws';
import { IncomingCall, OutgoingCall } from './phone-call.ts';
import { PhoneMedia } from './phone-media.ts';
import { VVX } from './phone-sdp.ts';
import { SipText } from './sip-text.ts';
import { deferred, eventually, PATIENCE_MS, within } from './wait.ts';
import type { Endpoint } from './wire.ts';

// What a browser has, and Node 20 has not.
globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket;

export interface WebPhoneOptions {
  readonly server: Endpoint;
  readonly domain: string;
  readonly user: string;
  readonly password: string;
}

/**
 * A phone in a browser, but for the browser: sip.js as it is, with its own transport (RFC 7118). Its media is plain RTP, which
 * no browser has: calls' media is none of the server's business.
 */
export class WebPhone {
  readonly agent: UserAgent;
  readonly #options: WebPhoneOptions;
  readonly #registerer: Registerer;
  readonly #media: PhoneMedia[] = [];
  readonly #calls: IncomingCall[] = [];
  #gone = false;

  constructor(options: WebPhoneOptions) {
    this.#options = options;
    const { server, domain, user, password } = options;
    this.agent = new UserAgent({
      uri: new URI('sip', user, domain),
      authorizationUsername: user,
      authorizationPassword: password,
      transportOptions: { server: `ws://${server.host}:${server.port}`, keepAliveInterval: 0 },
      gracefulShutdown: false,
      logBuiltinEnabled: false,
      logConfiguration: false,
      sendInitialProvisionalResponse: false,
      sessionDescriptionHandlerFactory: () => {
        const media = new PhoneMedia(VVX);
        this.#media.push(media);
        return media;
      },
      delegate: {
        onInvite: (invitation: Invitation) => void this.#calls.push(new IncomingCall(invitation)),
        onNotify: (notification) => void notification.accept(),
      },
    });
    this.#registerer = new Registerer(this.agent, { expires: 600 });
  }

  /** Connects; it does not register by itself. */
  static async open(options: WebPhoneOptions): Promise<WebPhone> {
    const phone = new WebPhone(options);
    await phone.agent.start();
    return phone;
  }

  /** What this phone is registered as: a host name that leads nowhere. */
  get contact(): string {
    return this.agent.contact.uri.toString();
  }

  get registered(): boolean {
    return !this.#gone && this.#registerer.state === RegistererState.Registered;
  }

  /** Registers and returns the final answer, whatever it is. */
  register(): Promise<SipText> {
    return this.#registration((requestDelegate) => this.#registerer.register({ requestDelegate }));
  }

  unregister(): Promise<SipText> {
    return this.#registration((requestDelegate) => this.#registerer.unregister({ requestDelegate }));
  }

  /** Dials. The call is on its way when this resolves. */
  async call(user: string): Promise<OutgoingCall> {
    const call = new OutgoingCall(new Inviter(this.agent, new URI('sip', user, this.#options.domain)));
    await call.start();
    return call;
  }

  /** The next call that rings here. */
  nextCall(withinMs = PATIENCE_MS): Promise<IncomingCall> {
    return eventually(`a call at ${this.#options.user}`, () => this.#calls.shift(), withinMs);
  }

  /** Sends what sip.js sends to keep its connection, and waits for the answer. */
  async keepAlive(): Promise<void> {
    const { ws } = this.agent.transport as Web.Transport;
    if (!ws) throw new Error('not connected');
    const answered = deferred<void>();
    ws.addEventListener('message', ({ data }) => data === '\r\n' && answered.resolve());
    ws.send('\r\n\r\n');
    await within(3000, 'an answer to the keep-alive', answered.promise);
  }

  /** The tab is closed: no un-REGISTER, no close frame. */
  async vanish(): Promise<void> {
    this.#gone = true;
    const { ws } = this.agent.transport as Web.Transport;
    (ws as unknown as WebSocket | undefined)?.terminate();
    await this.close();
  }

  async close(): Promise<void> {
    for (const media of this.#media) media.close();
    await this.agent.stop().catch(() => undefined);
  }

  async #registration(send: (delegate: Core.OutgoingRequestDelegate) => Promise<unknown>): Promise<SipText> {
    const answer = deferred<SipText>();
    const settle = (response: Core.IncomingResponse): void =>
      answer.resolve(new SipText(response.message.data));
    await send({ onAccept: settle, onReject: settle, onRedirect: settle });
    return within(10_000, 'an answer to REGISTER', answer.promise);
  }
}
