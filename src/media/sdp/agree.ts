import { isIPv6 } from 'node:net';
import { CODEC_NAMES, type CodecName } from '../codec/codecs.ts';
import type { Crypto, Direction, Endpoint, RemoteFormat, RemoteMedia } from './remote.ts';

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
}

export interface Policy {
  readonly srtp: 'off' | 'optional' | 'required';
  readonly inband: 'auto' | 'never';
  readonly ipv6: boolean;
}

const PLAIN = new Set(['RTP/AVP', 'RTP/AVPF']);
const SECURE = new Set(['RTP/SAVP', 'RTP/SAVPF']);
const REVERSED: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/** Picks one audio line, the secure one where there is a choice; undefined when none will do (488). */
export function agree(lines: readonly RemoteMedia[], policy: Policy): Agreed | undefined {
  const possible = lines.flatMap((media, line) => agreeLine(media, line, policy) ?? []);
  return possible.find((one) => one.crypto !== undefined) ?? possible[0];
}

function agreeLine(media: RemoteMedia, line: number, policy: Policy): Agreed | undefined {
  if (media.type !== 'audio' || !(media.port > 0 && media.port < 65_536)) return undefined;
  if (!isReachable(media, policy)) return undefined;
  const secure = SECURE.has(media.protocol);
  if (secure ? policy.srtp === 'off' : policy.srtp === 'required' || !PLAIN.has(media.protocol))
    return undefined;
  const crypto = secure ? media.crypto[0] : undefined;
  const events = eventsOf(media.formats);
  const format = codecOf(media.formats, events === undefined && policy.inband === 'auto');
  if (format === undefined || (secure && crypto === undefined)) return undefined;
  const held = media.address.kind === 'held';
  return {
    line,
    codec: format.name as CodecName,
    payloadType: format.payloadType,
    events,
    direction: held ? 'inactive' : REVERSED[media.direction],
    remote: held ? undefined : { address: media.address.text, port: media.port },
    crypto,
  };
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
