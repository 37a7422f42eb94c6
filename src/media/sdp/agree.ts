import { isIPv6 } from 'node:net';
import { CODEC_NAMES, type CodecName } from '../codec/codecs.ts';
import {
  type Crypto,
  type Direction,
  type Endpoint,
  type RemoteFormat,
  type RemoteMedia,
  type RemoteWeb,
  WEB_PROTOCOL,
} from './remote.ts';

/** What both sides will do: the outcome of an offer and an answer, whoever offered. */
export interface Agreed {
  /** Which `m=` line it is. */
  readonly line: number;
  readonly codec: CodecName;
  readonly payloadType: number;
  /** telephone-event as the far side numbers it; undefined when it has none. */
  readonly events: { readonly payloadType: number; readonly fmtp: string } | undefined;
  /** As seen from here. */
  readonly direction: Direction;
  /** Where to send; undefined while the far side holds us the old way (c=0.0.0.0). */
  readonly remote: Endpoint | undefined;
  readonly crypto: Crypto | undefined;
  /** The far side is a browser: where to send is found by ICE, and keys are made by DTLS. */
  readonly web: RemoteWeb | undefined;
  readonly mid: string | undefined;
}

export interface Policy {
  readonly srtp: 'off' | 'optional' | 'required';
  readonly inband: 'auto' | 'never';
  readonly ipv6: boolean;
  /** Browsers are answered. */
  readonly webrtc?: boolean | undefined;
  /** Codecs to choose from; absent: all. */
  readonly codecs?: readonly CodecName[] | undefined;
}

/** Of a call that may be joined to a call of another kind: each can be made of the other byte by byte. */
export const RELAYED: readonly CodecName[] = ['PCMA', 'PCMU'];
const PLAIN = new Set(['RTP/AVP', 'RTP/AVPF']);
const SECURE = new Set(['RTP/SAVP', 'RTP/SAVPF']);
export const REVERSED: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/** Picks one audio line, the secure one where there is a choice; undefined when none will do (488). */
export function agree(lines: readonly RemoteMedia[], policy: Policy): Agreed | undefined {
  const possible = lines.flatMap((media, line) => agreeLine(media, line, policy) ?? []);
  return possible.find(({ crypto, web }) => crypto ?? web) ?? possible[0];
}

/** What both allow. */
export function narrowed(one: Direction, other: Direction): Direction {
  const both = (way: 'sendonly' | 'recvonly'): boolean =>
    [one, other].every((it) => it === way || it === 'sendrecv');
  const [sends, receives] = [both('sendonly'), both('recvonly')];
  if (sends && receives) return 'sendrecv';
  return sends ? 'sendonly' : receives ? 'recvonly' : 'inactive';
}

function agreeLine(media: RemoteMedia, line: number, policy: Policy): Agreed | undefined {
  if (media.type !== 'audio' || !(media.port > 0 && media.port < 65_536)) return undefined;
  if (media.protocol === WEB_PROTOCOL) return agreeWeb(media, line, policy);
  if (!isReachable(media, policy)) return undefined;
  const secure = SECURE.has(media.protocol);
  if (secure ? policy.srtp === 'off' : policy.srtp === 'required' || !PLAIN.has(media.protocol))
    return undefined;
  const crypto = secure ? media.crypto[0] : undefined;
  const spoken = agreeFormats(media, policy);
  if (spoken === undefined || (secure && crypto === undefined)) return undefined;
  const held = media.address.kind === 'held';
  return {
    line,
    ...spoken,
    direction: held ? 'inactive' : REVERSED[media.direction],
    remote: held ? undefined : { address: media.address.text, port: media.port },
    crypto,
    ...{ web: undefined, mid: media.mid },
  };
}

/** A browser's line has no address worth reading; we only ever wait for its handshake. */
function agreeWeb(media: RemoteMedia, line: number, policy: Policy): Agreed | undefined {
  const { web, mid } = media;
  const spoken = agreeFormats(media, { ...policy, codecs: RELAYED });
  if (!policy.webrtc || web === undefined || web.setup === 'passive' || spoken === undefined)
    return undefined;
  const direction = REVERSED[media.direction];
  return { line, ...spoken, direction, remote: undefined, crypto: undefined, web, mid };
}

function agreeFormats(
  { formats }: RemoteMedia,
  policy: Policy,
): Pick<Agreed, 'codec' | 'payloadType' | 'events'> | undefined {
  const events = eventsOf(formats);
  const known = formats.filter(({ name }) => policy.codecs?.includes(name as CodecName) ?? true);
  const format = codecOf(known, events === undefined && policy.inband === 'auto');
  if (format === undefined) return undefined;
  return { codec: format.name as CodecName, payloadType: format.payloadType, events };
}

function isReachable(media: RemoteMedia, policy: Policy): boolean {
  if (media.address.kind === 'held') return true;
  return media.address.kind === 'address' && isIPv6(media.address.text) === policy.ipv6;
}

/** First of the far side's order that we speak; G.711 first where digits must be heard in the audio. */
function codecOf(formats: readonly RemoteFormat[], inband: boolean): RemoteFormat | undefined {
  const ours = formats.filter((one) => one.rate === 8000 && CODEC_NAMES.includes(one.name as CodecName));
  return (inband ? ours.find((one) => one.name !== 'G722') : undefined) ?? ours[0];
}

function eventsOf(formats: readonly RemoteFormat[]): Agreed['events'] {
  const found = formats.find(
    (one) =>
      one.name === 'TELEPHONE-EVENT' && one.rate === 8000 && one.payloadType >= 96 && one.payloadType <= 127,
  );
  if (found === undefined) return undefined;
  const whole = found.fmtp === undefined || /^0-1[56](?!\d)/.test(found.fmtp.trim());
  return { payloadType: found.payloadType, fmtp: whole ? '0-15' : '0-11' };
}
