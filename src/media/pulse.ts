/** ms between two looks of the main thread at its worker. */
export const LOOK_MS = 500;
/** Looks in a row without a sign of life after which the worker counts as hanging: 4 s. */
const PATIENCE = 8;
/** Looks a worker may take to get ready: 60 s, for what takes 2 s of a free processor. */
const START_PATIENCE = 120;
/** Looks a request is waited for: 5 s. */
const ANSWER_PATIENCE = 10;

/** The worker's signs of life, in shared memory: they count however late the main thread comes to look. */
export class Pulse {
  private readonly beats: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.beats = new Int32Array(memory);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  }

  /** In the worker, whose loop has come round to a question of the main thread's. */
  beat(): void {
    Atomics.add(this.beats, 0, 1);
  }

  get count(): number {
    return Atomics.load(this.beats, 0);
  }
}

/**
 * Tells a worker that hangs from one that works. Nothing here looks at a clock: a look counts only when the main thread comes
 * to it, and a worker that was asked has had as long as the main thread. So neither a busy main thread nor a process that
 * was stopped and goes on is taken for a worker that hangs.
 */
export class Watch {
  /** Looks so far, the time of requests. */
  now = 0;
  private readonly pulse: Pulse;
  private readonly ask: () => void;
  private ready = false;
  private beats = 0;
  private missed = 0;

  /** `ask`: has the worker give a sign of life. */
  constructor(pulse: Pulse, ask: () => void) {
    this.pulse = pulse;
    this.ask = ask;
  }

  becomeReady(): void {
    this.ready = true;
    this.missed = 0;
    this.beats = this.pulse.count;
    this.ask();
  }

  /** Once every `LOOK_MS`. What is wrong with the worker, in words; undefined: nothing. */
  look(): string | undefined {
    this.now++;
    if (!this.ready)
      return ++this.missed > START_PATIENCE ? 'the media worker does not get ready' : undefined;
    const { count } = this.pulse;
    this.missed = count === this.beats ? this.missed + 1 : 0;
    this.beats = count;
    if (this.missed >= PATIENCE) return 'the media worker hangs';
    this.ask();
    return undefined;
  }

  /** Whether what was asked at this look has been waited for long enough. */
  isLate(askedAt: number): boolean {
    return this.now - askedAt > ANSWER_PATIENCE;
  }
}
