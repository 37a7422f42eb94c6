import type { SessionDescriptionHandler } from 'sip.js';
import { PhoneAudio } from './phone-audio.ts';
import { answerTo, type Direction, type ReadSdp, readSdp, type SdpAbilities, writeSdp } from './phone-sdp.ts';
import { PromptEar } from './prompt-ear.ts';

/** sip.js hands these through to us on re-INVITEs. */
export interface PhoneMediaOptions {
  /** Direction of our next offer: `sendonly` is hold. */
  readonly direction?: Direction;
}

/** Offer and answer of a test phone for sip.js, over our own RTP. */
export class PhoneMedia implements SessionDescriptionHandler {
  readonly ear = new PromptEar();
  audio: PhoneAudio | undefined;
  /** The latest description of the other side. */
  remoteSdp = '';
  readonly #abilities: SdpAbilities;
  /** Their offer, not answered yet. */
  #offer: ReadSdp | undefined;
  #offered = false;
  #version = 1553686678;
  #closed = false;

  constructor(abilities: SdpAbilities) {
    this.#abilities = abilities;
  }

  hasDescription(contentType: string): boolean {
    return contentType.startsWith('application/sdp');
  }

  async getDescription(options?: object): Promise<{ body: string; contentType: string }> {
    const direction = (options as PhoneMediaOptions | undefined)?.direction ?? 'sendrecv';
    const audio = await this.#openAudio();
    const body = this.#offer ? this.#answer(audio, this.#offer) : this.#newOffer(audio, direction);
    return { body, contentType: 'application/sdp' };
  }

  async setDescription(sdp: string): Promise<void> {
    const read = readSdp(sdp, this.#abilities.codecs);
    if (!read) throw new Error('the session description has nothing this phone can play');
    this.remoteSdp = sdp;
    this.#offer = this.#offered ? undefined : read;
    this.#offered = false;
    const audio = await this.#openAudio();
    audio.use(read, read.direction === 'sendrecv' || read.direction === 'recvonly');
  }

  /** Our offer was refused: what was agreed before stays. */
  rollbackDescription(): Promise<void> {
    this.#offered = false;
    return Promise.resolve();
  }

  sendDtmf(): boolean {
    return false;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.audio?.close();
  }

  #newOffer(audio: PhoneAudio, direction: Direction): string {
    const { codecs, eventType } = this.#abilities;
    this.#offered = true;
    return writeSdp({ version: this.#version++, port: audio.port, direction, types: codecs, eventType });
  }

  #answer(audio: PhoneAudio, offer: ReadSdp): string {
    this.#offer = undefined;
    const { payloadType, eventType } = offer;
    const direction = answerTo(offer.direction);
    return writeSdp({
      version: this.#version++,
      port: audio.port,
      direction,
      types: [payloadType],
      eventType,
    });
  }

  async #openAudio(): Promise<PhoneAudio> {
    if (this.#closed) throw new Error('the call is over');
    this.audio ??= await PhoneAudio.open(this.ear);
    return this.audio;
  }
}
