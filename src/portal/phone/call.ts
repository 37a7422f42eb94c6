import { computed, signal } from '@preact/signals';
import { type Invitation, type Inviter, type Session, SessionState, type URI, Web } from 'sip.js';
import { readRefusal } from './documents.ts';
import { KeySender } from './keys-sent.ts';
import { texts } from './texts.ts';

/** One call on the line, as SIP.js has it. */

export type CallState = 'dialling' | 'ringing' | 'talking' | 'over';

export interface CallOptions {
  readonly session: Inviter | Invitation;
  readonly direction: 'in' | 'out';
  /** What is shown: whom it is with. */
  readonly number: string;
  readonly name: string;
  /** No sound either way. */
  readonly quiet: boolean;
  /** Nobody but the two ends it, and neither holds it or sends it on (RFC 6881). */
  readonly emergency: boolean;
}

let serial = 0;

export class Call {
  readonly id = ++serial;
  readonly direction: 'in' | 'out';
  readonly number: string;
  readonly name: string;
  readonly quiet: boolean;
  readonly emergency: boolean;
  readonly state = signal<CallState>('dialling');
  /** ms since 1970; of the answer. */
  readonly since = signal<number | undefined>(undefined);
  readonly held = signal(false);
  readonly heldByThem = signal(false);
  readonly keysSent = signal(0);
  /** Audio comes before the answer: announcements. */
  readonly early = signal(false);
  readonly isRinging = computed(() => this.direction === 'in' && this.state.value === 'ringing');
  /** Why it ended, in the server's words. */
  why: string | undefined;
  /** Cancelled or rejected here, or answered at another phone. */
  endedHere = false;
  readonly session: Inviter | Invitation;
  readonly #keys: KeySender;
  #isMuted = false;
  #isParked = false;

  constructor({ session, direction, number, name, quiet, emergency }: CallOptions) {
    this.session = session;
    this.direction = direction;
    this.number = number;
    this.name = name;
    this.quiet = quiet;
    this.emergency = emergency;
    this.#keys = new KeySender(session);
    if (direction === 'in') this.state.value = 'ringing';
    session.delegate = {
      onBye: (bye) => {
        this.why = readRefusal(bye.request);
        bye.accept().catch(() => undefined);
      },
      // Somebody answered at another phone: nothing was missed.
      onCancel: ({ request }) => {
        this.endedHere ||= /;\s*cause=200\b/.test(request.getHeader('Reason') ?? '');
      },
      onInvite: (request) => {
        this.heldByThem.value = /^a=(sendonly|inactive)\s*$/m.test(request.body ?? '');
      },
    };
    session.stateChange.addListener((state) => this.#changed(state));
  }

  /** What sounds in it; undefined while there is nothing, or never will be. */
  get sound(): MediaStream | undefined {
    return this.#media?.remoteMediaStream;
  }

  get #media(): Web.SessionDescriptionHandler | undefined {
    const { sessionDescriptionHandler } = this.session;
    return sessionDescriptionHandler instanceof Web.SessionDescriptionHandler
      ? sessionDescriptionHandler
      : undefined;
  }

  #changed(state: SessionState): void {
    if (state === SessionState.Established) {
      this.since.value = Date.now();
      this.state.value = 'talking';
      this.#keys.flush();
      this.#watch();
    }
    if (state === SessionState.Terminated) {
      this.#keys.stop();
      this.state.value = 'over';
    }
  }

  /** No sound comes or goes any more: the network or the server is gone, and may not say so. */
  #watch(): void {
    const connection = this.#media?.peerConnection;
    connection?.addEventListener('connectionstatechange', () => {
      if (connection.connectionState !== 'failed' || this.state.value !== 'talking') return;
      if (this.emergency || this.isUrgent) return;
      this.why = texts.screen.cutOff;
      this.session.bye().catch(() => undefined);
      this.#keys.stop();
      this.state.value = 'over';
    });
  }

  press(key: string): void {
    this.keysSent.value += 1;
    this.#keys.press(key);
  }

  async answer(): Promise<void> {
    await (this.session as Invitation).accept();
  }

  /** The emergency services call back (RFC 7090). */
  get isUrgent(): boolean {
    const priority = this.direction === 'in' ? this.session.request.getHeader('Priority') : undefined;
    return priority?.trim().toLowerCase() === 'psap-callback';
  }

  /** No room for it: other phones of the same person go on ringing, as they would not after a 6xx. */
  async refuse(): Promise<void> {
    this.endedHere = true;
    await (this.session as Invitation).reject({ statusCode: 486 });
  }

  /** Ends it, whatever state it is in. */
  async end(): Promise<void> {
    this.endedHere = true;
    const { session } = this;
    if (session.state === SessionState.Established) await session.bye();
    else if (this.direction === 'in') await (session as Invitation).reject({ statusCode: 603 });
    else await (session as Inviter).cancel();
  }

  /** Resolves when the other side has agreed; rejects where it does not. */
  hold(held: boolean): Promise<void> {
    if (this.state.value !== 'talking') return Promise.resolve();
    const { session } = this;
    const isSo = this.held.value === held;
    // A held side still gets what is sent (RFC 3264 8.4): silence, not this room.
    if (held || isSo) this.#park(held);
    if (isSo) return Promise.resolve();
    session.sessionDescriptionHandlerOptionsReInvite = { hold: held } as object;
    return new Promise((resolve, reject) => {
      const onAccept = (): void => {
        this.held.value = held;
        this.#media?.enableReceiverTracks(!held);
        this.#park(held);
        resolve();
      };
      const onReject = (): void => reject(new Error('hold was refused'));
      session.invite({ requestDelegate: { onAccept, onReject } }).catch(reject);
    });
  }

  /** After a hold that was refused: the two go on talking. */
  unpark(): void {
    this.#park(this.held.value);
  }

  #park(isParked: boolean): void {
    this.#isParked = isParked;
    this.#send();
  }

  #send(): void {
    for (const { track } of this.#media?.peerConnection?.getSenders() ?? [])
      if (track) track.enabled = !this.#isMuted && !this.#isParked;
  }

  /** Forgets a call that never got anywhere. */
  drop(): void {
    this.endedHere = true;
    this.state.value = 'over';
    this.session.dispose().catch(() => undefined);
  }

  mute(muted: boolean): void {
    this.#isMuted = muted;
    this.#send();
  }

  /** Sends the other side to a number, or to another call's. Resolves with whether they get there. */
  transfer(to: URI | Session): Promise<boolean> {
    return new Promise((resolve) => {
      const refuse = (): void => resolve(false);
      const onNotify = (notification: { request: { body?: string }; accept(): Promise<void> }): void => {
        notification.accept().catch(() => undefined);
        const status = Number(/^SIP\/2\.0 (\d{3})/.exec(notification.request.body ?? '')?.[1] ?? 0);
        if (status >= 200) resolve(status < 300);
      };
      // The call may be over before anybody says how it went: then it went.
      this.session.stateChange.addListener((state) => state === SessionState.Terminated && resolve(true));
      this.session.refer(to, { onNotify, requestDelegate: { onReject: refuse } }).catch(refuse);
    });
  }
}
