import { computed, effect, signal } from '@preact/signals';
import type { Session } from 'sip.js';
import type { Call } from './call.ts';
import { Line } from './line.ts';
import { askForMicrophone, openVoice } from './microphone.ts';
import { takeSeat } from './seats.ts';
import { texts } from './texts.ts';
import { Tones } from './tones.ts';

/** The phone: what its keys do, and what its screen and lamps show. */

export interface PhoneIdentity {
  readonly id: string;
  readonly password: string;
  /** On the line key while nobody is there. */
  readonly nickname: string;
  readonly model: string;
  readonly kind: 'commonArea' | 'user';
  /** Whose own phone it is. */
  readonly ownerName: string | undefined;
}

export interface Network {
  readonly url: string;
  readonly domain: string;
  readonly featureAccessCodes: { readonly logIn: string; readonly logOut: string };
  readonly nameOf: (extension: string) => string | undefined;
}

const NOTICE_MS = 6_000;
const MOST_CALLS = 2;
/** ms after the last digit until a phone off the hook dials. */
const DIAL_AFTER_MS = 4_000;
const VOLUME_KEY = 'hotdesk.phone.volume';
export const LOUDEST = 10;
const MOST_DIGITS = 32;

export class Phone {
  readonly identity: PhoneIdentity;
  readonly network: Network;
  readonly line: Line;
  readonly tones = new Tones();
  readonly calls = signal<readonly Call[]>([]);
  /** The one the keys are about; of several, the newest that is not on hold. */
  readonly chosen = signal<Call | undefined>(undefined);
  readonly dialled = signal('');
  /** Off the hook without a call: dial tone. */
  readonly offHook = signal(false);
  readonly handset = signal(false);
  readonly muted = signal(false);
  readonly notice = signal('');
  readonly lastNumber = signal('');
  /** The call that is to be sent elsewhere. */
  readonly transferring = signal<Call | undefined>(undefined);
  readonly volume = signal(keptVolume());
  /** What has happened here, for the tour. */
  readonly hasTalked = signal(false);
  readonly hasBeenUsed = signal(false);
  readonly guestName = computed(() => {
    const guest = this.line.guest.value;
    return guest && (this.network.nameOf(guest.extension) ?? guest.extension);
  });
  readonly ringing = computed(() => this.calls.value.find((call) => call.isRinging.value));
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;
  #dialTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #stops: (() => void)[] = [];

  constructor(identity: PhoneIdentity, network: Network) {
    this.identity = identity;
    this.network = network;
    this.line = new Line({
      ...{ url: network.url, domain: network.domain, user: identity.id, password: identity.password },
      instance: instanceOf(identity.id),
      voice: (session) => this.#voice(session),
      onCall: (call) => this.#called(call),
      onNotice: (text) => this.say(text),
    });
  }

  /** From a press: browsers make no sound before one. */
  start(): void {
    this.tones.unlock();
    askForMicrophone().catch(() => undefined);
    this.#stops.push(
      takeSeat(this.identity.id, () => this.line.state.value === 'registered'),
      effect(() => this.tones.play(this.#tone())),
      effect(() => {
        this.tones.volume = this.volume.value / LOUDEST;
      }),
      effect(() => {
        if (this.line.guest.value) this.hasBeenUsed.value = true;
      }),
    );
    this.line.start();
  }

  async stop(): Promise<void> {
    for (const call of this.calls.value) await call.end().catch(() => undefined);
    for (const stop of this.#stops.splice(0)) stop();
    this.tones.play('none');
    clearTimeout(this.#dialTimer);
    clearTimeout(this.#noticeTimer);
    await this.line.stop();
  }

  say(text: string): void {
    clearTimeout(this.#noticeTimer);
    this.notice.value = text;
    this.#noticeTimer = setTimeout(() => {
      this.notice.value = '';
    }, NOTICE_MS);
  }

  // --- keys

  press(key: string): void {
    this.tones.unlock();
    this.tones.key(key);
    const call = this.chosen.value;
    if (call && !call.isRinging.value && !this.isDialling()) return call.press(key);
    if (this.dialled.value.length >= MOST_DIGITS) return;
    this.dialled.value += key;
    this.#dialSoon();
  }

  /** Whether keys make a number: nothing is up, or a call is to be sent somewhere. */
  isDialling(): boolean {
    return this.transferring.value !== undefined && this.chosen.value === this.transferring.value;
  }

  delete(): void {
    this.dialled.value = this.dialled.value.slice(0, -1);
    this.#dialSoon();
  }

  clear(): void {
    clearTimeout(this.#dialTimer);
    this.dialled.value = '';
    this.offHook.value = false;
    if (this.transferring.value) this.resume(this.transferring.value);
  }

  /** Dials what was typed, or the last number again. */
  dial(number = this.dialled.value || this.lastNumber.value): void {
    clearTimeout(this.#dialTimer);
    this.tones.unlock();
    if (number === '') return;
    if (this.calls.value.length >= MOST_CALLS) return this.say(texts.screen.tooMany);
    if (!this.line.isConnected) return this.say(texts.screen.noConnection);
    this.dialled.value = '';
    this.offHook.value = false;
    if (number !== this.codes.logIn && number !== this.codes.logOut) this.lastNumber.value = number;
    this.line.dial(number);
  }

  get codes(): Network['featureAccessCodes'] {
    return this.network.featureAccessCodes;
  }

  answer(call = this.ringing.value): void {
    if (!call) return;
    this.offHook.value = false;
    this.dialled.value = '';
    const others = this.calls.value.filter((other) => other !== call && other.state.value === 'talking');
    // A call that cannot be held is no reason to miss another.
    Promise.allSettled(others.map((other) => other.hold(true)))
      .then(() => call.answer())
      .then(() => this.#choose(call))
      .catch(() => this.say(texts.screen.ending));
  }

  end(call = this.chosen.value): void {
    call?.end().catch(() => this.#forget(call));
  }

  hold(call: Call): void {
    call.hold(!call.held.value).catch(() => this.say(texts.screen.ending));
  }

  resume(call: Call): void {
    this.transferring.value = undefined;
    this.dialled.value = '';
    const others = this.calls.value.filter(
      (other) => other !== call && other.state.value === 'talking' && !other.held.value,
    );
    Promise.all(others.map((other) => other.hold(true)))
      .then(() => call.hold(false))
      .then(() => this.#choose(call))
      .catch(() => this.say(texts.screen.ending));
  }

  /** The first press asks where to; with a second call up, the next one joins them. */
  transfer(call: Call): void {
    const first = this.transferring.value;
    if (first && first !== call) return this.#complete(first, call.session);
    this.transferring.value = call;
    this.dialled.value = '';
    call.hold(true).catch(() => {
      this.transferring.value = undefined;
      this.say(texts.screen.notTransferred);
    });
  }

  transferNow(): void {
    const call = this.transferring.value;
    const number = this.dialled.value;
    if (!call || number === '') return;
    this.dialled.value = '';
    this.#complete(call, this.line.uri(number));
  }

  #complete(call: Call, to: Parameters<Call['transfer']>[0]): void {
    this.transferring.value = undefined;
    call
      .transfer(to)
      .then((isDone) => {
        this.say(isDone ? texts.screen.transferred : texts.screen.notTransferred);
        if (!isDone) this.#choose(call);
        else if (call.state.value !== 'over') this.end(call);
      })
      .catch(() => undefined);
  }

  /** Handset up or down, or the speaker key: answers, gives a dial tone, hangs up, or changes from one to the other. */
  hook(handset: boolean): void {
    this.tones.unlock();
    const isUp = this.offHook.value || this.chosen.value?.state.value === 'talking';
    if (this.ringing.value) {
      this.handset.value = handset;
      this.answer();
    } else if (isUp && this.handset.value !== handset) this.handset.value = handset;
    else if (this.chosen.value) this.end();
    else if (this.offHook.value) this.clear();
    else {
      this.handset.value = handset;
      this.offHook.value = true;
      this.#dialSoon();
    }
  }

  mute(): void {
    this.muted.value = !this.muted.value;
    for (const call of this.calls.value) call.mute(this.muted.value);
  }

  setVolume(volume: number): void {
    this.tones.unlock();
    this.volume.value = Math.max(0, Math.min(LOUDEST, volume));
    window.localStorage.setItem(VOLUME_KEY, String(this.volume.value));
  }

  messages(): void {
    const { account } = this.line.messages.value;
    if (account !== undefined) this.dial(account);
  }

  // --- calls

  #called(call: Call): void {
    if (call.direction === 'in' && this.calls.value.length >= MOST_CALLS && !call.isUrgent) {
      call.refuse().catch(() => undefined);
      return;
    }
    this.calls.value = [...this.calls.value, call];
    if (call.direction === 'out' || !this.chosen.value) this.chosen.value = call;
    const stop = effect(() => {
      const state = call.state.value;
      if (state === 'talking') {
        call.mute(this.muted.value);
        this.#talking(call);
      }
      if (state === 'over') this.#forget(call);
    });
    // An effect cannot end itself while it runs for the first time.
    call.session.stateChange.addListener(() => call.state.peek() === 'over' && stop());
  }

  #talking(call: Call): void {
    const { logIn, logOut } = this.codes;
    if (call.number !== logIn && call.number !== logOut) this.hasTalked.value = true;
  }

  #choose(call: Call): void {
    this.chosen.value = call;
  }

  #forget(call: Call): void {
    if (!this.calls.peek().includes(call)) return;
    this.calls.value = this.calls.peek().filter((other) => other !== call);
    if (this.transferring.peek() === call) this.transferring.value = undefined;
    if (this.chosen.peek() === call) this.chosen.value = this.calls.peek().at(-1);
    if (this.calls.peek().length === 0) this.handset.value = false;
    const isMissed = call.direction === 'in' && call.since.peek() === undefined && !call.endedHere;
    if (isMissed) this.say(texts.screen.missed(this.nameFor(call)));
    else if (call.why !== undefined && call.why !== '') this.say(call.why);
  }

  /** Whom a call is with. */
  nameFor({ name, number }: Pick<Call, 'name' | 'number'>): string {
    return name || this.network.nameOf(number) || number || texts.screen.unknown;
  }

  #tone(): Parameters<Tones['play']>[0] {
    const call = this.chosen.value;
    if (this.ringing.value) return call && call !== this.ringing.value ? 'none' : 'ring';
    if (call?.direction === 'out' && call.state.value === 'ringing' && !call.early.value) return 'ringback';
    return this.offHook.value && this.dialled.value === '' ? 'dial' : 'none';
  }

  #dialSoon(): void {
    clearTimeout(this.#dialTimer);
    if (!this.offHook.value || this.dialled.value === '') return;
    this.#dialTimer = setTimeout(() => this.dial(), DIAL_AFTER_MS);
  }

  async #voice(session: Session): Promise<MediaStream> {
    const { stream, later } = await openVoice(() => this.tones.silence());
    later?.then((track) => track && replaceTrack(session, track)).catch(() => undefined);
    return stream;
  }
}

/** The voice, once somebody has allowed it. */
async function replaceTrack(session: Session, track: MediaStreamTrack): Promise<void> {
  const { peerConnection } = (session.sessionDescriptionHandler ?? {}) as {
    peerConnection?: RTCPeerConnection;
  };
  const sender = peerConnection?.getSenders().find((one) => one.track?.kind === 'audio');
  if (sender) await sender.replaceTrack(track);
  else track.stop();
}

function keptVolume(): number {
  const kept = Number(window.localStorage.getItem(VOLUME_KEY) ?? '6');
  return Number.isInteger(kept) && kept >= 0 && kept <= LOUDEST ? kept : 6;
}

/** The same in every tab of this browser: a phone that is opened again takes the place of the one before. */
function instanceOf(id: string): string {
  const key = `hotdesk.phone.${id}`;
  const kept = window.localStorage.getItem(key);
  if (kept !== null) return kept;
  const made = uuid();
  window.localStorage.setItem(key, made);
  return made;
}

/** `crypto.randomUUID` is for pages with TLS only. */
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
