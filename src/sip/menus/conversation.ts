import {
  isRefusal,
  type MediaPort,
  type MediaRefusal,
  type MediaSession,
  type PlayItem,
  type Recording,
  type RecordOptions,
} from '../../media/media.ts';
import { sdpOf } from '../body.ts';
import type { InboundInvite } from '../calls/inbound.ts';
import type { Clock, Timer } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import { soon } from '../soon.ts';
import type { Dialog, Request, Response } from '../srf.ts';
import { DigitQueue, type EmergencyDigits, type PressedKey } from './digit-queue.ts';

/** ms to wait for media; a worker that hangs must not leave a caller without any answer. */
const MEDIA_PATIENCE = 4_000;
/** ms a conversation may last; nobody needs longer to log in. */
const MAX_DURATION = 180_000;

export interface Field {
  readonly prompt: readonly PlayItem[];
  readonly maxDigits: number;
  /** Ends the field early, before the terminator: true once the digits so far say enough. */
  enough?(digits: string): boolean;
  /** `*` typed into the empty field is the answer, instead of starting it again. */
  readonly starEnds?: boolean;
}

/** A question that one key answers. */
export interface Choice {
  readonly prompt: readonly PlayItem[];
  readonly emergency: EmergencyDigits;
}

/** An answered call with us at the other end: prompts out, digits in. */
export class Conversation {
  readonly dialog: Dialog;
  readonly media: MediaSession;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  readonly #digits: DigitQueue;
  #deadline: Timer | undefined;
  #detached = false;
  /** What a key stops besides being kept. */
  #onKey: (() => void) | undefined;

  private constructor(dialog: Dialog, media: MediaSession, clock: Clock) {
    this.dialog = dialog;
    this.media = media;
    this.#clock = clock;
    this.#digits = new DigitQueue(clock);
  }

  /** Answers a call at once; undefined when the caller has gone, or when it has been refused for want of media. */
  static async answer(
    media: MediaPort,
    clock: Clock,
    invite: InboundInvite,
  ): Promise<Conversation | undefined> {
    const session = await openMedia(media, clock, invite);
    if (isRefusal(session)) {
      if (!invite.signal.aborted) invite.response.send(session.refused === 'noPorts' ? 503 : 488);
      return undefined;
    }
    const dialog = await invite.answer(session.localSdp);
    if (!dialog) {
      await session.close();
      return undefined;
    }
    const isOurOffer = sdpOf(invite.request) === '';
    return new Conversation(dialog, session, clock).#listen(invite.signal, isOurOffer);
  }

  /** A call of ours that somebody has answered; the signal ends it. */
  static over(
    dialog: Dialog,
    media: MediaSession,
    { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  ): Conversation {
    return new Conversation(dialog, media, clock).#listen(signal, false);
  }

  /** Aborted when the caller hangs up, the time is over or the media die. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Whether keys were pressed that nobody has asked for yet. */
  get hasDigits(): boolean {
    return !this.#digits.isEmpty;
  }

  /** Plays to the end; digits pressed meanwhile are kept for the next question. */
  async say(clips: readonly PlayItem[]): Promise<void> {
    if (!this.signal.aborted) await this.media.play(clips);
  }

  /** Plays until a key is pressed, which is kept for the next question. What was typed before does not stop it. */
  tell(clips: readonly PlayItem[]): Promise<unknown> {
    return this.#untilKey(
      () => this.say(clips),
      () => this.media.stop(),
    );
  }

  /** Records until a key is pressed, which is kept for the next question; undefined: nothing was said. */
  async record(options: RecordOptions): Promise<Recording | undefined> {
    if (this.signal.aborted) return undefined;
    const recording = await this.#untilKey(
      () => this.media.record(options),
      () => this.media.stopRecording(),
    );
    return this.signal.aborted ? undefined : recording;
  }

  /** Asks for one key, `*` and `#` included, which stops the prompt. Undefined after silence, or when the call is over. */
  async key({ prompt, emergency }: Choice): Promise<PressedKey> {
    if (this.signal.aborted) return undefined;
    const after = this.hasDigits ? Promise.resolve() : this.media.play(prompt);
    const onFirst = (): void => this.media.stop();
    return this.#digits.key({ emergency, after, onFirst, signal: this.signal });
  }

  /**
   * Asks and collects until `#`, the maximum, `enough`, or silence. `*` starts the field again. The first digit stops
   * the prompt. Digits are secret: they are returned and kept nowhere.
   */
  async ask(field: Field): Promise<string> {
    if (this.signal.aborted) return '';
    if (this.#digits.isEmpty) this.media.play(field.prompt).catch(() => undefined);
    return this.#digits.collect({ ...field, signal: this.signal, onFirst: () => this.media.stop() });
  }

  /** This many ms from now on, instead of what is left. */
  allow(ms: number): void {
    if (this.signal.aborted || this.#detached) return;
    this.#deadline?.cancel();
    this.#deadline = this.#clock.setTimer(ms, () => this.hangUp(reasonHeader(408, 'Time is up')));
  }

  /** Leaves the dialog to somebody else, who listens to it from now on. We can speak until `media.close()`. */
  detach(): void {
    this.#detached = true;
    this.dialog.removeAllListeners();
    this.#deadline?.cancel();
  }

  /** Ends the call with a Reason the phone may show; not after `detach`: the call is somebody else's then. */
  hangUp(reason: string): void {
    if (this.signal.aborted || this.#detached) return;
    this.#ended.abort();
    this.dialog.destroy({ headers: { Reason: reason } }, () => undefined);
  }

  /** The signal's reason is a Reason header value. */
  #listen(signal: AbortSignal, isOurOffer: boolean): this {
    this.allow(MAX_DURATION);
    this.signal.addEventListener('abort', () => this.#callOver(), { once: true });
    this.media.onDigit = ({ digit, source }) => {
      this.#digits.push(digit, source);
      this.#onKey?.();
    };
    this.media.onClosed = (why = 'Media lost') => this.hangUp(reasonHeader(503, why));
    this.media.onSilent = () => this.hangUp(reasonHeader(408, 'No audio from the phone'));
    signal.addEventListener('abort', () => this.hangUp(String(signal.reason)), { once: true });
    if (isOurOffer) this.#expectAnswer();
    this.dialog
      .on('destroy', () => this.#ended.abort())
      .on('info', (request, response) => this.#info(request, response))
      .on('modify', (request, response) => void this.#renegotiate(request, response))
      .on('update', (request, response) => void this.#renegotiate(request, response))
      .on('refer', (_request, response) => response.send(603));
    // A BYE may have come before anybody listened.
    if (!this.dialog.connected) this.#ended.abort();
    if (signal.aborted) this.hangUp(String(signal.reason));
    return this;
  }

  async #untilKey<T>(work: () => Promise<T>, stop: () => void): Promise<T> {
    this.#onKey = stop;
    try {
      return await work();
    } finally {
      this.#onKey = undefined;
    }
  }

  #callOver(): void {
    this.#deadline?.cancel();
    this.media.close().catch(() => undefined);
  }

  #info(request: Request, response: Response): void {
    // A phone that signals lives, whether it sends audio or not.
    this.media.onSilent = undefined;
    // Without a body it asks whether we are alive (RFC 2976 2.2).
    const fine = !request.body || this.media.info(request.get('Content-Type'), request.body);
    response.send(fine ? 200 : 415);
  }

  /** The ACK answers an offer of ours. */
  #expectAnswer(): void {
    this.dialog.once('ack', (ack) => void (ack.body && this.media.renegotiate(ack.body)));
  }

  async #renegotiate(request: Request, response: Response): Promise<void> {
    if (!request.body && request.method === 'UPDATE') return response.send(200);
    const sdp = request.body ? await this.media.renegotiate(request.body) : await this.media.reoffer();
    if (sdp === undefined) return response.send(488);
    if (!request.body) this.#expectAnswer();
    response.send(200, { body: sdp, headers: { 'Content-Type': 'application/sdp' } });
  }
}

/** Media for an INVITE: our answer to its offer, or an offer of ours. */
export async function openMedia(
  media: MediaPort,
  clock: Clock,
  { request }: InboundInvite,
): Promise<MediaSession | MediaRefusal> {
  const offer = sdpOf(request);
  let isLate = false;
  const opened = await soon(clock, MEDIA_PATIENCE, async () => {
    const session = await media.open({
      callId: request.get('Call-ID') ?? '',
      peer: request.source_address,
      ...(offer === '' ? {} : { offer }),
    });
    if (isLate && !isRefusal(session)) await session.close();
    return session;
  });
  isLate = true;
  return opened ?? { refused: 'noPorts' };
}
