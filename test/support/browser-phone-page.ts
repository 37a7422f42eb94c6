import { type Invitation, Inviter, Registerer, type Session, URI, UserAgent, Web } from 'sip.js';

/** What `browser-phone.ts` puts into its page. Node's types know no browser: what is used of one is named here. */

// biome-ignore lint/suspicious/noExplicitAny: there are no DOM types in this project
const browser = globalThis as any;

interface Options {
  readonly server: string;
  readonly domain: string;
  readonly user: string;
  readonly password: string;
  readonly microphone: boolean;
  readonly hz: number;
}

class PagePhone {
  state = '';
  ringing = false;
  #agent: UserAgent | undefined;
  #options: Options | undefined;
  #session: Session | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: see above
  #meter: any;
  readonly #audio = new browser.AudioContext();

  async open(options: Options): Promise<void> {
    this.#options = options;
    this.#agent = new UserAgent({
      uri: new URI('sip', options.user, options.domain),
      authorizationUsername: options.user,
      authorizationPassword: options.password,
      transportOptions: { server: options.server },
      logBuiltinEnabled: false,
      sessionDescriptionHandlerFactory: Web.defaultSessionDescriptionHandlerFactory(() => this.#microphone()),
      sessionDescriptionHandlerFactoryOptions: { iceGatheringTimeout: 300 },
      delegate: {
        onInvite: (invitation: Invitation) => {
          this.#watch(invitation);
          this.ringing = true;
        },
      },
    });
    await this.#agent.start();
  }

  async register(): Promise<void> {
    const registerer = new Registerer(this.#agent as UserAgent, { expires: 600 });
    await new Promise<void>((resolve, reject) => {
      const requestDelegate = { onAccept: () => resolve(), onReject: () => reject(new Error('refused')) };
      registerer.register({ requestDelegate }).catch(reject);
    });
  }

  async call(user: string): Promise<void> {
    const target = new URI('sip', user, this.#options?.domain ?? '');
    const inviter = new Inviter(this.#agent as UserAgent, target);
    this.#watch(inviter);
    await inviter.invite();
  }

  async answer(): Promise<void> {
    await (this.#session as Invitation).accept();
    this.ringing = false;
  }

  async digits(keys: string): Promise<void> {
    this.#handler().sendDtmf(keys, { duration: 100, interToneGap: 60 });
    // biome-ignore lint/suspicious/noExplicitAny: see above
    const senders: any[] = (this.#handler().peerConnection as any)?.getSenders() ?? [];
    const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    // The next keys would take the place of what is not sent yet, however slow this machine is.
    while (senders.some(({ dtmf }) => dtmf?.toneBuffer)) await pause(50);
    await pause(300);
  }

  async hold(hold: boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const options = {
        requestDelegate: { onAccept: () => resolve(), onReject: () => reject(new Error('refused')) },
        sessionDescriptionHandlerOptions: { hold } as object,
      };
      this.#session?.invite(options).catch(reject);
    });
  }

  async hangUp(): Promise<void> {
    if (this.state === 'Established') await this.#session?.bye();
    else if (this.#session instanceof Inviter && this.state !== 'Terminated') await this.#session.cancel();
  }

  connection(): string {
    return this.#handler().peerConnection?.connectionState ?? '';
  }

  listen(hz: number): { level: number; tone: number } {
    const stream = this.#handler()?.remoteMediaStream;
    if (!stream || stream.getAudioTracks().length === 0) return { level: 0, tone: 0 };
    const meter = this.#ear(stream);
    const samples = new Float32Array(meter.fftSize);
    meter.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
    let [re, im] = [0, 0];
    for (const [n, x] of samples.entries()) {
      const phase = (2 * Math.PI * hz * n) / this.#audio.sampleRate;
      re += x * Math.cos(phase);
      im += x * Math.sin(phase);
    }
    const tone = (2 * (re * re + im * im)) / samples.length ** 2;
    return { level: Math.sqrt(power), tone: power > 0 ? tone / power : 0 };
  }

  // biome-ignore lint/suspicious/noExplicitAny: see above
  #ear(stream: any): any {
    if (this.#meter?.stream === stream) return this.#meter.analyser;
    // Without an element that plays it Chromium gives WebAudio nothing.
    const element = new browser.Audio();
    element.srcObject = stream;
    element.muted = true;
    element.play();
    const analyser = this.#audio.createAnalyser();
    analyser.fftSize = 4096;
    this.#audio.createMediaStreamSource(stream).connect(analyser);
    this.#meter = { stream, analyser, element };
    return analyser;
  }

  // biome-ignore lint/suspicious/noExplicitAny: see above
  #microphone(): Promise<any> {
    if (this.#options?.microphone) return browser.navigator.mediaDevices.getUserMedia({ audio: true });
    const oscillator = this.#audio.createOscillator();
    oscillator.frequency.value = this.#options?.hz ?? 0;
    const output = this.#audio.createMediaStreamDestination();
    oscillator.connect(output);
    oscillator.start();
    return Promise.resolve(output.stream);
  }

  #handler(): Web.SessionDescriptionHandler {
    return this.#session?.sessionDescriptionHandler as Web.SessionDescriptionHandler;
  }

  #watch(session: Session): void {
    this.#session = session;
    this.state = session.state;
    session.stateChange.addListener((state) => {
      this.state = state;
    });
  }
}

browser.phone = new PagePhone();
