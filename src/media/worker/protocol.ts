import type { DigitSource, MediaOptions, MediaStats, PlayItem, RecordOptions, RelayEnd } from '../media.ts';

/** What the two threads say to each other. `session` and `ref` are numbers the main thread gives out. */

export type Settings = Omit<MediaOptions, 'onProblem'>;

/** What the worker is started with. `counters` and `pulse` are shared memory: they are read without asking. */
export interface WorkerStart {
  readonly settings: Settings;
  readonly counters: SharedArrayBuffer;
  /** Of this one worker. */
  readonly pulse: SharedArrayBuffer;
}

/** Answered by a `Reply` with the same `ref`. */
export type Request =
  | {
      readonly type: 'open';
      readonly session: number;
      readonly offer: string | undefined;
      readonly peer: string;
    }
  | { readonly type: 'renegotiate'; readonly session: number; readonly sdp: string }
  | { readonly type: 'reoffer'; readonly session: number }
  | {
      readonly type: 'relay';
      readonly session: number;
      readonly browser: number | undefined;
      readonly urgent: boolean;
    }
  | {
      readonly type: 'pass';
      readonly session: number;
      readonly kind: 'offer' | 'answer';
      readonly to: RelayEnd;
      readonly sdp: string;
    }
  | { readonly type: 'otherwise'; readonly session: number }
  | { readonly type: 'close'; readonly session: number };

export type Command =
  | Ping
  | (Request & { readonly ref: number })
  | {
      readonly type: 'play';
      readonly session: number;
      readonly ref: number;
      readonly clips: readonly PlayItem[];
    }
  | {
      readonly type: 'record';
      readonly session: number;
      readonly ref: number;
      readonly options: RecordOptions;
    }
  | { readonly type: 'stopRecording'; readonly session: number }
  | { readonly type: 'watch'; readonly session: number }
  | { readonly type: 'trust'; readonly session: number; readonly peer: string }
  | { readonly type: 'stop'; readonly session: number };

/** Answered by a beat of the pulse. */
export interface Ping {
  readonly type: 'ping';
}

export interface Reply {
  readonly sdp?: string;
  readonly refused?: 'notAcceptable' | 'noPorts';
  /** Of a close: what was recorded until then. */
  readonly recorded?: Uint8Array;
}

export type Report =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly text: string }
  | { readonly type: 'reply'; readonly ref: number; readonly session: number; readonly reply: Reply }
  | { readonly type: 'digit'; readonly session: number; readonly digit: string; readonly source: DigitSource }
  | { readonly type: 'played'; readonly session: number; readonly ref: number }
  | {
      readonly type: 'recorded';
      readonly session: number;
      readonly ref: number;
      readonly mulaw: Uint8Array | undefined;
    }
  | { readonly type: 'silent'; readonly session: number }
  | { readonly type: 'lost'; readonly session: number; readonly why: string }
  | { readonly type: 'problem'; readonly text: string; readonly data: object | undefined };

/** The counters the worker keeps, in the order they stand in shared memory. */
export const COUNTERS = [
  'packetsSent',
  'packetsReceived',
  'sourcesRefused',
  'srtpRefused',
  'malformed',
  'sendErrors',
  'ticksLost',
] as const satisfies readonly (keyof MediaStats)[];
export type Counter = (typeof COUNTERS)[number];

/** Writes counters; only the worker does. */
export class Counters {
  private readonly values: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.values = new Float64Array(memory);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(COUNTERS.length * Float64Array.BYTES_PER_ELEMENT);
  }

  add(counter: Counter, count = 1): void {
    const index = COUNTERS.indexOf(counter);
    this.values[index] = (this.values[index] ?? 0) + count;
  }

  read(): Record<Counter, number> {
    const entries = COUNTERS.map((name, index) => [name, this.values[index] ?? 0]);
    return Object.fromEntries(entries) as Record<Counter, number>;
  }
}
