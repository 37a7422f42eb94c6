/** Rings, dial tone and key tones, made as they are heard. Without an audio device there are none. */

type Pair = readonly [number, number];

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
const PAD = '123456789*0#';
/** ITU-T E.180 for the United Kingdom. */
const DIAL: Pair = [350, 450];
const RING: Pair = [400, 450];
const WAITING: Pair = [400, 400];
/** Seconds on, off, on; the whole. */
const CADENCE = [0.4, 0.2, 0.4] as const;
const CADENCE_SECONDS = 3;
const KEY_SECONDS = 0.12;
/** ms; a node that has stopped is dropped. */
const RING_EVERY_MS = CADENCE_SECONDS * 1000;

export type Tone = 'none' | 'dial' | 'ringback' | 'ring' | 'waiting';

export class Tones {
  #context: AudioContext | undefined;
  #out: GainNode | undefined;
  #tone: Tone = 'none';
  #stop: () => void = () => undefined;

  /** Browsers make no sound before somebody has pressed something: call it from there. */
  unlock(): void {
    try {
      this.#context ??= new AudioContext();
      if (!this.#out) {
        this.#out = this.#context.createGain();
        this.#out.connect(this.#context.destination);
      }
      this.#context.resume().catch(() => undefined);
    } catch {
      this.#context = undefined;
    }
  }

  /** 0 to 1. */
  set volume(value: number) {
    if (this.#out) this.#out.gain.value = value * value * 0.5;
  }

  /** A stream with nothing on it. */
  silence(): MediaStream {
    this.unlock();
    const context = this.#context;
    if (!context) return new MediaStream();
    const destination = context.createMediaStreamDestination();
    // Without a source there would be no packets, and keys are sent among packets.
    const source = context.createConstantSource();
    source.offset.value = 0;
    source.connect(destination);
    source.start();
    return destination.stream;
  }

  key(key: string): void {
    const at = PAD.indexOf(key);
    const pair: Pair = [ROWS[Math.floor(at / 3)] ?? 0, COLUMNS[at % 3] ?? 0];
    if (at >= 0) this.#sound(pair, { from: 0, seconds: KEY_SECONDS, level: 0.25 });
  }

  play(tone: Tone): void {
    if (tone === this.#tone) return;
    this.#tone = tone;
    this.#stop();
    this.#stop = () => undefined;
    if (tone === 'dial') this.#stop = this.#sound(DIAL, { from: 0, seconds: 20, level: 0.15 });
    else if (tone === 'waiting')
      this.#repeat(() => this.#sound(WAITING, { from: 0, seconds: 0.1, level: 0.1 }));
    else if (tone !== 'none') this.#repeat(() => this.#ring(tone === 'ring' ? 0.5 : 0.15));
  }

  /** `sound` returns what ends it. */
  #repeat(sound: () => () => void): void {
    let stopOne = sound();
    const timer = setInterval(() => {
      stopOne = sound();
    }, RING_EVERY_MS);
    this.#stop = () => {
      clearInterval(timer);
      stopOne();
    };
  }

  #ring(level: number): () => void {
    const [on, off, again] = CADENCE;
    const first = this.#sound(RING, { from: 0, seconds: on, level });
    const second = this.#sound(RING, { from: on + off, seconds: again, level });
    return () => {
      first();
      second();
    };
  }

  /** Both frequencies for a while; the result ends it. */
  #sound(
    pair: Pair,
    { from, seconds, level }: { readonly from: number; readonly seconds: number; readonly level: number },
  ): () => void {
    const context = this.#context;
    const out = this.#out;
    if (!context || !out) return () => undefined;
    const begin = context.currentTime + from;
    const gain = context.createGain();
    gain.connect(out);
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(level, begin + 0.008);
    gain.gain.setValueAtTime(level, begin + seconds - 0.01);
    gain.gain.linearRampToValueAtTime(0, begin + seconds);
    for (const frequency of pair) {
      const oscillator = context.createOscillator();
      oscillator.frequency.value = frequency;
      oscillator.connect(gain);
      oscillator.start(begin);
      oscillator.stop(begin + seconds);
    }
    return () => gain.disconnect();
  }
}
