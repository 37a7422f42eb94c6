import type { SipMessage } from '../message/message.ts';
import { declaredLength, parseHead } from '../message/parse.ts';

/** What a stream held next. After `broken` nothing more can be read; `message` is there if it can be answered. */
export type Frame =
  | { kind: 'message'; message: SipMessage; size: number }
  | { kind: 'ping' }
  | { kind: 'broken'; status: number; message: SipMessage | undefined };

interface Pending {
  message: SipMessage;
  bodyStart: number;
  /** Octets of head and body. */
  total: number;
}

/** Cuts a TCP stream into messages by Content-Length (RFC 3261 18.3); a missing one counts as 0. */
export class StreamFramer {
  readonly #maxBytes: number;
  #parts: string[] = [];
  #length = 0;
  #scanned = 0;
  #pending: Pending | undefined;

  /** `maxBytes` limits head and body together. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True while part of a message waits for the rest. */
  get midMessage(): boolean {
    return this.#pending !== undefined || this.#length > 3;
  }

  /** Adds what was read (latin1). */
  push(chunk: string): void {
    this.#parts.push(chunk);
    this.#length += chunk.length;
  }

  /** The next complete thing; undefined until more has been read. */
  next(): Frame | undefined {
    if (this.#length === 0) return undefined;
    if (this.#pending !== undefined) return this.#takeMessage(this.#pending);
    const text = this.#join();
    if (text.startsWith('\r\n')) return this.#takeLineEnds(text);
    return this.#readHead(text);
  }

  #join(): string {
    const text = this.#parts.length === 1 ? (this.#parts[0] ?? '') : this.#parts.join('');
    this.#parts = [text];
    return text;
  }

  #consume(text: string, octets: number): void {
    this.#parts = [text.slice(octets)];
    this.#length -= octets;
    this.#scanned = 0;
  }

  /** Two line ends between messages are a ping (RFC 5626 3.5.1), one is skipped. */
  #takeLineEnds(text: string): Frame | undefined {
    if ('\r\n\r\n'.startsWith(text) && text.length < 4) return undefined;
    const ping = text.startsWith('\r\n\r\n');
    this.#consume(text, ping ? 4 : 2);
    return ping ? { kind: 'ping' } : this.next();
  }

  #readHead(text: string): Frame | undefined {
    const end = text.indexOf('\r\n\r\n', Math.max(0, this.#scanned - 3));
    if (end < 0 || end > this.#maxBytes) {
      this.#scanned = text.length;
      return text.length > this.#maxBytes ? this.#tooLong(text) : undefined;
    }
    const head = parseHead(text.slice(0, end + 4));
    if (head === undefined) return { kind: 'broken', status: 400, message: undefined };
    const { message } = head;
    const length = declaredLength(message) ?? 0;
    if (length < 0 || message.count('Content-Length') > 1) return { kind: 'broken', status: 400, message };
    const total = end + 4 + length;
    if (total > this.#maxBytes) return { kind: 'broken', status: 413, message };
    this.#pending = { message, bodyStart: end + 4, total };
    return this.#takeMessage(this.#pending);
  }

  #tooLong(text: string): Frame {
    const whole = text.slice(0, text.lastIndexOf('\r\n') + 2);
    return { kind: 'broken', status: 413, message: parseHead(`${whole}\r\n`)?.message };
  }

  #takeMessage({ message, bodyStart, total }: Pending): Frame | undefined {
    if (this.#length < total) return undefined;
    const text = this.#join();
    message.body = text.slice(bodyStart, total);
    this.#consume(text, total);
    this.#pending = undefined;
    return { kind: 'message', message, size: total };
  }
}
