import { createHmac, timingSafeEqual } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Endpoint } from '../sdp/remote.ts';

/** STUN as far as an ICE lite agent needs it (RFC 8489, RFC 8445 7.3): it is asked, and answers. */

const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const COOKIE = 0x2112a442;
const HEADER_BYTES = 20;
const INTEGRITY_BYTES = 20;
/** A browser's check has some 100 bytes; reading an endless list of attributes would be work for nothing. */
const LONGEST_CHECK = 1_280;

const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  xorMappedAddress: 0x0020,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
} as const;

export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

export interface BindingRequest {
  readonly transaction: Buffer;
  /** The browser has chosen this path. */
  readonly nominates: boolean;
}

/** Whether a datagram on a media port is STUN (RFC 7983). */
export function isStun(data: Buffer): boolean {
  return data.length >= HEADER_BYTES && (data[0] as number) < 4 && data.readUInt32BE(4) === COOKIE;
}

/** A connectivity or consent check meant for us, proven with our password; undefined: anything else. */
export function readBinding(data: Buffer, local: IceCredentials): BindingRequest | undefined {
  if (data.length > LONGEST_CHECK) return undefined;
  if (data.readUInt16BE(0) !== BINDING_REQUEST || data.readUInt16BE(2) + HEADER_BYTES !== data.length) {
    return undefined;
  }
  const attributes = readAttributes(data);
  const username = attributes.get(ATTRIBUTE.username)?.value.toString('utf8') ?? '';
  const integrity = attributes.get(ATTRIBUTE.messageIntegrity);
  if (integrity?.value.length !== INTEGRITY_BYTES || !username.startsWith(`${local.ufrag}:`))
    return undefined;
  const expected = integrityOf(data.subarray(0, integrity.at), local.pwd);
  if (!timingSafeEqual(expected, integrity.value)) return undefined;
  const chosen = attributes.get(ATTRIBUTE.useCandidate);
  const nominates = chosen !== undefined && chosen.at < integrity.at;
  return { transaction: Buffer.from(data.subarray(8, HEADER_BYTES)), nominates };
}

/** The answer: where the request was seen to come from. */
export function bindingSuccess(
  { transaction }: BindingRequest,
  from: Endpoint,
  local: IceCredentials,
): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(BINDING_SUCCESS);
  header.writeUInt32BE(COOKIE, 4);
  const mapped = attribute(ATTRIBUTE.xorMappedAddress, xorMapped(from, transaction));
  const message = Buffer.concat([header, transaction, mapped]);
  const proven = Buffer.concat([
    message,
    attribute(ATTRIBUTE.messageIntegrity, integrityOf(message, local.pwd)),
  ]);
  const whole = Buffer.concat([proven, attribute(ATTRIBUTE.fingerprint, Buffer.alloc(4))]);
  whole.writeUInt16BE(whole.length - HEADER_BYTES, 2);
  whole.writeUInt32BE((crc32(whole.subarray(0, proven.length)) ^ 0x5354554e) >>> 0, whole.length - 4);
  return whole;
}

interface Attribute {
  /** Where it begins. */
  readonly at: number;
  readonly value: Buffer;
}

/** The first of each kind. */
function readAttributes(data: Buffer): Map<number, Attribute> {
  const found = new Map<number, Attribute>();
  for (let at = HEADER_BYTES; at + 4 <= data.length; ) {
    const type = data.readUInt16BE(at);
    const end = at + 4 + data.readUInt16BE(at + 2);
    if (end > data.length) break;
    if (!found.has(type)) found.set(type, { at, value: data.subarray(at + 4, end) });
    at = end + ((4 - (end % 4)) % 4);
  }
  return found;
}

/** Over the message so far, its length counted as if the attribute stood there already (RFC 8489 14.5). */
function integrityOf(message: Buffer, pwd: string): Buffer {
  const counted = Buffer.from(message);
  counted.writeUInt16BE(message.length + 4 + INTEGRITY_BYTES - HEADER_BYTES, 2);
  return createHmac('sha1', pwd).update(counted).digest();
}

function attribute(type: number, value: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16BE(type);
  header.writeUInt16BE(value.length, 2);
  return Buffer.concat([header, value]);
}

function xorMapped({ address, port }: Endpoint, transaction: Buffer): Buffer {
  const bytes = addressBytes(address);
  const mask = Buffer.alloc(4);
  mask.writeUInt32BE(COOKIE);
  const key = Buffer.concat([mask, transaction]);
  const value = Buffer.alloc(4 + bytes.length);
  value[1] = bytes.length === 16 ? 2 : 1;
  value.writeUInt16BE(port ^ (COOKIE >>> 16), 2);
  for (const [index, byte] of bytes.entries()) value[4 + index] = byte ^ (key[index] as number);
  return value;
}

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const plain = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const [head = '', tail] = plain.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...before, ...zeros, ...after].entries())
    bytes.writeUInt16BE(group, 2 * index);
  return bytes;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The length field counts the fingerprint, which stands behind what is summed. */
function crc32(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (CRC_TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
