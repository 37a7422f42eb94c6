/**
 * Frames of the application protocol: `<n>#<payload>`, n being the payload's length in octets.
 * Payloads are latin1 text here (one character per octet), so UTF-8 and binary pass unchanged.
 */

/** What one call of {@link FrameReader.feed} found. A broken stream cannot be read any further. */
export interface FrameBatch {
  payloads: string[];
  broken?: string;
}

const HASH = 0x23;

/** One frame, ready for the socket. */
export function encodeFrame(payload: string): string {
  return `${payload.length}#${payload}`;
}

/** Cuts a byte stream into frames, however TCP split or joined it. */
export class FrameReader {
  readonly #maxFrame: number;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #wanted = 1;

  /** `maxFrame`: largest payload accepted, in octets. */
  constructor(maxFrame: number) {
    this.#maxFrame = maxFrame;
  }

  /** Octets waiting for the rest of their frame. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Takes one chunk and returns the payloads it completed. */
  feed(chunk: Buffer): FrameBatch {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    // A large frame arrives in many chunks: join them once, when they are all there.
    if (this.#buffered < this.#wanted) return { payloads: [] };
    return this.#cut(Buffer.concat(this.#chunks));
  }

  #cut(data: Buffer): FrameBatch {
    const payloads: string[] = [];
    let position = 0;
    while (position < data.length) {
      const head = this.#head(data, position);
      if (typeof head === 'string') return { payloads, broken: head };
      if (head === undefined || head.end > data.length) {
        this.#keep(data.subarray(position), head ? head.end - position : 1);
        return { payloads };
      }
      payloads.push(data.toString('latin1', head.start, head.end));
      position = head.end;
    }
    this.#keep(Buffer.alloc(0), 1);
    return { payloads };
  }

  /** Where the frame at `position` begins and ends; undefined when its length is not all there yet. */
  #head(data: Buffer, position: number): { start: number; end: number } | string | undefined {
    const digits = String(this.#maxFrame).length;
    const hash = data.subarray(position, position + digits + 1).indexOf(HASH);
    const text = data.toString('latin1', position, hash < 0 ? position + digits + 1 : position + hash);
    if (hash === 0 || !/^\d*$/.test(text)) return 'length is not a number';
    if (hash < 0) return text.length > digits ? 'length has too many digits' : undefined;
    const length = Number(text);
    if (length === 0 || length > this.#maxFrame) return 'frame is empty or too large';
    return { start: position + hash + 1, end: position + hash + 1 + length };
  }

  #keep(rest: Buffer, wanted: number): void {
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#buffered = rest.length;
    this.#wanted = wanted;
  }
}
