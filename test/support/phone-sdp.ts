import type { CodecName } from '../../src/media/codec/codecs.ts';
import type { AudioPath } from './phone-audio.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What a phone can do; the defaults are a VVX 411's. */
export interface SdpAbilities {
  /** Static payload types in order of preference. */
  readonly codecs: readonly number[];
  /** Payload type offered for telephone-event, undefined: none. */
  readonly eventType: number | undefined;
}

export const VVX: SdpAbilities = { codecs: [9, 0, 8, 18], eventType: 127 };

const RTPMAP: Readonly<Record<number, string>> = { 0: 'PCMU', 8: 'PCMA', 9: 'G722', 18: 'G729' };
const PLAYABLE: Readonly<Record<number, CodecName>> = { 0: 'PCMU', 8: 'PCMA', 9: 'G722' };

interface Written {
  readonly version: number;
  readonly port: number;
  readonly direction: Direction;
  readonly types: readonly number[];
  readonly eventType: number | undefined;
}

/** A session description as a VVX writes it: direction before the m-line, telephone-event without fmtp. */
export function writeSdp(what: Written): string {
  const all = [...what.types, ...(what.eventType === undefined ? [] : [what.eventType])];
  const maps = what.types.map((type) => `a=rtpmap:${type} ${RTPMAP[type]}/8000`);
  return [
    'v=0',
    `o=- 1553686678 ${what.version} IN IP4 127.0.0.1`,
    's=Polycom IP Phone',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `a=${what.direction}`,
    `m=audio ${what.port} RTP/AVP ${all.join(' ')}`,
    ...maps,
    ...(what.types.includes(18) ? ['a=fmtp:18 annexb=no'] : []),
    ...(what.eventType === undefined ? [] : [`a=rtpmap:${what.eventType} telephone-event/8000`]),
    '',
  ].join('\r\n');
}

export interface ReadSdp extends AudioPath {
  readonly direction: Direction;
}

/** The audio line of a session description; undefined when it has none of `codecs` that can be played. */
export function readSdp(sdp: string, codecs: readonly number[]): ReadSdp | undefined {
  const media = /^m=audio (\d+) RTP\/\S+ (.*)$/m.exec(sdp);
  const address = /^c=IN IP4 (\S+)/m.exec(sdp.slice(media?.index ?? 0)) ?? /^c=IN IP4 (\S+)/m.exec(sdp);
  const offered = (media?.[2] ?? '').trim().split(' ').map(Number);
  const first = offered.find((type) => type in PLAYABLE && codecs.includes(type));
  if (!media || !address || first === undefined) return undefined;
  const events = /^a=rtpmap:(\d+) telephone-event\/8000/im.exec(sdp);
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m.exec(sdp);
  return {
    remote: { host: address[1] as string, port: Number(media[1]) },
    codec: PLAYABLE[first] as CodecName,
    payloadType: first,
    eventType: events ? Number(events[1]) : undefined,
    direction: (direction?.[1] as Direction | undefined) ?? 'sendrecv',
  };
}

/** What we may answer to an offer's direction (RFC 3264 6.1). */
export function answerTo(offered: Direction): Direction {
  if (offered === 'sendonly') return 'recvonly';
  if (offered === 'recvonly') return 'sendonly';
  return offered;
}
