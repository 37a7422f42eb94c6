import { createECDH, createHash, randomBytes, sign } from 'node:crypto';
import { type Identity, newIdentity } from '../../src/media/webrtc/certificate.ts';
import { prf } from '../../src/media/webrtc/dtls/prf.ts';
import { type HandshakeMessage, Reassembly, writeMessage } from '../../src/media/webrtc/dtls/reassembly.ts';
import {
  openRecord,
  RECORD,
  RecordWriter,
  readRecords,
  type WriteKey,
} from '../../src/media/webrtc/dtls/record.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Groups, signatures, use_srtp, extended master secret. */
const EXTENSIONS = hex('000a 0004 0002 0017  000d 0004 0002 0403  000e 0005 0002 0001 00  0017 0000');

function vector(bytes: number, content: Buffer): Buffer {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(content.length, 0, bytes);
  return Buffer.concat([length, content]);
}

export interface DtlsClientOptions {
  /** What it shows; absent: its own. */
  readonly certificate?: Buffer;
  readonly extensions?: Buffer;
}

/** The browser's half of a DTLS handshake, by hand: each flight is a list of records that a test may spoil. */
export class DtlsClient {
  readonly identity: Identity = newIdentity(Date.UTC(2026, 0, 1));
  readonly writer = new RecordWriter();
  readonly random = randomBytes(32);
  /** Key ‖ salt of both directions, once the server has answered. */
  srtp: { readonly mine: Buffer; readonly theirs: Buffer } | undefined;
  /** The server has proven that it knows all that was said. */
  done = false;
  readonly #options: DtlsClientOptions;
  readonly #transcript: Buffer[] = [];
  readonly #reassembly = new Reassembly();
  #sequence = 0;
  #serverRandom = Buffer.alloc(0);
  #serverPoint = Buffer.alloc(0);
  #serverKey: WriteKey | undefined;

  constructor(options: DtlsClientOptions = {}) {
    this.#options = options;
  }

  hello(): Buffer[] {
    const { extensions = EXTENSIONS } = this.#options;
    const body = Buffer.concat([
      ...[hex('fefd'), this.random, hex('00 00 0002 c02b 0100'), vector(2, extensions)],
    ]);
    return [this.plain(this.message(1, body))];
  }

  /** What the server sent. */
  hear(datagram: Buffer): void {
    for (const record of readRecords(datagram)) {
      if (record.type !== RECORD.handshake) continue;
      const payload = record.epoch === 0 ? record.payload : this.#opened(record);
      const { messages } = payload ? this.#reassembly.push(payload) : { messages: [] };
      for (const message of messages) this.#take(message);
    }
  }

  /** The server has answered the hello. */
  get isGreeted(): boolean {
    return this.#serverPoint.length > 0;
  }

  /** Certificate, key exchange, proof, and Finished. */
  answer(): Buffer[] {
    const { certificate = this.identity.certificate } = this.#options;
    const chain = certificate.length === 0 ? Buffer.alloc(0) : vector(3, certificate);
    const ecdh = createECDH('prime256v1');
    const shown = this.message(11, vector(3, chain));
    const exchange = this.message(16, vector(1, ecdh.generateKeys()));
    const master = prf(ecdh.computeSecret(this.#serverPoint), {
      ...{ label: 'extended master secret', seed: this.#hash(), length: 48 },
    });
    const signature = sign('sha256', Buffer.concat(this.#transcript), this.identity.key);
    const proof = this.message(15, Buffer.concat([hex('0403'), vector(2, signature)]));
    const plain = [shown, exchange, proof].map((message) => this.plain(message));
    const finished = this.message(
      20,
      prf(master, { label: 'client finished', seed: this.#hash(), length: 12 }),
    );
    const change = this.writer.write(RECORD.changeCipherSpec, Buffer.from([1]));
    this.#makeKeys(master);
    return [...plain, change, this.writer.write(RECORD.handshake, finished)];
  }

  /** A message with the next number; it counts in the transcript. */
  message(type: number, body: Buffer): Buffer {
    const message = writeMessage({ type, sequence: this.#sequence++, body });
    this.#transcript.push(message);
    return message;
  }

  plain(message: Buffer): Buffer {
    return this.writer.write(RECORD.handshake, message);
  }

  alert(level: number, description: number): Buffer {
    return this.writer.write(RECORD.alert, Buffer.from([level, description]));
  }

  #take({ type, sequence, body }: HandshakeMessage): void {
    this.#transcript.push(writeMessage({ type, sequence, body }));
    if (type === 2) this.#serverRandom = Buffer.from(body.subarray(2, 34));
    if (type === 12) this.#serverPoint = Buffer.from(body.subarray(4, 4 + (body[3] ?? 0)));
    if (type === 20) this.done = true;
  }

  #makeKeys(master: Buffer): void {
    const seed = Buffer.concat([this.#serverRandom, this.random]);
    const block = prf(master, { label: 'key expansion', seed, length: 40 });
    this.writer.encrypt({ key: block.subarray(0, 16), iv: block.subarray(32, 36) });
    this.#serverKey = { key: block.subarray(16, 32), iv: block.subarray(36, 40) };
    const randoms = Buffer.concat([this.random, this.#serverRandom]);
    const made = prf(master, { label: 'EXTRACTOR-dtls_srtp', seed: randoms, length: 60 });
    const part = (key: number, salt: number): Buffer =>
      Buffer.concat([made.subarray(key, key + 16), made.subarray(salt, salt + 14)]);
    this.srtp = { mine: part(0, 32), theirs: part(16, 46) };
  }

  #opened(record: Parameters<typeof openRecord>[1]): Buffer | undefined {
    return this.#serverKey && openRecord(this.#serverKey, record);
  }

  #hash(): Buffer {
    return createHash('sha256').update(Buffer.concat(this.#transcript)).digest();
  }
}
