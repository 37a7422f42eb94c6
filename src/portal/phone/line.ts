import { type ReadonlySignal, signal } from '@preact/signals';
import {
  type Invitation,
  Inviter,
  type Notification,
  Registerer,
  RegistererState,
  type Session,
  Subscriber,
  URI,
  UserAgent,
  Web,
} from 'sip.js';
import { Call } from './call.ts';
import { type Messages, readGuest, readMessages, readRefusal } from './documents.ts';
import { QuietDescription } from './quiet.ts';

export interface LineOptions {
  readonly url: string;
  readonly domain: string;
  readonly user: string;
  readonly password: string;
  /** Names this phone among others that register as the same (RFC 5626 4.1). */
  readonly instance: string;
  /** What is sent in a call. */
  readonly voice: (session: Session) => Promise<MediaStream>;
  readonly onCall: (call: Call) => void;
  /** Something for the screen. */
  readonly onNotice: (text: string) => void;
}

/** `unreachable`: there never was a connection; `taken`: another tab is this phone now. */
export type LineState = 'connecting' | 'registered' | 'refused' | 'lost' | 'unreachable' | 'taken' | 'closed';

const AWAY: ReadonlySet<LineState> = new Set(['taken', 'closed']);

export interface Guest {
  readonly extension: string;
  /** ms since 1970; undefined: without an end. */
  readonly until: number | undefined;
}

/** SIP.js says who it is: of several challenges it keeps the last one only, and servers know that. */
const USER_AGENT = 'SIP.js/0.21.2 Hotdesk';
const HAS_WEBRTC = typeof RTCPeerConnection !== 'undefined';
const EXPIRES = 600;
const SUBSCRIPTION_SECONDS = 3_600;
/** What may have changed the network meanwhile. */
const WAKING = ['online', 'offline', 'focus', 'pageshow'] as const;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];
const BUSY_RETRY_MS = 1_000;
/** ms until a connection on which an emergency call brought no answer at all is taken for dead. */
const URGENT_PATIENCE_MS = 3_000;
const URGENT_RETRY_MS = 500;
const URGENT_FOR_MS = 300_000;
/** ms between two looks at the connection, and for its answer. */
const BEAT_MS = 20_000;
const BEAT_PATIENCE_MS = 3_000;
/** As the server counts: 999 hours stand for ever. */
const FOR_EVER_SECONDS = 998 * 3_600;
const HOTELING = 'x-broadworks-hoteling';
const MESSAGES = 'message-summary';
const PLAIN = { quiet: false, emergency: false } as const;
/** 488: sound of this kind is not for the other side (RFC 3261 21.4.26). */
const NOT_ACCEPTABLE = new Set([415, 488, 606]);

/** A phone's registration, what it is told about itself, and its calls. */
export class Line {
  readonly #options: LineOptions;
  readonly #agent: UserAgent;
  readonly #registerer: Registerer;
  readonly #state = signal<LineState>('connecting');
  readonly #isUp = signal(false);
  readonly #guest = signal<Guest | undefined>(undefined);
  readonly #messages = signal<Messages>({ waiting: false, fresh: 0, account: undefined });
  readonly #quiet = new WeakSet<Session>();
  #subscribers: Subscriber[] = [];
  #attempts = 0;
  #wasUp = false;
  #isEchoing = false;
  #stopBeats: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LineOptions) {
    this.#options = options;
    const { url, user, domain, password, instance } = options;
    this.#agent = new UserAgent({
      uri: new URI('sip', user, domain),
      authorizationUsername: user,
      authorizationPassword: password,
      transportOptions: { server: url, connectionTimeout: 5 },
      sessionDescriptionHandlerFactory: (session) => this.#descriptionFor(session),
      // Lamps and check-sync come without a subscription, too.
      allowLegacyNotifications: true,
      gracefulShutdown: false,
      logBuiltinEnabled: false,
      logConfiguration: false,
      userAgentString: USER_AGENT,
      delegate: {
        onConnect: () => this.#connected(),
        onDisconnect: (error) => error && this.#lost(),
        onInvite: (invitation) => this.#invited(invitation),
        onNotify: (notification) => this.#notified(notification),
        onMessage: (message) => {
          message.accept().catch(() => undefined);
          options.onNotice(message.request.body);
        },
      },
    });
    this.#registerer = new Registerer(this.#agent, { expires: EXPIRES, instanceId: instance, regId: 1 });
    this.#registerer.stateChange.addListener((state) => this.#registration(state));
  }

  get state(): ReadonlySignal<LineState> {
    return this.#state;
  }

  get guest(): ReadonlySignal<Guest | undefined> {
    return this.#guest;
  }

  get messages(): ReadonlySignal<Messages> {
    return this.#messages;
  }

  /** Whether there is a connection, registered or not. */
  get isUp(): ReadonlySignal<boolean> {
    return this.#isUp;
  }

  get isConnected(): boolean {
    return this.#agent.isConnected();
  }

  /** Connects and registers, and does both again whenever the connection was lost. */
  start(): void {
    const beat = (): void => this.#beat();
    const timer = setInterval(beat, BEAT_MS);
    for (const event of WAKING) window.addEventListener(event, beat);
    this.#stopBeats = () => {
      clearInterval(timer);
      for (const event of WAKING) window.removeEventListener(event, beat);
    };
    this.#agent.start().catch(() => this.#lost());
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopBeats();
    this.#state.value = 'closed';
    this.#dropSubscriptions();
    if (this.#registerer.state === RegistererState.Registered) {
      const answered = new Promise<void>((resolve) => {
        const settle = (): void => resolve();
        const requestDelegate = { onAccept: settle, onReject: settle };
        this.#registerer.unregister({ requestDelegate }).catch(settle);
        setTimeout(settle, BUSY_RETRY_MS);
      });
      await answered;
    }
    await this.#agent.stop().catch(() => undefined);
  }

  /** Leaves the registration to who has taken it. */
  leave(): void {
    this.#state.value = 'taken';
    this.#dropSubscriptions();
    this.#isUp.value = false;
    this.#agent.transport.disconnect().catch(() => undefined);
  }

  /** Takes it back. */
  comeBack(): void {
    this.#state.value = 'connecting';
    if (this.isConnected) this.#connected();
    else this.#agent.reconnect().catch(() => this.#lost());
  }

  uri(number: string): URI {
    // As RFC 3261 25.1 wants user parts; `*` may stand there as it is.
    return new URI('sip', encodeURIComponent(number), this.#options.domain);
  }

  /**
   * Calls a number. `quiet`: without sound. `urgent`: whatever the connection is like, it waits for one, and calls again by
   * another where nobody answers by this one.
   */
  dial(number: string, { quiet = !HAS_WEBRTC, urgent = false }: DialOptions = {}): Call {
    const session = new Inviter(this.#agent, this.uri(number), { earlyMedia: true });
    if (quiet) this.#quiet.add(session);
    const call = new Call({ session, direction: 'out', number, name: '', quiet, emergency: urgent });
    this.#options.onCall(call);
    const again = (isQuiet: boolean): void => {
      if (!call.endedHere) this.dial(number, { quiet: isQuiet, urgent });
    };
    this.#place(call, again).catch(() => {
      // The browser has no sound to offer.
      if (!quiet) again(true);
    });
    return call;
  }

  async #place(call: Call, again: (quiet: boolean) => void): Promise<void> {
    const session = call.session as Inviter;
    if (call.emergency && !this.isConnected && !(await this.#reach(call))) return;
    let isHeard = false;
    const onTrying = (): void => {
      isHeard = true;
    };
    const onReject = ({ message }: { message: Answer }): void => {
      onTrying();
      const { statusCode = 0, reasonPhrase = '' } = message;
      if (NOT_ACCEPTABLE.has(statusCode) && !call.quiet) return again(true);
      if (!call.endedHere) call.why = readRefusal(message) ?? reasonPhrase;
    };
    const onProgress = ({ message }: { message: Answer }): void => {
      onTrying();
      if ((message.statusCode ?? 0) >= 180) call.state.value = 'ringing';
      if (message.body) call.early.value = true;
    };
    await session.invite({ requestDelegate: { onTrying, onReject, onProgress, onAccept: onTrying } });
    if (!call.emergency) return;
    await pause(URGENT_PATIENCE_MS);
    if (isHeard || call.endedHere || this.#state.value === 'closed') return;
    this.#renew();
    again(call.quiet);
    call.drop();
  }

  /** Asks for a connection again and again while the call is wanted; whether there is one. */
  async #reach(call: Call): Promise<boolean> {
    const until = Date.now() + URGENT_FOR_MS;
    while (!this.isConnected && !call.endedHere && Date.now() < until) {
      clearTimeout(this.#timer);
      await Promise.race([this.#agent.reconnect().catch(() => undefined), pause(URGENT_PATIENCE_MS)]);
      if (!this.isConnected) await pause(URGENT_RETRY_MS);
    }
    if (this.isConnected && !call.endedHere) return true;
    call.drop();
    if (!this.isConnected) this.#lost();
    return false;
  }

  #descriptionFor(session: Session) {
    if (this.#quiet.has(session) || !HAS_WEBRTC) return new QuietDescription();
    const logger = this.#agent.getLogger('hotdesk.media');
    return new Web.SessionDescriptionHandler(logger, () => this.#options.voice(session), {
      iceGatheringTimeout: 1_000,
      peerConnectionConfiguration: { bundlePolicy: 'max-bundle', iceServers: [] },
    });
  }

  #connected(): void {
    this.#attempts = 0;
    this.#isUp.value = true;
    this.#wasUp = true;
    this.#beat();
    if (AWAY.has(this.#state.value)) return;
    this.#state.value = 'connecting';
    this.#register();
  }

  #register(): void {
    const onReject = ({ message: { statusCode = 0 } }: { message: Answer }): void => {
      if (statusCode === 401 || statusCode === 403 || statusCode === 404) this.#state.value = 'refused';
      else this.#later(() => this.#register(), RETRY_MS.at(-1)!);
    };
    // One may still be under way: SIP.js takes no second.
    this.#registerer
      .register({ requestDelegate: { onAccept: () => this.#registered(), onReject } })
      .catch(() => this.#later(() => this.#register(), BUSY_RETRY_MS));
  }

  #registered(): void {
    if (AWAY.has(this.#state.value)) return;
    this.#state.value = 'registered';
    this.#subscribe();
  }

  /** SIP.js renews it by itself, until that fails. */
  #registration(state: RegistererState): void {
    if (state !== RegistererState.Unregistered || this.#state.value !== 'registered') return;
    this.#state.value = 'connecting';
    this.#later(() => this.#register(), BUSY_RETRY_MS);
  }

  get #socket(): WebSocket | undefined {
    const { transport } = this.#agent;
    return transport instanceof Web.Transport ? transport.ws : undefined;
  }

  /** Whoever is behind the connection answers at once, or is not there any more: nobody else tells after a sleep. */
  #beat(): void {
    const socket = this.#socket;
    if (!socket || !this.isConnected || this.#state.value === 'closed') return;
    const stop = (): void => {
      clearTimeout(patience);
      socket.removeEventListener('message', listen);
    };
    const listen = ({ data }: MessageEvent<unknown>): void => {
      if (data !== '\r\n') return;
      this.#isEchoing = true;
      stop();
    };
    const patience = setTimeout(() => {
      stop();
      // Not every server answers.
      if (this.#isEchoing && socket === this.#socket) this.#renew();
    }, BEAT_PATIENCE_MS);
    socket.addEventListener('message', listen);
    this.#agent.transport.send('\r\n\r\n').catch(() => undefined);
  }

  /** Leaves a connection that is dead for a new one, without waiting for a good-bye. */
  #renew(): void {
    const { transport } = this.#agent;
    if (!transport.isConnected()) return;
    transport.disconnect().catch(() => undefined);
    this.#lost();
    clearTimeout(this.#timer);
    this.#agent.reconnect().catch(() => this.#lost());
  }

  #lost(): void {
    this.#isUp.value = false;
    if (AWAY.has(this.#state.value)) return;
    this.#state.value = this.#wasUp ? 'lost' : 'unreachable';
    this.#dropSubscriptions();
    const wait = RETRY_MS[Math.min(this.#attempts++, RETRY_MS.length - 1)]!;
    this.#later(() => this.#agent.reconnect().catch(() => this.#lost()), wait * (0.8 + Math.random() * 0.4));
  }

  #later(task: () => unknown, ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!AWAY.has(this.#state.value)) task();
    }, ms);
  }

  #subscribe(): void {
    this.#dropSubscriptions();
    const self = this.uri(this.#options.user);
    this.#subscribers = [HOTELING, MESSAGES].map((event) => {
      const subscriber = new Subscriber(this.#agent, self, event, { expires: SUBSCRIPTION_SECONDS });
      subscriber.delegate = { onNotify: (notification) => this.#notified(notification) };
      subscriber.subscribe().catch(() => undefined);
      return subscriber;
    });
  }

  #dropSubscriptions(): void {
    for (const subscriber of this.#subscribers.splice(0)) subscriber.dispose().catch(() => undefined);
  }

  #notified(notification: Notification): void {
    notification.accept().catch(() => undefined);
    const { request } = notification;
    const event = (request.getHeader('Event') ?? '').split(';', 1)[0]!.trim().toLowerCase();
    if (request.body === '') return;
    if (event === MESSAGES) this.#messages.value = readMessages(request.body);
    if (event !== HOTELING) return;
    const guest = readGuest(request.body);
    const seconds =
      guest?.seconds !== undefined && guest.seconds < FOR_EVER_SECONDS ? guest.seconds : undefined;
    const until = seconds === undefined ? undefined : Date.now() + seconds * 1000;
    this.#guest.value = guest && { extension: guest.extension, until };
  }

  #invited(invitation: Invitation): void {
    const offer = invitation.request.body ?? '';
    if (offer !== '' && !/^a=fingerprint:/m.test(offer)) {
      // A browser takes encrypted sound only (RFC 8827 6.5).
      invitation.reject({ statusCode: 488 }).catch(() => undefined);
      return;
    }
    const { displayName, uri } = invitation.remoteIdentity;
    const number = decodeURIComponent(uri.user ?? '');
    const call = new Call({ session: invitation, direction: 'in', number, name: displayName, ...PLAIN });
    this.#options.onCall(call);
  }
}

interface DialOptions {
  readonly quiet?: boolean;
  readonly urgent?: boolean;
}

interface Answer {
  readonly statusCode?: number | undefined;
  readonly reasonPhrase?: string | undefined;
  readonly body?: string;
  getHeader(name: string): string | undefined;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
