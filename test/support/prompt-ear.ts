import { readdirSync, readFileSync } from 'node:fs';
import { type CodecName, FRAME_BYTES, makeClip } from '../../src/media/codec/codecs.ts';

const PROMPTS = new URL('../../config/prompts/en-GB/', import.meta.url);
/** This many frames in a row that only one prompt has: 60 ms into the words nobody mistakes them. */
const CERTAIN = 3;

interface Place {
  readonly prompt: string;
  readonly index: number;
}

const books = new Map<CodecName, ReadonlyMap<string, Place>>();

/** Every frame that stands in exactly one place of one prompt. Coded once per process and codec. */
function bookOf(codec: CodecName): ReadonlyMap<string, Place> {
  const known = books.get(codec);
  if (known) return known;
  for (const name of ['PCMA', 'PCMU', 'G722'] as const) books.set(name, new Map());
  const counts = new Map<string, number>();
  // Silence is no prompt anybody hears.
  const spoken = readdirSync(PROMPTS).filter((name) => name.endsWith('.wav') && name !== 'pause.wav');
  for (const file of spoken) {
    const clip = makeClip(readSamples(readFileSync(new URL(file, PROMPTS))), 16000);
    for (const name of ['PCMA', 'PCMU', 'G722'] as const) {
      shelve(
        { book: books.get(name) as Map<string, Place>, counts, name },
        clip.data[name],
        file.slice(0, -4),
      );
    }
  }
  return books.get(codec) as ReadonlyMap<string, Place>;
}

function shelve(
  shelf: { book: Map<string, Place>; counts: Map<string, number>; name: string },
  data: Buffer,
  prompt: string,
): void {
  for (let index = 0; index * FRAME_BYTES < data.length; index++) {
    const frame = data.toString('latin1', index * FRAME_BYTES, (index + 1) * FRAME_BYTES);
    const seen = (shelf.counts.get(shelf.name + frame) ?? 0) + 1;
    shelf.counts.set(shelf.name + frame, seen);
    if (seen === 1) shelf.book.set(frame, { prompt, index });
    else shelf.book.delete(frame);
  }
}

/** Samples of a 16-bit mono WAV. */
function readSamples(wav: Buffer): Int16Array {
  let at = 12;
  while (wav.toString('latin1', at, at + 4) !== 'data') at += 8 + wav.readUInt32LE(at + 4);
  const bytes = wav.subarray(at + 8, at + 8 + wav.readUInt32LE(at + 4));
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Listens to one call and knows which prompts it heard, in order, by comparing frames with the recordings. */
export class PromptEar {
  /** Prompt ids as they began. */
  readonly transcript: string[] = [];
  #last: Place | undefined;
  #run = 0;
  #told = false;
  #waiting: (() => void)[] = [];
  readonly #frames = new Map<string, number>();

  /** Frames of any kind, silence too. */
  frames = 0;

  /** The first one learns the prompts, which takes seconds on a busy machine: before a call, not between two keys of it. */
  constructor() {
    bookOf('PCMA');
  }

  hear(codec: CodecName, payload: Buffer): void {
    this.frames += 1;
    const place = bookOf(codec).get(payload.toString('latin1'));
    if (!place) return;
    this.#frames.set(place.prompt, (this.#frames.get(place.prompt) ?? 0) + 1);
    const goesOn = this.#last?.prompt === place.prompt && place.index > this.#last.index;
    this.#run = goesOn ? this.#run + 1 : 1;
    if (!goesOn) this.#told = false;
    this.#last = place;
    if (this.#run >= CERTAIN && !this.#told) this.#note(place.prompt);
  }

  #note(prompt: string): void {
    this.#told = true;
    this.transcript.push(prompt);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** How much of a prompt was heard, 1 for all of it once. */
  share(prompt: string): number {
    const known = [...bookOf('PCMA').values()].filter((place) => place.prompt === prompt).length;
    return (this.#frames.get(prompt) ?? 0) / known;
  }

  /**
   * Resolves when the prompt has begun, at once if it has been heard already; the first `after` prompts do not count.
   * Rejects after `withinMs`.
   */
  async heard(prompt: string, withinMs: number, after = 0): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!this.transcript.includes(prompt, after)) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`never heard "${prompt}"; heard: ${this.#summary()}`);
      await this.#somethingNew(left);
    }
  }

  #summary(): string {
    return `${this.transcript.join(', ') || 'nothing'} in ${this.frames} frames`;
  }

  #somethingNew(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
