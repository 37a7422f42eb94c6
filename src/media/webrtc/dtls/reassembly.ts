/** Handshake messages out of their fragments, in order (RFC 6347 4.2.2, 4.2.3). */

export interface HandshakeMessage {
  readonly type: number;
  readonly sequence: number;
  readonly body: Buffer;
}

const HEADER_BYTES = 12;
/** Longer than any ClientHello with post-quantum keys, or chain of certificates, there is sense in. */
const LONGEST_MESSAGE = 16_384;
/** A flight of a client has five. */
const MOST_AHEAD = 8;

interface Partial {
  readonly type: number;
  readonly body: Buffer;
  /** One byte for each of the body: whether it is there. */
  readonly present: Buffer;
  missing: number;
}

/** A message with its header as if it had come in one piece: so it counts in the transcript. */
export function writeMessage({ type, sequence, body }: HandshakeMessage): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = type;
  header.writeUIntBE(body.length, 1, 3);
  header.writeUInt16BE(sequence, 4);
  header.writeUIntBE(body.length, 9, 3);
  return Buffer.concat([header, body]);
}

/** Holds what has come of the messages to come, a few ahead and none too long. */
export class Reassembly {
  private readonly partial = new Map<number, Partial>();
  private next = 0;

  /**
   * Takes a record's fragments. Returns the messages that are complete and next in order, and whether there was one of
   * before: the client repeats its flight, because ours was lost.
   */
  push(record: Buffer): { readonly messages: HandshakeMessage[]; readonly repeated: boolean } {
    let repeated = false;
    for (let at = 0; record.length >= at + HEADER_BYTES; ) {
      const end = at + HEADER_BYTES + record.readUIntBE(at + 9, 3);
      if (end > record.length) break;
      if (record.readUInt16BE(at + 4) < this.next) repeated = true;
      else this.place(record.subarray(at, end));
      at = end;
    }
    return { messages: [...this.complete()], repeated };
  }

  private place(fragment: Buffer): void {
    const sequence = fragment.readUInt16BE(4);
    const length = fragment.readUIntBE(1, 3);
    const offset = fragment.readUIntBE(6, 3);
    const body = fragment.subarray(HEADER_BYTES);
    if (sequence >= this.next + MOST_AHEAD || length > LONGEST_MESSAGE || offset + body.length > length)
      return;
    const partial = this.partial.get(sequence) ?? {
      ...{ type: fragment[0] as number, body: Buffer.alloc(length), present: Buffer.alloc(length) },
      missing: length,
    };
    if (partial.body.length !== length) return;
    this.partial.set(sequence, partial);
    body.copy(partial.body, offset);
    for (let at = offset; at < offset + body.length; at++) {
      if (partial.present[at] === 0) partial.missing--;
      partial.present[at] = 1;
    }
  }

  private *complete(): Generator<HandshakeMessage> {
    for (;;) {
      const first = this.partial.get(this.next);
      if (first === undefined || first.missing > 0) return;
      this.partial.delete(this.next);
      yield { type: first.type, sequence: this.next++, body: first.body };
    }
  }
}
