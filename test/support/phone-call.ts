import { setTimeout as sleep } from 'node:timers/promises';
import { type Core, type Invitation, type Inviter, type Session, SessionState, UserAgent } from 'sip.js';
import { BY_HAND, type KeyTiming } from './phone-audio.ts';
import type { PhoneMedia } from './phone-media.ts';
import { type Direction, readSdp } from './phone-sdp.ts';
import { SipText } from './sip-text.ts';
import { deferred, PATIENCE_MS, within } from './wait.ts';

/** How a call ended. */
export interface CallEnd {
  readonly by: 'us' | 'them';
  /** Final status of an INVITE that was not accepted. */
  readonly status?: number;
  /** Reason header of the BYE, CANCEL or response (RFC 3326), `''` when there was none. */
  readonly reason: string;
  /** Warning header of the response, `''` when there was none. */
  readonly warning: string;
}

/** What came of an in-dialog request. */
export interface Answer {
  readonly status: number;
  readonly message: SipText;
}

/** What came of a REFER: its own answer and the status lines told in NOTIFYs. */
export interface Transfer extends Answer {
  readonly progress: string[];
  /** The last status line, once the subscription has ended. */
  readonly finished: Promise<string>;
}

/** One call of a test phone, in either direction. */
export abstract class Call {
  readonly session: Session;
  readonly #ended = deferred<CallEnd>();
  readonly #media = deferred<PhoneMedia>();
  #notify: ((sipfrag: string, over: boolean) => void) | undefined;

  constructor(session: Session) {
    this.session = session;
    session.delegate = {
      onBye: (bye) => {
        void bye.accept();
        this.finish({ by: 'them', reason: bye.request.getHeader('Reason') ?? '', warning: '' });
      },
      onCancel: (cancel) =>
        this.finish({ by: 'them', reason: cancel.request.getHeader('Reason') ?? '', warning: '' }),
      onSessionDescriptionHandler: (handler) => this.#media.resolve(handler as PhoneMedia),
      onInfo: (info) => void info.accept(),
    };
    session.stateChange.addListener((state) => {
      if (state === SessionState.Terminated) this.#endSoon();
    });
  }

  /** How it ended, or will. */
  get ended(): Promise<CallEnd> {
    return this.#ended.promise;
  }

  /** Prompts heard so far, in order. */
  async transcript(): Promise<readonly string[]> {
    return (await this.media()).ear.transcript;
  }

  /** Resolves when the prompt has begun to play. */
  async heard(prompt: string, withinMs = PATIENCE_MS): Promise<void> {
    const media = await within(withinMs, `audio before "${prompt}"`, this.media());
    await media.ear.heard(prompt, withinMs);
  }

  media(): Promise<PhoneMedia> {
    return this.#media.promise;
  }

  /** Resolves when the other party's voice arrives here, without anybody in between. */
  async hears(other: Call, withinMs = PATIENCE_MS): Promise<void> {
    const deadline = Date.now() + withinMs;
    const theirs = (await other.media()).audio;
    const mine = (await this.media()).audio;
    if (!theirs || !mine) throw new Error('no audio on one side');
    const before = mine.voices.get(theirs.voice) ?? 0;
    while ((mine.voices.get(theirs.voice) ?? 0) < before + 3) {
      if (Date.now() > deadline) throw new Error('the other party cannot be heard');
      await sleep(20);
    }
  }

  /** Presses keys by RFC 4733. */
  async digits(keys: string, timing: KeyTiming = BY_HAND): Promise<void> {
    const { audio } = await this.media();
    await audio?.press(keys, timing);
  }

  /** Sends keys as SIP INFO, one request per key; returns the statuses. */
  async infoDigits(keys: string, how: { readonly type: string; readonly gap?: number }): Promise<number[]> {
    const statuses: number[] = [];
    for (const key of keys) {
      const content = how.type === 'application/dtmf' ? key : `Signal=${key}\r\nDuration=160\r\n`;
      const body: Core.Body = { contentDisposition: 'render', contentType: how.type, content };
      const answer = await this.#ask((requestDelegate) =>
        this.session.info({ requestDelegate, requestOptions: { body } }),
      );
      statuses.push(answer.status);
      await sleep(how.gap ?? 150);
    }
    return statuses;
  }

  hold(): Promise<Answer> {
    return this.reinvite('sendonly');
  }

  resume(): Promise<Answer> {
    return this.reinvite('sendrecv');
  }

  /** Offers a new session description with this direction. */
  reinvite(direction: Direction, extraHeaders: string[] = []): Promise<Answer> {
    return this.#ask((requestDelegate) =>
      this.session.invite({
        requestDelegate,
        requestOptions: { extraHeaders },
        sessionDescriptionHandlerOptions: { direction } as object,
      }),
    );
  }

  /** An UPDATE inside the dialog (RFC 3311), which sip.js does not know. */
  update(options: { readonly extraHeaders?: string[]; readonly sdp?: string } = {}): Promise<Answer> {
    const dialog = this.session.dialog as unknown as Core.Dialog;
    const body: Core.Body | undefined =
      options.sdp === undefined
        ? undefined
        : { contentDisposition: 'session', contentType: 'application/sdp', content: options.sdp };
    const extraHeaders = [`Contact: ${this.session._contact}`, ...(options.extraHeaders ?? [])];
    const message = dialog.createOutgoingRequestMessage('UPDATE', {
      extraHeaders,
      ...(body ? { body } : {}),
    });
    return this.#ask((delegate) => {
      this.session.userAgent.userAgentCore.request(message, delegate);
      return Promise.resolve();
    });
  }

  /** Direction the other side last offered or answered. */
  async remoteDirection(): Promise<Direction | undefined> {
    return readSdp((await this.media()).remoteSdp, [0, 8, 9, 18])?.direction;
  }

  /** Asks for a blind transfer to a number. */
  refer(user: string): Promise<Transfer> {
    return this.#refer(this.#uri(user));
  }

  /** Asks that the other party of this call replaces us in `other` (attended transfer). */
  referReplaces(other: Call): Promise<Transfer> {
    return this.#refer(other.session);
  }

  /** Ends an answered call. */
  async hangUp(): Promise<void> {
    await this.session.bye();
  }

  protected finish(end: CallEnd): void {
    this.#ended.resolve(end);
  }

  #uri(user: string): NonNullable<ReturnType<typeof UserAgent.makeURI>> {
    const host = this.session.userAgent.configuration.uri.host;
    const uri = UserAgent.makeURI(`sip:${user}@${host}`);
    if (!uri) throw new Error(`no SIP address can be made of ${user}`);
    return uri;
  }

  async #refer(target: Parameters<Session['refer']>[0]): Promise<Transfer> {
    const progress: string[] = [];
    const finished = deferred<string>();
    this.#notify = (sipfrag, over) => {
      progress.push(sipfrag);
      if (over) finished.resolve(sipfrag);
    };
    const answer = await this.#ask((requestDelegate) =>
      this.session.refer(target, {
        requestDelegate,
        onNotify: (notification) => {
          void notification.accept();
          const over = /terminated/i.test(notification.request.getHeader('Subscription-State') ?? '');
          this.#notify?.(notification.request.body.trim(), over);
        },
      }),
    );
    return { ...answer, progress, finished: finished.promise };
  }

  /** Sends a request and waits for its final answer. */
  async #ask(send: (delegate: Core.OutgoingRequestDelegate) => Promise<unknown>): Promise<Answer> {
    const answer = deferred<Answer>();
    const settle = (response: Core.IncomingResponse): void => {
      const { statusCode, data } = response.message;
      answer.resolve({ status: statusCode ?? 0, message: new SipText(data) });
    };
    await send({ onAccept: settle, onReject: settle, onRedirect: settle });
    return within(10_000, 'an answer', answer.promise);
  }

  /** BYE and CANCEL from the other side are told first; what is left was us. */
  #endSoon(): void {
    setImmediate(() => this.finish({ by: 'us', reason: '', warning: '' }));
  }
}

/** A call this phone made. */
export class OutgoingCall extends Call {
  /** Provisional responses, 100 left out. */
  readonly progress: SipText[] = [];
  /** The final response, once there is one. */
  response: SipText | undefined;
  readonly #inviter: Inviter;
  readonly #answered = deferred<void>();

  constructor(inviter: Inviter) {
    super(inviter);
    this.#inviter = inviter;
    inviter.stateChange.addListener((state) => {
      if (state === SessionState.Terminated)
        this.#answered.reject(new Error('the call ended before an answer'));
    });
  }

  /** Resolves when the call is answered and acknowledged; rejects with the status when it is refused. */
  get answered(): Promise<void> {
    return this.#answered.promise;
  }

  /** Sends the INVITE. */
  async start(options: { readonly withoutSdp?: boolean } = {}): Promise<void> {
    await this.#inviter.invite({
      ...options,
      requestDelegate: {
        onProgress: (response) => void this.progress.push(new SipText(response.message.data)),
        onAccept: (response) => {
          this.response = new SipText(response.message.data);
          this.#answered.resolve();
        },
        onReject: (response) => this.#refused(new SipText(response.message.data)),
      },
    });
  }

  /** Gives up before the answer. */
  async cancel(): Promise<void> {
    await this.#inviter.cancel();
  }

  #refused(response: SipText): void {
    this.response = response;
    this.#answered.reject(new Error(`refused: ${response.startLine}`));
    this.finish({
      by: 'them',
      status: response.status ?? 0,
      reason: response.header('Reason'),
      warning: response.header('Warning'),
    });
  }
}

/** A call that rings at this phone. */
export class IncomingCall extends Call {
  /** The INVITE as it arrived. */
  readonly invite: SipText;
  readonly #invitation: Invitation;

  constructor(invitation: Invitation) {
    super(invitation);
    this.#invitation = invitation;
    this.invite = new SipText(invitation.request.data);
  }

  ring(): Promise<void> {
    return this.#invitation.progress({ statusCode: 180 });
  }

  /** 183 with a session description: the caller hears us before we answer. */
  earlyMedia(options: { readonly reliable?: boolean } = {}): Promise<void> {
    return this.#invitation.progress({ statusCode: 183, rel100: options.reliable ?? false });
  }

  accept(): Promise<void> {
    return this.#invitation.accept();
  }

  reject(statusCode: number, extraHeaders: string[] = []): Promise<void> {
    return this.#invitation.reject({ statusCode, extraHeaders });
  }
}
