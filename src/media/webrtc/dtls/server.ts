import {
  createECDH,
  createHash,
  type ECDH,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
  X509Certificate,
} from 'node:crypto';
import type { Identity } from '../certificate.ts';
import {
  certificate,
  certificateRequest,
  curveParameters,
  ECDSA_P256_SHA256,
  HANDSHAKE,
  RSA_PKCS1_SHA256,
  readCertificate,
  readCertificateVerify,
  readClientHello,
  readClientKeyExchange,
  serverHello,
  serverKeyExchange,
} from './messages.ts';
import { prf } from './prf.ts';
import { type HandshakeMessage, Reassembly, writeMessage } from './reassembly.ts';
import { type DtlsRecord, openRecord, RECORD, RecordWriter, readRecords, type WriteKey } from './record.ts';

/** Keys of both directions, as the SRTP code takes them: key ‖ salt. */
export interface SrtpKeys {
  readonly local: Buffer;
  readonly remote: Buffer;
}

export interface DtlsServerOptions {
  readonly identity: Identity;
  /** Whether this is the certificate the SDP spoke of. */
  readonly believes: (certificate: Buffer) => boolean;
  readonly send: (datagram: Buffer) => void;
  readonly onKeys: (keys: SrtpKeys) => void;
  /** The far side closed it. */
  readonly onClose: () => void;
  /** The handshake cannot succeed; why, in words. */
  readonly onEnd: (why: string) => void;
}

/** The handshake messages of a client, in the only order there is. */
const STEPS = [
  HANDSHAKE.clientHello,
  HANDSHAKE.certificate,
  HANDSHAKE.clientKeyExchange,
  HANDSHAKE.certificateVerify,
  HANDSHAKE.finished,
] as const;

const MASTER_BYTES = 48;
const CLOSE_NOTIFY = 0;
/** Records a handshake may take, repetitions included; a client that needs more is none. */
const MOST_RECORDS = 400;

class Refused extends Error {}

/**
 * A DTLS 1.2 server that makes SRTP keys (RFC 6347, RFC 5764): one suite, one curve, extended master secret (RFC 7627), and
 * the client must prove its certificate and everything said. It has no timers: a client that hears nothing repeats its
 * flight, and then so do we. There is no cookie either: ICE has shown that whoever speaks is there.
 */
export class DtlsServer {
  private readonly options: DtlsServerOptions;
  private readonly reassembly = new Reassembly();
  private readonly writer = new RecordWriter();
  private readonly random = randomBytes(32);
  private readonly transcript: Buffer[] = [];
  private step = 0;
  private records = 0;
  private sequence = 0;
  private flight: readonly Buffer[] = [];
  /** Stands before the flight that is encrypted. */
  private changeCipherSpec: Buffer = Buffer.alloc(0);
  private mustRepeat = false;
  private ecdh: ECDH | undefined;
  private clientRandom = Buffer.alloc(0);
  private clientCertificate = Buffer.alloc(0);
  private master: Buffer = Buffer.alloc(0);
  private clientKey: WriteKey | undefined;
  private serverKey: WriteKey | undefined;
  private ended = false;

  constructor(options: DtlsServerOptions) {
    this.options = options;
  }

  get isConnected(): boolean {
    return this.step === STEPS.length && !this.ended;
  }

  /** One datagram of the client's. What is not understood is dropped. */
  receive(datagram: Buffer): void {
    for (const record of readRecords(datagram)) {
      if (this.ended || (!this.isConnected && ++this.records > MOST_RECORDS)) return;
      try {
        this.take(record);
      } catch (error) {
        this.end(error instanceof Refused ? error.message : 'handshake not understood');
      }
    }
    if (this.mustRepeat) this.sendFlight();
    this.mustRepeat = false;
  }

  private take(record: DtlsRecord): void {
    if (record.epoch === 0) {
      if (record.type === RECORD.handshake) this.hear(record.payload);
      return;
    }
    const plain = record.epoch === 1 && this.clientKey ? openRecord(this.clientKey, record) : undefined;
    if (plain === undefined) return;
    if (record.type === RECORD.handshake) this.hear(plain, true);
    else if (record.type === RECORD.alert && (plain[1] === CLOSE_NOTIFY || plain[0] === 2))
      this.options.onClose();
  }

  private hear(fragments: Buffer, isEncrypted = false): void {
    const { messages, repeated } = this.reassembly.push(fragments);
    if (repeated && messages.length === 0) this.mustRepeat = true;
    // Once connected a message is a repetition, or somebody's who only writes the browser's address: nothing moves.
    if (this.isConnected) return;
    for (const message of messages) {
      const type = STEPS[this.step];
      if (message.type !== type || isEncrypted !== (type === HANDSHAKE.finished)) {
        throw new Refused('handshake out of order');
      }
      this.advance(message);
      this.transcript.push(writeMessage(message));
      this.step++;
      this.react(type);
    }
  }

  /** What a message says; throws when it may not. */
  private advance({ type, body }: HandshakeMessage): void {
    if (type === HANDSHAKE.clientHello) return this.greet(body);
    if (type === HANDSHAKE.certificate) return this.meet(body);
    if (type === HANDSHAKE.clientKeyExchange) return void this.agree(body);
    if (type === HANDSHAKE.certificateVerify) return this.verify(body);
    if (!timingSafeEqual(padded(body), padded(this.finished('client finished')))) {
      throw new Refused('handshake was tampered with');
    }
  }

  /** What follows a message once it is part of the transcript. */
  private react(type: (typeof STEPS)[number]): void {
    if (type === HANDSHAKE.clientHello) this.answer();
    else if (type === HANDSHAKE.clientKeyExchange) this.derive();
    else if (type === HANDSHAKE.finished) this.finish();
  }

  private greet(body: Buffer): void {
    const hello = readClientHello(body);
    if (hello === undefined) throw new Refused('nothing in common with the browser');
    this.clientRandom = Buffer.from(hello.random);
    const ecdh = createECDH('prime256v1');
    this.ecdh = ecdh;
    const parameters = curveParameters(ecdh.generateKeys());
    const { identity } = this.options;
    const signed = Buffer.concat([this.clientRandom, this.random, parameters]);
    this.flight = [
      this.message(HANDSHAKE.serverHello, serverHello(this.random, hello)),
      this.message(HANDSHAKE.certificate, certificate(identity.certificate)),
      this.message(
        HANDSHAKE.serverKeyExchange,
        serverKeyExchange(parameters, sign('sha256', signed, identity.key)),
      ),
      this.message(HANDSHAKE.certificateRequest, certificateRequest()),
      this.message(HANDSHAKE.serverHelloDone, Buffer.alloc(0)),
    ];
  }

  private message(type: number, body: Buffer): Buffer {
    return writeMessage({ type, sequence: this.sequence++, body });
  }

  private answer(): void {
    this.transcript.push(...this.flight);
    this.sendFlight();
  }

  private meet(body: Buffer): void {
    const theirs = readCertificate(body);
    if (theirs === undefined || !this.options.believes(theirs)) {
      throw new Refused('certificate is not the one of the SDP');
    }
    this.clientCertificate = Buffer.from(theirs);
  }

  private agree(body: Buffer): void {
    const secret = this.ecdh?.computeSecret(readClientKeyExchange(body));
    this.ecdh = undefined;
    this.master = Buffer.from(secret ?? []);
  }

  /** From the shared secret and the transcript so far: master secret, then the keys of both directions. */
  private derive(): void {
    const seed = this.hash();
    this.master = prf(this.master, { label: 'extended master secret', seed, length: MASTER_BYTES });
    const randoms = Buffer.concat([this.random, this.clientRandom]);
    const block = prf(this.master, { label: 'key expansion', seed: randoms, length: 40 });
    this.clientKey = { key: block.subarray(0, 16), iv: block.subarray(32, 36) };
    this.serverKey = { key: block.subarray(16, 32), iv: block.subarray(36, 40) };
  }

  /** The client has the key its certificate speaks of: without this proof anybody could show a certificate they saw. */
  private verify(body: Buffer): void {
    const { algorithm, signature } = readCertificateVerify(body);
    if (algorithm !== ECDSA_P256_SHA256 && algorithm !== RSA_PKCS1_SHA256) {
      throw new Refused('signature of another kind');
    }
    const { publicKey } = new X509Certificate(this.clientCertificate);
    const kind = algorithm === ECDSA_P256_SHA256 ? 'ec' : 'rsa';
    const isTrue =
      publicKey.asymmetricKeyType === kind &&
      verify('sha256', Buffer.concat(this.transcript), publicKey, signature);
    if (!isTrue) throw new Refused('browser could not prove its certificate');
  }

  private finish(): void {
    if (this.serverKey === undefined) return;
    this.changeCipherSpec = this.writer.write(RECORD.changeCipherSpec, Buffer.from([1]));
    this.writer.encrypt(this.serverKey);
    this.flight = [this.message(HANDSHAKE.finished, this.finished('server finished'))];
    this.sendFlight();
    this.options.onKeys(this.srtpKeys());
    this.master = Buffer.alloc(0);
    this.transcript.length = 0;
  }

  private finished(label: string): Buffer {
    return prf(this.master, { label, seed: this.hash(), length: 12 });
  }

  /** RFC 5764 4.2: client's key, server's key, client's salt, server's salt. */
  private srtpKeys(): SrtpKeys {
    const seed = Buffer.concat([this.clientRandom, this.random]);
    const made = prf(this.master, { label: 'EXTRACTOR-dtls_srtp', seed, length: 60 });
    return {
      remote: Buffer.concat([made.subarray(0, 16), made.subarray(32, 46)]),
      local: Buffer.concat([made.subarray(16, 32), made.subarray(46, 60)]),
    };
  }

  private hash(): Buffer {
    return createHash('sha256').update(Buffer.concat(this.transcript)).digest();
  }

  /** Our last flight in one datagram: it is far shorter than any path's limit. */
  private sendFlight(): void {
    if (this.flight.length === 0) return;
    const records = this.flight.map((message) => this.writer.write(RECORD.handshake, message));
    this.options.send(Buffer.concat([this.changeCipherSpec, ...records]));
  }

  private end(why: string): void {
    if (this.ended) return;
    this.ended = true;
    this.options.onEnd(why);
  }
}

function padded(verifyData: Buffer): Buffer {
  return verifyData.length === 12 ? verifyData : Buffer.alloc(12);
}
