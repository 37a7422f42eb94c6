import { isIP } from 'node:net';
import { type MediaDescription, parse } from 'sdp-transform';
import { MASTER_BYTES, SUITES, type Suite } from '../rtp/srtp.ts';

/** The far side's SDP, reduced to what a menu with sound and digits needs. */

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface Crypto {
  readonly tag: number;
  readonly suite: Suite;
  /** Key ‖ salt. */
  readonly master: Buffer;
}

export interface RemoteFormat {
  readonly payloadType: number;
  /** Encoding name in upper case, from rtpmap or RFC 3551's table; undefined when neither knows it. */
  readonly name: string | undefined;
  readonly rate: number;
  readonly fmtp: string | undefined;
}

export interface RemoteMedia {
  readonly type: string;
  readonly port: number;
  readonly protocol: string;
  /** First format as written, to echo in a rejected line. */
  readonly firstFormat: string;
  readonly formats: readonly RemoteFormat[];
  readonly direction: Direction;
  /** `held`: the old hold, 0.0.0.0. `unusable`: a host name, multicast, or not an address. */
  readonly address: { readonly kind: 'address' | 'held' | 'unusable'; readonly text: string };
  readonly crypto: readonly Crypto[];
}

const LONGEST_SDP = 16_384;
const MOST_LINES = 16;
const DIRECTIONS = new Set<unknown>(['sendrecv', 'sendonly', 'recvonly', 'inactive']);
const STATIC_NAMES: Readonly<Record<number, string>> = { 0: 'PCMU', 8: 'PCMA', 9: 'G722' };

/** Every `m=` line in order, or undefined when this is not SDP or holds a line that could not be answered. */
export function parseRemote(sdp: string): readonly RemoteMedia[] | undefined {
  if (sdp.length > LONGEST_SDP || !/^v=0\s/.test(sdp)) return undefined;
  const session = parse(sdp);
  if (session.media.length === 0 || session.media.length > MOST_LINES) return undefined;
  const lines = session.media.map((line) =>
    remoteMedia(line, { direction: session.direction, address: session.connection?.ip }),
  );
  return lines.every((line) => line.type !== '' && line.protocol !== '') ? lines : undefined;
}

function remoteMedia(
  line: MediaDescription,
  session: { direction: unknown; address: string | undefined },
): RemoteMedia {
  const formats = String(line.payloads ?? '').split(' ');
  const direction = [line.direction, session.direction].find((one) => DIRECTIONS.has(one));
  return {
    type: line.type ?? '',
    port: Number(line.port),
    protocol: line.protocol ?? '',
    firstFormat: formats[0] ?? '',
    formats: formats.filter((format) => /^\d{1,3}$/.test(format)).map((format) => remoteFormat(line, format)),
    direction: (direction as Direction | undefined) ?? 'sendrecv',
    address: addressOf(String(line.connection?.ip ?? session.address ?? '')),
    crypto: (line.crypto ?? []).flatMap(cryptoOf),
  };
}

function remoteFormat(line: MediaDescription, format: string): RemoteFormat {
  const payloadType = Number(format);
  const map = line.rtp.find((one) => one.payload === payloadType);
  const fmtp = line.fmtp.find((one) => one.payload === payloadType)?.config;
  const mono = map === undefined || map.encoding === undefined || Number(map.encoding) === 1;
  return {
    payloadType,
    name: map === undefined ? STATIC_NAMES[payloadType] : mono ? String(map.codec).toUpperCase() : undefined,
    rate: Number(map?.rate ?? 8000),
    fmtp: fmtp === undefined ? undefined : String(fmtp),
  };
}

function addressOf(written: string): RemoteMedia['address'] {
  const text = written.split('/')[0] as string;
  if (text === '0.0.0.0' || text === '::') return { kind: 'held', text };
  const usable = isIP(text) !== 0 && !/^(22[4-9]|23\d|255\.255\.255\.255$)/.test(text) && !/^ff/i.test(text);
  return { kind: usable ? 'address' : 'unusable', text };
}

/** One `a=crypto` line, if it is one of ours: known suite, one key, no MKI, nothing switched off (RFC 4568). */
function cryptoOf(line: { id: number; suite: string; config: string; sessionConfig?: string }): Crypto[] {
  const suite = String(line.suite);
  if (!Object.hasOwn(SUITES, suite) || !/^(WSH=\d+|UNENCRYPTED_SRTCP)?$/i.test(line.sessionConfig ?? ''))
    return [];
  const key = /^inline:([A-Za-z0-9+/]+={0,2})(?:\|(?:2\^)?\d+)?$/.exec(String(line.config));
  const master = Buffer.from(key?.[1] ?? '', 'base64');
  return master.length === MASTER_BYTES ? [{ tag: Number(line.id), suite: suite as Suite, master }] : [];
}
