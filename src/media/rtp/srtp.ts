import { type Cipher, createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { headerLength } from './packet.ts';
import { seqDelta } from './serial.ts';

/**
 * SRTP (RFC 3711) with AES-128 counter mode and HMAC-SHA1, keyed by SDES (RFC 4568).
 *
 * A cipher object in ECB mode, kept per context, makes the key stream from counter blocks: three times faster than
 * a new counter-mode object per packet.
 */

export const SUITES = { AES_CM_128_HMAC_SHA1_80: 10, AES_CM_128_HMAC_SHA1_32: 4 } as const;
export type Suite = keyof typeof SUITES;

/** Master key (16 bytes) and master salt (14), as they stand in `inline:`. */
export const MASTER_BYTES = 30;

const BLOCK = 16;
const REPLAY_WINDOW = 64;

export interface SessionKeys {
  readonly cipher: Buffer;
  readonly auth: Buffer;
  readonly salt: Buffer;
}

/** Key derivation with rate 0 (RFC 3711 4.3). `master` is key ‖ salt. */
export function deriveKeys(master: Buffer): SessionKeys {
  const derive = (label: number, length: number): Buffer => {
    const iv = Buffer.alloc(BLOCK);
    master.copy(iv, 0, 16, 30);
    iv[7] = (iv[7] as number) ^ label;
    return createCipheriv('aes-128-ctr', master.subarray(0, 16), iv).update(Buffer.alloc(length));
  };
  return { cipher: derive(0, 16), auth: derive(1, 20), salt: derive(2, 14) };
}

/** What both directions share: key stream and tag. */
class Transform {
  readonly tagBytes: number;
  private readonly keys: SessionKeys;
  private readonly cipher: Cipher;

  constructor(master: Buffer, suite: Suite) {
    this.tagBytes = SUITES[suite];
    this.keys = deriveKeys(master);
    this.cipher = createCipheriv('aes-128-ecb', this.keys.cipher, null).setAutoPadding(false);
  }

  /** Encrypts or decrypts in place (RFC 3711 4.1.1). */
  crypt(payload: Buffer, options: { ssrc: number; roc: number; seq: number }): void {
    const counters = Buffer.alloc(Math.ceil(payload.length / BLOCK) * BLOCK);
    const first = this.counterBlock(options);
    for (let at = 0, n = 0; at < counters.length; at += BLOCK, n++) {
      first.copy(counters, at);
      counters.writeUInt16BE(n, at + 14);
    }
    const stream = this.cipher.update(counters);
    for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] as number) ^ (stream[i] as number);
  }

  private counterBlock({ ssrc, roc, seq }: { ssrc: number; roc: number; seq: number }): Buffer {
    const block = Buffer.alloc(BLOCK);
    this.keys.salt.copy(block);
    block.writeUInt32BE((block.readUInt32BE(4) ^ ssrc) >>> 0, 4);
    block.writeUInt32BE((block.readUInt32BE(8) ^ roc) >>> 0, 8);
    block.writeUInt16BE(block.readUInt16BE(12) ^ seq, 12);
    return block;
  }

  tag(authenticated: Buffer, roc: number): Buffer {
    const rollover = Buffer.alloc(4);
    rollover.writeUInt32BE(roc);
    const mac = createHmac('sha1', this.keys.auth).update(authenticated).update(rollover).digest();
    return mac.subarray(0, this.tagBytes);
  }
}

/** Protects what we send: one context per key, counting its own rollovers. */
export class SrtpSender {
  private readonly transform: Transform;
  private roc = 0;
  private lastSeq: number | undefined;

  constructor(master: Buffer, suite: Suite) {
    this.transform = new Transform(master, suite);
  }

  /**
   * Encrypts the packet of `length` bytes at the start of `buffer` in place and appends the tag (the buffer must
   * have room for 10 more bytes). Returns the new length.
   */
  protect(buffer: Buffer, length: number, headerBytes: number): number {
    const seq = buffer.readUInt16BE(2);
    if (this.lastSeq !== undefined && seq < this.lastSeq) this.roc = (this.roc + 1) >>> 0;
    this.lastSeq = seq;
    const ssrc = buffer.readUInt32BE(8);
    this.transform.crypt(buffer.subarray(headerBytes, length), { ssrc, roc: this.roc, seq });
    return length + this.transform.tag(buffer.subarray(0, length), this.roc).copy(buffer, length);
  }
}

/** Index of the last packet and which of the 64 before it were received, per SSRC (RFC 3711 3.3.1, 3.3.2). */
interface Received {
  roc: number;
  seq: number;
  /** Bit n: the packet n before the newest was received. */
  window: bigint;
}

/** Senders change SSRC in mid-call (SIPp does, once per action); more than this many at a time is no phone. */
const MOST_SOURCES = 8;

/** Opens what we receive: authenticates, refuses replays, then decrypts. */
export class SrtpReceiver {
  private readonly transform: Transform;
  private readonly sources = new Map<number, Received>();

  constructor(master: Buffer, suite: Suite) {
    this.transform = new Transform(master, suite);
  }

  /** Decrypts in place; the plain packet (a view), or undefined when it is forged, replayed or not SRTP. */
  open(data: Buffer): Buffer | undefined {
    const plainLength = data.length - this.transform.tagBytes;
    if (plainLength < 12) return undefined;
    const packet = data.subarray(0, plainLength);
    const start = headerLength(packet);
    if (start === undefined) return undefined;
    const seq = packet.readUInt16BE(2);
    const ssrc = packet.readUInt32BE(8);
    const source = this.sources.get(ssrc);
    const roc = guessRoc(source, seq);
    if (roc === undefined || wasReceived(source, roc, seq)) return undefined;
    if (!timingSafeEqual(this.transform.tag(packet, roc), data.subarray(plainLength))) return undefined;
    this.transform.crypt(packet.subarray(start), { ssrc, roc, seq });
    this.note(ssrc, roc, seq);
    return packet;
  }

  private note(ssrc: number, roc: number, seq: number): void {
    const source = this.sources.get(ssrc);
    if (source === undefined) {
      const oldest = this.sources.keys().next();
      if (this.sources.size >= MOST_SOURCES && !oldest.done) this.sources.delete(oldest.value);
      this.sources.set(ssrc, { roc, seq, window: 1n });
      return;
    }
    const ahead = indexAhead(source, roc, seq);
    if (ahead <= 0) {
      source.window |= 1n << BigInt(-ahead);
      return;
    }
    source.window =
      ahead < REPLAY_WINDOW ? BigInt.asUintN(REPLAY_WINDOW, source.window << BigInt(ahead)) | 1n : 1n;
    source.roc = roc;
    source.seq = seq;
  }
}

/** RFC 3711 appendix A: the rollover count that puts `seq` nearest to the last index; undefined before the first. */
function guessRoc(source: Received | undefined, seq: number): number | undefined {
  if (source === undefined) return 0;
  const index = source.roc * 0x10000 + source.seq + seqDelta(seq, source.seq);
  return index < 0 ? undefined : Math.floor(index / 0x10000) >>> 0;
}

function indexAhead(source: Received, roc: number, seq: number): number {
  return (roc - source.roc) * 0x10000 + seq - source.seq;
}

function wasReceived(source: Received | undefined, roc: number, seq: number): boolean {
  if (source === undefined) return false;
  const ahead = indexAhead(source, roc, seq);
  if (ahead > 0) return false;
  return -ahead >= REPLAY_WINDOW || ((source.window >> BigInt(-ahead)) & 1n) === 1n;
}
