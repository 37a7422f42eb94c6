import { createCipheriv, createDecipheriv } from 'node:crypto';

/** The record layer (RFC 6347 4.1), plain and with AES-128-GCM (RFC 5288). */

export const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;
export const DTLS_1_2 = 0xfefd;

const HEADER_BYTES = 13;
const EXPLICIT_NONCE_BYTES = 8;
const TAG_BYTES = 16;

export interface DtlsRecord {
  readonly type: number;
  readonly epoch: number;
  /** Epoch and sequence number as they stand on the wire: 8 bytes. */
  readonly number: Buffer;
  readonly payload: Buffer;
}

/** All records of a datagram; what is cut short or not DTLS 1.x is left out. */
export function readRecords(datagram: Buffer): DtlsRecord[] {
  const records: DtlsRecord[] = [];
  let at = 0;
  while (datagram.length >= at + HEADER_BYTES) {
    const end = at + HEADER_BYTES + datagram.readUInt16BE(at + 11);
    if (end > datagram.length || datagram[at + 1] !== 0xfe) break;
    records.push({
      type: datagram[at] as number,
      epoch: datagram.readUInt16BE(at + 3),
      number: datagram.subarray(at + 3, at + 11),
      payload: datagram.subarray(at + HEADER_BYTES, end),
    });
    at = end;
  }
  return records;
}

/** Key and the fixed half of the nonce, for one direction. */
export interface WriteKey {
  readonly key: Buffer;
  readonly iv: Buffer;
}

/** Writes records, numbering them; encrypted once it has a key. */
export class RecordWriter {
  private epoch = 0;
  private sequence = 0;
  private key: WriteKey | undefined;

  /** What follows a ChangeCipherSpec. */
  encrypt(key: WriteKey): void {
    this.key = key;
    this.epoch++;
    this.sequence = 0;
  }

  write(type: number, content: Buffer): Buffer {
    const number = Buffer.alloc(8);
    number.writeUInt16BE(this.epoch);
    number.writeUInt32BE(this.sequence++, 4);
    return this.key ? sealed(this.key, { type, number, content }) : framed(type, number, content);
  }
}

/** Opens an encrypted record; undefined when it is forged or damaged. */
export function openRecord({ key, iv }: WriteKey, record: DtlsRecord): Buffer | undefined {
  const { payload, number, type } = record;
  const length = payload.length - EXPLICIT_NONCE_BYTES - TAG_BYTES;
  if (length < 0) return undefined;
  const nonce = Buffer.concat([iv, payload.subarray(0, EXPLICIT_NONCE_BYTES)]);
  const decipher = createDecipheriv('aes-128-gcm', key, nonce);
  decipher.setAAD(additional(type, number, length));
  decipher.setAuthTag(payload.subarray(payload.length - TAG_BYTES));
  try {
    const plain = decipher.update(payload.subarray(EXPLICIT_NONCE_BYTES, EXPLICIT_NONCE_BYTES + length));
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

function sealed(
  { key, iv }: WriteKey,
  { type, number, content }: { type: number; number: Buffer; content: Buffer },
): Buffer {
  // The record's number is never used twice with one key, and so is as good a nonce as any (RFC 5288 3).
  const cipher = createCipheriv('aes-128-gcm', key, Buffer.concat([iv, number]));
  cipher.setAAD(additional(type, number, content.length));
  const encrypted = Buffer.concat([cipher.update(content), cipher.final()]);
  return framed(type, number, Buffer.concat([number, encrypted, cipher.getAuthTag()]));
}

function framed(type: number, number: Buffer, payload: Buffer): Buffer {
  return Buffer.concat([header(type, number, payload.length), payload]);
}

function header(type: number, number: Buffer, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes[0] = type;
  bytes.writeUInt16BE(DTLS_1_2, 1);
  number.copy(bytes, 3);
  bytes.writeUInt16BE(length, 11);
  return bytes;
}

/** What is authenticated besides the content (RFC 5246 6.2.3.3). */
function additional(type: number, number: Buffer, length: number): Buffer {
  const rest = Buffer.alloc(5);
  rest[0] = type;
  rest.writeUInt16BE(DTLS_1_2, 1);
  rest.writeUInt16BE(length, 3);
  return Buffer.concat([number, rest]);
}
