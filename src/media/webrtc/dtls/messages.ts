import { DTLS_1_2 } from './record.ts';

/** Handshake messages (RFC 5246 7.4, RFC 6347 4.2, RFC 8422, RFC 5764): those a server of one suite reads and writes. */

export const HANDSHAKE = {
  clientHello: 1,
  serverHello: 2,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;

/** TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, which every WebRTC endpoint has (RFC 8827 6.5). */
const SUITE = 0xc02b;
const P256 = 0x0017;
/** SRTP_AES128_CM_HMAC_SHA1_80, likewise. */
const SRTP_PROFILE = 0x0001;
export const ECDSA_P256_SHA256 = 0x0403;
export const RSA_PKCS1_SHA256 = 0x0401;

const EXTENSION = {
  groups: 10,
  pointFormats: 11,
  signatures: 13,
  useSrtp: 14,
  extendedMasterSecret: 23,
  renegotiation: 0xff01,
} as const;

/** Reads a message front to back; everything beyond its end throws, which ends the message and nothing else. */
class Reader {
  private readonly data: Buffer;
  private at = 0;

  constructor(data: Buffer) {
    this.data = data;
  }

  get isAtEnd(): boolean {
    return this.at >= this.data.length;
  }

  take(length: number): Buffer {
    if (this.at + length > this.data.length) throw new RangeError('handshake message cut short');
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }

  number(bytes: 1 | 2 | 3): number {
    return this.take(bytes).readUIntBE(0, bytes);
  }

  /** What a length of so many bytes stands before. */
  vector(bytes: 1 | 2 | 3): Buffer {
    return this.take(this.number(bytes));
  }
}

export interface ClientHello {
  readonly random: Buffer;
  readonly hasPointFormats: boolean;
}

/** What we need of a ClientHello; undefined when it is of a client that we have nothing in common with. */
export function readClientHello(body: Buffer): ClientHello | undefined {
  const reader = new Reader(body);
  // DTLS versions count down.
  const isOld = reader.number(2) > DTLS_1_2;
  const random = Buffer.from(reader.take(32));
  reader.vector(1);
  reader.vector(1);
  const suites = numbers(reader.vector(2));
  reader.vector(1);
  const extensions = readExtensions(reader.isAtEnd ? Buffer.alloc(0) : reader.vector(2));
  const list = (type: number): number[] => numbers(new Reader(extensions.get(type) ?? NO_LIST).vector(2));
  const fits =
    suites.includes(SUITE) &&
    list(EXTENSION.groups).includes(P256) &&
    list(EXTENSION.signatures).includes(ECDSA_P256_SHA256) &&
    list(EXTENSION.useSrtp).includes(SRTP_PROFILE) &&
    extensions.has(EXTENSION.extendedMasterSecret);
  return isOld || !fits ? undefined : { random, hasPointFormats: extensions.has(EXTENSION.pointFormats) };
}

const NO_LIST = Buffer.alloc(2);

function readExtensions(data: Buffer): Map<number, Buffer> {
  const reader = new Reader(data);
  const extensions = new Map<number, Buffer>();
  while (!reader.isAtEnd) extensions.set(reader.number(2), reader.vector(2));
  return extensions;
}

function numbers(data: Buffer): number[] {
  return Array.from({ length: data.length >> 1 }, (_, index) => data.readUInt16BE(2 * index));
}

/** The client's own certificate, the first of its chain; undefined when it has none. */
export function readCertificate(body: Buffer): Buffer | undefined {
  const chain = new Reader(new Reader(body).vector(3));
  return chain.isAtEnd ? undefined : Buffer.from(chain.vector(3));
}

/** The client's point on the curve. */
export function readClientKeyExchange(body: Buffer): Buffer {
  return new Reader(body).vector(1);
}

export function readCertificateVerify(body: Buffer): {
  readonly algorithm: number;
  readonly signature: Buffer;
} {
  const reader = new Reader(body);
  return { algorithm: reader.number(2), signature: reader.vector(2) };
}

export function serverHello(random: Buffer, { hasPointFormats }: ClientHello): Buffer {
  const extensions = Buffer.concat([
    extension(EXTENSION.useSrtp, vector(2, number(2, SRTP_PROFILE)), vector(1)),
    extension(EXTENSION.extendedMasterSecret),
    extension(EXTENSION.renegotiation, vector(1)),
    ...(hasPointFormats ? [extension(EXTENSION.pointFormats, vector(1, number(1, 0)))] : []),
  ]);
  const noSession = vector(1);
  const noCompression = number(1, 0);
  return Buffer.concat([
    ...[number(2, DTLS_1_2), random, noSession, number(2, SUITE), noCompression],
    vector(2, extensions),
  ]);
}

export function certificate(der: Buffer): Buffer {
  return vector(3, vector(3, der));
}

/** The part of a ServerKeyExchange that is signed, after both randoms. */
export function curveParameters(point: Buffer): Buffer {
  const namedCurve = number(1, 3);
  return Buffer.concat([namedCurve, number(2, P256), vector(1, point)]);
}

export function serverKeyExchange(parameters: Buffer, signature: Buffer): Buffer {
  return Buffer.concat([parameters, number(2, ECDSA_P256_SHA256), vector(2, signature)]);
}

/** Any certificate will do: it is held against the fingerprint in the SDP. */
export function certificateRequest(): Buffer {
  const types = vector(1, Buffer.from([64, 1]));
  const algorithms = vector(2, number(2, ECDSA_P256_SHA256), number(2, RSA_PKCS1_SHA256));
  return Buffer.concat([types, algorithms, vector(2)]);
}

function extension(type: number, ...content: readonly Buffer[]): Buffer {
  return Buffer.concat([number(2, type), vector(2, ...content)]);
}

function vector(bytes: 1 | 2 | 3, ...content: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(content);
  return Buffer.concat([number(bytes, whole.length), whole]);
}

function number(bytes: 1 | 2 | 3, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
