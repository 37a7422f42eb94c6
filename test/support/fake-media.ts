import type {
  Digit,
  DigitSource,
  MediaPort,
  MediaRefusal,
  MediaRelay,
  MediaSession,
  MediaStats,
  OpenOptions,
  PlayItem,
  Recording,
  RecordOptions,
  RelayEnd,
} from '../../src/media/media.ts';

/** Media without sound: notes what is played and lets the test press keys. */
export class FakeMedia implements MediaPort {
  readonly sessions: FakeSession[] = [];
  readonly opened: OpenOptions[] = [];
  refuse: MediaRefusal['refused'] | undefined;
  /** Prompts go on until they are stopped. */
  endless = false;

  get session(): FakeSession {
    const session = this.sessions.at(-1);
    if (!session) throw new Error('no media session was opened');
    return session;
  }

  available = true;

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  async open(options: OpenOptions): Promise<MediaSession | MediaRefusal> {
    this.opened.push(options);
    if (this.refuse) return { refused: this.refuse };
    const session = new FakeSession(this.endless);
    this.sessions.push(session);
    return session;
  }

  /** Each relay that was asked for and given. */
  readonly relays: FakeRelay[] = [];
  relaysOf: 'browsers' | 'nobody' | 'never' | 'throws' = 'nobody';

  relay(): Promise<MediaRelay | MediaRefusal> {
    if (this.relaysOf === 'throws') throw new Error('media are broken');
    if (this.relaysOf === 'never') return new Promise(() => undefined);
    if (this.relaysOf === 'nobody') return Promise.resolve({ refused: 'noPorts' });
    const relay = new FakeRelay();
    this.relays.push(relay);
    return Promise.resolve(relay);
  }

  stats(): MediaStats {
    throw new Error('not used');
  }
}

/** Writes on each description for whom it is. */
export class FakeRelay implements MediaRelay {
  readonly plainOffer = 'v=0\r\nplain offer';
  onLost: ((why: string) => void) | undefined;
  /** Nobody can be waited for who has been told nothing. */
  watched = false;
  closed = false;
  died = false;
  /** What there is to offer otherwise. */
  otherOffer: string | undefined;
  #passed = 0;

  /** The worker dies. */
  die(): void {
    this.died = true;
    this.onLost?.('Media lost');
  }

  async otherwise(): Promise<string | undefined> {
    return this.otherOffer;
  }

  async pass(kind: 'offer' | 'answer', to: RelayEnd, sdp: string): Promise<string | undefined> {
    if (this.died) return undefined;
    this.#passed++;
    return `${sdp}s=${kind} for ${to}\r\n`;
  }

  /** Whose audio is believed besides. */
  readonly trusted: string[] = [];

  trust(peer: string): void {
    this.trusted.push(peer);
  }

  watch(): void {
    this.watched = this.#passed > 0;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

export class FakeSession implements MediaSession {
  localSdp = 'v=0\r\no=hotdesk\r\n';
  /** Each `play`, in order. */
  readonly played: (readonly PlayItem[])[] = [];
  /** Each `record`, in order. */
  readonly recorded: RecordOptions[] = [];
  /** What a recording has when `stopRecording` or `close` ends it. */
  said: Recording | undefined;
  readonly renegotiated: string[] = [];
  stops = 0;
  closed = false;
  onSilent: (() => void) | undefined;
  onClosed: (() => void) | undefined;
  acceptable = true;
  readonly #endless: boolean;
  readonly #queue: Digit[] = [];
  #onDigit: ((digit: Digit) => void) | undefined;
  #finish: ((how: 'done' | 'stopped') => void) | undefined;
  #finishRecording: ((recording: Recording | undefined) => void) | undefined;

  constructor(endless: boolean) {
    this.#endless = endless;
  }

  get onDigit(): ((digit: Digit) => void) | undefined {
    return this.#onDigit;
  }

  set onDigit(handler: ((digit: Digit) => void) | undefined) {
    this.#onDigit = handler;
    while (handler && this.#queue.length > 0) handler(this.#queue.shift()!);
  }

  /** All prompts so far, in order; a recording is told as `(recording)`, and `played` has it. */
  get heard(): string[] {
    return this.played.flat().map((item) => (typeof item === 'string' ? item : '(recording)'));
  }

  get isRecording(): boolean {
    return this.#finishRecording !== undefined;
  }

  press(digits: string, source: DigitSource = 'rtp'): void {
    for (const digit of digits) {
      if (this.#onDigit) this.#onDigit({ digit, source });
      else this.#queue.push({ digit, source });
    }
  }

  play(clips: readonly PlayItem[]): Promise<'done' | 'stopped'> {
    this.#end('stopped');
    if (this.closed) return Promise.resolve('stopped');
    this.played.push([...clips]);
    if (!this.#endless) return Promise.resolve('done');
    return new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  stop(): void {
    this.stops++;
    this.#end('stopped');
  }

  record(options: RecordOptions): Promise<Recording | undefined> {
    this.endRecording(undefined);
    if (this.closed) return Promise.resolve(undefined);
    this.recorded.push(options);
    return new Promise((resolve) => {
      this.#finishRecording = resolve;
    });
  }

  stopRecording(): void {
    this.endRecording(this.said);
  }

  /** The recording ends by itself (silence, or its time is up) with this. */
  endRecording(recording: Recording | undefined): void {
    const finish = this.#finishRecording;
    this.#finishRecording = undefined;
    finish?.(recording);
  }

  /** The prompt comes to its end. */
  finishPrompt(): void {
    this.#end('done');
  }

  async renegotiate(sdp: string): Promise<string | undefined> {
    this.renegotiated.push(sdp);
    return this.acceptable ? this.localSdp : undefined;
  }

  async reoffer(): Promise<string> {
    return this.localSdp;
  }

  info(contentType: string | undefined, body: string): boolean {
    const digit = /^Signal=(.)/.exec(body)?.[1];
    if (contentType !== 'application/dtmf-relay' || digit === undefined) return false;
    this.press(digit, 'info');
    return true;
  }

  /** The worker dies. */
  die(): void {
    this.closed = true;
    this.#end('stopped');
    this.endRecording(undefined);
    this.onClosed?.();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#end('stopped');
    this.stopRecording();
  }

  #end(how: 'done' | 'stopped'): void {
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.(how);
  }
}
