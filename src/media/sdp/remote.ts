import { isIP } from 'node:net';
import { type MediaDescription, parse } from 'sdp-transform';
import { MASTER_BYTES, SUITES, type Suite } from '../rtp/srtp.ts';
import { isKnownHash, type RemoteTransport } from '../webrtc/transport.ts';

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

/** What a browser says of its transport (RFC 8839, RFC 8842). */
export interface RemoteWeb extends RemoteTransport {
  readonly setup: string;
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
  /** `a=mid` (RFC 5888). */
  readonly mid: string | undefined;
  /** Set on a line that a browser wrote, if it can be answered. */
  readonly web: RemoteWeb | undefined;
}

/** Of WebRTC. */
export const WEB_PROTOCOL = 'UDP/TLS/RTP/SAVPF';

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
    remoteMedia(line, { ...session, address: session.connection?.ip }),
  );
  return lines.every((line) => line.type !== '' && line.protocol !== '') ? lines : undefined;
}

/** What a line may leave to the session part. */
interface SessionPart extends TransportPart {
  readonly direction?: unknown;
  readonly address: string | undefined;
}

interface TransportPart {
  readonly iceUfrag?: string | undefined;
  readonly icePwd?: string | undefined;
  readonly fingerprint?: { readonly type: string; readonly hash: string } | undefined;
  readonly setup?: string | undefined;
}

function remoteMedia(line: MediaDescription, session: SessionPart): RemoteMedia {
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
    mid: line.mid === undefined ? undefined : String(line.mid),
    web: line.protocol === WEB_PROTOCOL && line.rtcpMux !== undefined ? webOf(line, session) : undefined,
  };
}

/** Each of them may stand in the line or before all lines. */
function webOf(line: TransportPart, session: TransportPart): RemoteWeb | undefined {
  const part = { ...session, ...line };
  // sdp-transform makes numbers of what looks like one.
  const [ufrag, pwd] = [String(part.iceUfrag ?? ''), String(part.icePwd ?? '')];
  const { fingerprint, setup = 'actpass' } = part;
  if (!/^[\w+/-]{1,256}$/.test(ufrag) || !/^[\w+/-]{1,256}$/.test(pwd)) return undefined;
  if (fingerprint === undefined || !isKnownHash(fingerprint.type)) return undefined;
  return { ufrag, pwd, setup, fingerprint: { hash: fingerprint.type, value: fingerprint.hash } };
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
