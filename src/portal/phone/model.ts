import { computed, effect, signal } from '@preact/signals';
import type { Session } from 'sip.js';
import type { Network, PhoneIdentity } from './about.ts';
import type { Call } from './call.ts';
import { instanceOf, keepVolume, keptVolume, LOUDEST } from './kept.ts';
import { Line } from './line.ts';
import { askForMicrophone, openVoice, replaceTrack } from './microphone.ts';
import { takeSeat } from './seats.ts';
import { isService } from './soft-keys.ts';
import { texts } from './texts.ts';
import { Tones } from './tones.ts';

/** The phone: what its keys do, and what its screen and lamps show. */

const NOTICE_MS = 6_000;
const MOST_CALLS = 2;
/** ms after the last digit until a phone off the hook dials. */
const DIAL_AFTER_MS = 4_000;
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
  /** Off the hook for a call that is still to be made: dial tone. */
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
  /** An emergency call that is up, or on its way. */
  readonly emergency = computed(() => this.calls.value.find((call) => call.emergency));
  readonly #isTaken = signal(false);
  #leaveSeat: () => void = () => undefined;
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
    this.#sit();
    this.#stops.push(
      () => this.#leaveSeat(),
      effect(() => {
        if (this.#isTaken.value && this.calls.value.length === 0) this.line.leave();
      }),
      effect(() => this.tones.play(this.#tone())),
      effect(() => {
        this.tones.volume = this.volume.value / LOUDEST;
      }),
      effect(() => {
        if (this.line.guest.value) this.hasBeenUsed.value = true;
      }),
    );
    window.addEventListener('beforeunload', this.#stay);
    window.addEventListener('pagehide', this.#leave);
    this.line.start();
  }

  /** Calls that are up in this tab stay here until they are over. */
  #sit(): void {
    const onTaken = (): void => {
      this.#isTaken.value = true;
    };
    this.#leaveSeat();
    this.#leaveSeat = takeSeat(this.identity.id, () => this.line.state.value === 'registered', onTaken);
  }

  /** Takes the phone back from the other tab. */
  useHere(): void {
    this.#isTaken.value = false;
    this.#sit();
    this.line.comeBack();
  }

  /** Whoever is in a call is asked before the page goes. */
  readonly #stay = (event: Event): void => {
    if (this.calls.peek().length > 0) event.preventDefault();
  };

  /** What is said last, so that nobody on the other side waits for a page that is gone. */
  readonly #leave = (): void => {
    for (const call of this.calls.peek()) this.end(call);
  };

  async stop(): Promise<void> {
    for (const call of this.calls.value) await call.end().catch(() => undefined);
    for (const stop of this.#stops.splice(0)) stop();
    window.removeEventListener('beforeunload', this.#stay);
    window.removeEventListener('pagehide', this.#leave);
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
    if (call && !this.isDialling()) return call.press(key);
    if (this.dialled.value.length >= MOST_DIGITS) return;
    this.dialled.value += key;
    this.#dialSoon();
  }

  /** Whether keys make a number: nothing is up that would take them. */
  isDialling(): boolean {
    const call = this.chosen.value;
    if (!call || this.offHook.value) return true;
    return call.isRinging.value || call.held.value || call === this.transferring.value;
  }

  /** Whether a number is being made. */
  get isTyping(): boolean {
    return this.isDialling() && (this.dialled.value !== '' || this.offHook.value);
  }

  /** Makes room for another call: those that are up wait. */
  newCall(): void {
    this.#makeRoom();
    this.offHook.value = true;
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
    if (this.network.isEmergency(number)) return this.#callForHelp(number);
    if (this.emergency.value || this.calls.value.length >= MOST_CALLS) return this.say(texts.screen.tooMany);
    if (!this.line.isConnected) return this.say(texts.screen.noConnection);
    this.#makeRoom();
    this.dialled.value = '';
    this.offHook.value = false;
    if (number !== this.codes.logIn && number !== this.codes.logOut) this.lastNumber.value = number;
    this.line.dial(number);
  }

  /** Nothing stands in the way of it: no limit, no other call, no connection that broke. */
  #callForHelp(number: string): void {
    this.dialled.value = '';
    this.offHook.value = false;
    this.transferring.value = undefined;
    const calls = this.calls.value;
    this.line.dial(number, { urgent: true });
    this.#makeRoom(calls);
    for (const call of calls)
      if (call.isRinging.value && !call.isUrgent) call.refuse().catch(() => this.#forget(call));
  }

  /** Calls that are up are put on hold, talks with the server end, and who has not answered need not. */
  #makeRoom(calls: readonly Call[] = this.calls.value): void {
    for (const call of calls) {
      if (call.isRinging.value || call.held.value) continue;
      if (call.state.value === 'talking' && !isService(this, call)) call.hold(true).catch(() => undefined);
      else this.end(call);
    }
  }

  get codes(): Network['featureAccessCodes'] {
    return this.network.featureAccessCodes;
  }

  answer(call = this.ringing.value): void {
    if (!call) return;
    this.offHook.value = false;
    this.dialled.value = '';
    this.#makeRoom(this.calls.value.filter((other) => other !== call));
    call
      .answer()
      .then(() => this.#choose(call))
      .catch(() => this.say(texts.screen.ending));
  }

  end(call = this.chosen.value): void {
    call?.end().catch(() => this.#forget(call));
  }

  hold(call: Call): void {
    call.hold(true).catch(() => {
      call.unpark();
      this.say(texts.screen.notHeld);
    });
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
      .catch(() => this.say(texts.screen.notHeld));
  }

  /** The first press asks where to; with a second call up, the next one joins them. */
  transfer(call: Call): void {
    const first = this.transferring.value;
    if (first && first !== call) return this.#complete(first, call.session);
    this.transferring.value = call;
    this.dialled.value = '';
    call.hold(true).catch(() => {
      call.unpark();
      this.transferring.value = undefined;
      this.say(texts.screen.notTransferred);
    });
  }

  transferNow(): void {
    const call = this.transferring.value;
    const number = this.dialled.value;
    if (!call || number === '') return;
    if (this.network.isEmergency(number)) return this.#callForHelp(number);
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
    else if (this.offHook.value) this.clear();
    else if (this.chosen.value) this.end();
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
    keepVolume(this.volume.value);
  }

  messages(): void {
    const { account } = this.line.messages.value;
    if (account !== undefined) this.dial(account);
  }

  // --- calls

  #called(call: Call): void {
    const isFull = this.emergency.value !== undefined || this.calls.value.length >= MOST_CALLS;
    if (call.direction === 'in' && isFull && !call.isUrgent) {
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
    if (this.ringing.value) return call && call !== this.ringing.value ? 'waiting' : 'ring';
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
