import {
  Core,
  EmitterImpl,
  type Invitation,
  Inviter,
  Registerer,
  RegistererState,
  SIPExtension,
  type Transport,
  TransportState,
  URI,
  UserAgent,
} from 'sip.js';
import { type Call, IncomingCall, OutgoingCall } from './phone-call.ts';
import { PhoneMedia } from './phone-media.ts';
import { type SdpAbilities, VVX } from './phone-sdp.ts';
import { SipText, userOf } from './sip-text.ts';
import { deferred, eventually, PATIENCE_MS, within } from './wait.ts';
import { type Endpoint, openWire, type Wire } from './wire.ts';

// sip.js forgets a request as soon as it is answered; a phone recognises the retransmission (RFC 3261 17.2.2).
Core.Timers.TIMER_J = 5000;

export interface PhoneOptions {
  readonly server: Endpoint;
  /** Domain of the address-of-record and digest realm's host; default the server's address. */
  readonly domain?: string;
  readonly user: string;
  readonly password: string;
  readonly displayName?: string;
  readonly protocol?: 'udp' | 'tcp';
  readonly media?: Partial<SdpAbilities>;
  readonly reliable?: boolean;
  /** Takes calls for any user part, like a trunk. */
  readonly anyUser?: boolean;
}

export interface CallOptions {
  readonly extraHeaders?: string[];
  /** Use the session description of a 183 (one destination only). */
  readonly earlyMedia?: boolean;
  /** No offer in the INVITE: ours is the answer, in the ACK. */
  readonly withoutSdp?: boolean;
  readonly from?: { readonly user: string; readonly name?: string };
}

/** A phone on loopback: sip.js' user agent over a socket and RTP of ours. A stack the product did not write. */
export class Phone {
  readonly wire: Wire;
  readonly agent: UserAgent;
  readonly options: PhoneOptions;
  /** Out-of-dialog NOTIFYs (lamp, check-sync), newest last. */
  readonly notified: SipText[] = [];
  readonly #registerer: Registerer;
  readonly #media: PhoneMedia[] = [];
  #calls: IncomingCall[] = [];
  /** By Call-ID, for what sip.js does not know. */
  readonly #byCallId = new Map<string, Call>();
  #handler: ((call: IncomingCall) => void) | undefined;
  /** Calls from before `forget`: one that was never answered is sent again for half a minute. */
  readonly #forgotten = new Set<string>();

  constructor(wire: Wire, options: PhoneOptions) {
    this.wire = wire;
    this.options = options;
    this.agent = makeAgent(wire, options, (media) => this.#media.push(media));
    this.agent.delegate = {
      onInvite: (invitation) => this.#ring(invitation),
      onNotify: (notification) => {
        this.notified.push(new SipText(notification.request.data));
        void notification.accept();
      },
    };
    this.#registerer = new Registerer(this.agent, { expires: 600 });
    (this.agent.transport as unknown as PhoneTransport).onUpdate = (message) => this.#update(message);
  }

  /** Plugs a phone in; it does not register by itself. */
  static async plugIn(options: PhoneOptions): Promise<Phone> {
    return Phone.onWire(await openWire(options.protocol ?? 'udp', options.server), options);
  }

  /** As `plugIn`, on a wire that is there already. */
  static async onWire(wire: Wire, options: PhoneOptions): Promise<Phone> {
    const phone = new Phone(wire, options);
    await phone.agent.start();
    return phone;
  }

  get registered(): boolean {
    return this.#registerer.state === RegistererState.Registered;
  }

  /** Registers and returns the final answer, whatever it is. */
  register(): Promise<SipText> {
    return this.#registration((requestDelegate) => this.#registerer.register({ requestDelegate }));
  }

  unregister(): Promise<SipText> {
    return this.#registration((requestDelegate) => this.#registerer.unregister({ requestDelegate }));
  }

  /** Dials. The call is on its way when this resolves. */
  async call(user: string, options: CallOptions = {}): Promise<OutgoingCall> {
    const host = this.options.domain ?? this.options.server.host;
    const target = new URI('sip', user, host, undefined, { user: 'phone' });
    const from = options.from;
    const inviter = new Inviter(this.agent, target, {
      earlyMedia: options.earlyMedia ?? false,
      extraHeaders: options.extraHeaders ?? [],
      params: {
        ...(from ? { fromUri: new URI('sip', from.user, '127.0.0.1') } : {}),
        ...(from?.name ? { fromDisplayName: from.name } : {}),
      },
    });
    const call = new OutgoingCall(inviter);
    this.#byCallId.set(inviter.request.callId, call);
    await call.start({ withoutSdp: options.withoutSdp ?? false });
    return call;
  }

  /** What to do with every call from now on, instead of `nextCall`. */
  onCall(handler: (call: IncomingCall) => void): void {
    this.#handler = handler;
  }

  /** The next call that rings here. */
  nextCall(withinMs = PATIENCE_MS): Promise<IncomingCall> {
    return eventually(`a call at ${this.options.user}`, () => this.#calls.shift(), withinMs);
  }

  /** Starts with a clean sheet: no handler, no waiting calls, no sound, nothing received. */
  forget(): void {
    for (const { message } of this.wire.trace) this.#forgotten.add(message.header('Call-ID'));
    for (const media of this.#media.splice(0)) media.close();
    this.#handler = undefined;
    this.#calls = [];
    this.wire.trace.length = 0;
    this.wire.deaf = () => false;
  }

  /** Requests of a method that arrived, in order. */
  received(method: string): SipText[] {
    return this.#requests('in', method);
  }

  /** Requests of a method that were sent, in order, with those sent again after a challenge. */
  sent(method: string): SipText[] {
    return this.#requests('out', method);
  }

  #requests(wanted: 'in' | 'out', method: string): SipText[] {
    return this.wire.trace
      .filter(({ direction, message }) => direction === wanted && message.status === undefined)
      .map(({ message }) => message)
      .filter((message) => message.method === method)
      .filter((message) => !this.#forgotten.has(message.header('Call-ID')));
  }

  /** Digest responses this phone has proved itself with: secrets, to look for in logs. */
  digestResponses(): string[] {
    const sent = this.wire.trace.filter(({ direction }) => direction === 'out');
    return sent.flatMap(({ message }) => /response="([0-9a-f]{32,})"/.exec(message.text)?.[1] ?? []);
  }

  /** Everything that arrived, as one text. */
  everythingReceived(): string {
    return this.wire.trace
      .filter(({ direction }) => direction === 'in')
      .map(({ message }) => message.text)
      .join('\n');
  }

  /** Pulls the plug: no un-REGISTER, no BYE, and no sound: a stray voice would be taken for the next call's. */
  async unplug(): Promise<void> {
    for (const media of this.#media) media.close();
    await this.agent.stop();
    await this.wire.close();
  }

  #ring(invitation: Invitation): void {
    if (this.#forgotten.has(invitation.request.callId)) return void invitation.reject();
    const call = new IncomingCall(invitation);
    this.#byCallId.set(invitation.request.callId, call);
    if (this.#handler) this.#handler(call);
    else this.#calls.push(call);
  }

  /** UPDATE (RFC 3311): takes a new offer, or just says that the session lives. */
  async #update(message: SipText): Promise<string> {
    const media = await this.#byCallId.get(message.header('Call-ID'))?.media();
    if (!media) return answerText(message, '481 No such call', '');
    if (message.body === '') return answerText(message, '200 OK', '');
    await media.setDescription(message.body);
    return answerText(message, '200 OK', (await media.getDescription()).body);
  }

  async #registration(send: (delegate: Core.OutgoingRequestDelegate) => Promise<unknown>): Promise<SipText> {
    const answer = deferred<SipText>();
    const settle = (response: Core.IncomingResponse): void =>
      answer.resolve(new SipText(response.message.data));
    await send({ onAccept: settle, onReject: settle, onRedirect: settle });
    return within(10_000, 'an answer to REGISTER', answer.promise);
  }
}

/** A response to `message` with its Via, From, To, Call-ID and CSeq. */
function answerText(message: SipText, status: string, body: string): string {
  const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) =>
    message.headers(name).map((value) => `${name}: ${value}`),
  );
  const contact = `Contact: <${message.requestUri}>`;
  const type = body === '' ? [] : ['Content-Type: application/sdp'];
  return [`SIP/2.0 ${status}`, ...copied, contact, ...type, `Content-Length: ${body.length}`, '', body].join(
    '\r\n',
  );
}

function makeAgent(wire: Wire, options: PhoneOptions, onMedia: (media: PhoneMedia) => void): UserAgent {
  const abilities: SdpAbilities = { ...VVX, ...options.media };
  const agent = new UserAgent({
    uri: new URI('sip', options.user, options.domain ?? options.server.host),
    authorizationUsername: options.user,
    authorizationPassword: options.password,
    displayName: options.displayName ?? '',
    contactName: options.user,
    contactParams: { transport: wire.protocol },
    viaHost: wire.local.host,
    gracefulShutdown: false,
    logBuiltinEnabled: false,
    logConfiguration: false,
    sendInitialProvisionalResponse: false,
    sipExtension100rel: options.reliable ? SIPExtension.Supported : SIPExtension.Unsupported,
    sipExtensionReplaces: SIPExtension.Supported,
    sipExtensionExtraSupported: ['timer'],
    userAgentString: 'PolycomVVX-VVX_411-UA/5.9.7.3480',
    transportConstructor: PhoneTransport as unknown as new () => Transport,
    transportOptions: { wire },
    sessionDescriptionHandlerFactory: () => {
      const media = new PhoneMedia(abilities);
      onMedia(media);
      return media;
    },
  });
  agent.contact.uri.port = wire.local.port;
  if (options.anyUser) (agent.transport as PhoneTransport).admitAnyone(agent);
  return agent;
}

/** sip.js' idea of a transport over one of our wires, with its gaps mended on the way. */
class PhoneTransport {
  readonly protocol: string;
  readonly stateChange = new EmitterImpl<TransportState>();
  onConnect: (() => void) | undefined;
  onDisconnect: ((error?: Error) => void) | undefined;
  onMessage: ((message: string) => void) | undefined;
  onUpdate: ((message: SipText) => Promise<string>) | undefined;
  readonly #wire: Wire;
  #state = TransportState.Disconnected;
  #agent: UserAgent | undefined;

  constructor(_logger: unknown, options: { readonly wire: Wire }) {
    this.#wire = options.wire;
    this.protocol = options.wire.protocol.toUpperCase();
  }

  get state(): TransportState {
    return this.#state;
  }

  isConnected(): boolean {
    return this.#state === TransportState.Connected;
  }

  /** sip.js answers 404 to a user part that is not its own: make each one its own as it comes. */
  admitAnyone(agent: UserAgent): void {
    this.#agent = agent;
  }

  connect(): Promise<void> {
    this.#wire.onMessage = (text) => this.#take(text);
    this.#state = TransportState.Connected;
    this.onConnect?.();
    return Promise.resolve();
  }

  disconnect(): Promise<void> {
    this.#state = TransportState.Disconnected;
    return Promise.resolve();
  }

  dispose(): Promise<void> {
    this.#wire.onMessage = undefined;
    return this.disconnect();
  }

  /** A Via without a port would send a plain server to 5060. */
  send(text: string): Promise<void> {
    const { host, port } = this.#wire.local;
    const isRequest = !text.startsWith('SIP/2.0');
    const full = isRequest ? text.replace(`${host};branch`, `${host}:${port};branch`) : text;
    this.#wire.send(this.#wire.onSend(full));
    return Promise.resolve();
  }

  #take(text: string): void {
    const message = new SipText(text);
    if (message.status === undefined && message.method === 'UPDATE') {
      void this.onUpdate?.(message).then((answer) => this.#wire.send(answer));
      return;
    }
    const core = this.#agent?.userAgentCore;
    if (core && message.status === undefined) {
      const user = userOf(message.requestUri);
      core.configuration = { ...core.configuration, aor: new URI('sip', user, '127.0.0.1') };
    }
    this.onMessage?.(this.#mend(text, message.status !== undefined));
  }

  /** sip.js insists on its own Via without port, and looks at the first challenge only, which it may not know. */
  #mend(text: string, isResponse: boolean): string {
    if (!isResponse) return text;
    const { host, port } = this.#wire.local;
    const ownVia = new RegExp(`^(Via:[^\\r\\n]*?${host}):${port}`, 'im');
    const challenges = /^(WWW|Proxy)-Authenticate:(?=.*algorithm="?SHA-).*\r\n/gim;
    return text.replace(ownVia, '$1').replace(challenges, '');
  }
}
