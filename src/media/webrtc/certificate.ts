import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/**
 * A self-signed certificate as WebRTC wants one (RFC 8827 6.5): P-256, ECDSA with SHA-256. Node can read certificates,
 * and not write them: here are the few lines of DER it takes. Nothing but its fingerprint, told in SDP, is ever believed.
 */
export interface Identity {
  readonly certificate: Buffer;
  readonly key: KeyObject;
  /** SHA-256, as in `a=fingerprint`. */
  readonly fingerprint: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const VERSION_TAG = 0xa0;

const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('550403', 'hex');

const DAY_MS = 86_400_000;
/** Clocks of browsers differ from ours. */
const BACKDATED_DAYS = 2;
const VALID_DAYS = 365;

/** A new key with its certificate. Takes about a millisecond. `now` in ms since 1970. */
export function newIdentity(now: number): Identity {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = der(SEQUENCE, der(OBJECT_ID, ECDSA_WITH_SHA256));
  const name = nameOf(`hotdesk-${randomBytes(4).toString('hex')}`);
  const body = der(
    SEQUENCE,
    der(VERSION_TAG, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, serial()),
    algorithm,
    name,
    der(SEQUENCE, time(now - BACKDATED_DAYS * DAY_MS), time(now + VALID_DAYS * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', body, key));
  const certificate = der(SEQUENCE, body, algorithm, signature);
  return { certificate, key, fingerprint: fingerprintOf(certificate, 'sha256') };
}

/** Upper-case hex with colons (RFC 8122 5). */
export function fingerprintOf(certificate: Buffer, hash: 'sha256' | 'sha384' | 'sha512'): string {
  const digest = createHash(hash).update(certificate).digest('hex').toUpperCase();
  return (digest.match(/../g) ?? []).join(':');
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

/** Positive and without leading zeros, whatever was drawn. */
function serial(): Buffer {
  const bytes = randomBytes(8);
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes;
}

function nameOf(text: string): Buffer {
  const attribute = der(SEQUENCE, der(OBJECT_ID, COMMON_NAME), der(UTF8_STRING, Buffer.from(text)));
  return der(SEQUENCE, der(SET, attribute));
}

/** YYMMDDHHMMSSZ; good until 2049. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(UTC_TIME, Buffer.from(`${digits}Z`));
}
