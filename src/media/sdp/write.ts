import { isIPv6 } from 'node:net';
import { type CodecName, STATIC_PAYLOAD } from '../codec/codecs.ts';
import type { Suite } from '../rtp/srtp.ts';
import type { Agreed } from './agree.ts';
import type { RemoteMedia } from './remote.ts';

/** Who we are in SDP: the same session id and port for the life of the call. */
export interface LocalEnd {
  readonly sessionId: number;
  readonly version: number;
  readonly address: string;
  readonly port: number;
}

export interface LocalCrypto {
  readonly tag: number;
  readonly suite: Suite;
  readonly master: Buffer;
}

/** The event number we offer when it is our turn to choose. */
export const OFFERED_EVENTS = 101;
const OFFERED_CODECS: readonly CodecName[] = ['PCMA', 'PCMU', 'G722'];

/** Our answer (RFC 3264 6): the agreed line, every other line refused with port 0. */
export function writeAnswer(
  local: LocalEnd,
  lines: readonly RemoteMedia[],
  terms: { agreed: Agreed; crypto: LocalCrypto | undefined },
): string {
  const media = lines.map((line, index) =>
    index === terms.agreed.line
      ? agreedLine(local, line.protocol, terms)
      : `m=${line.type} 0 ${line.protocol} ${line.firstFormat}\r\n`,
  );
  return header(local) + media.join('');
}

/** Our offer, for an INVITE or re-INVITE that came without one. */
export function writeOffer(local: LocalEnd, crypto: LocalCrypto | undefined): string {
  const payloads = [...OFFERED_CODECS.map((codec) => STATIC_PAYLOAD[codec]), OFFERED_EVENTS];
  return (
    header(local) +
    `m=audio ${local.port} ${crypto ? 'RTP/SAVP' : 'RTP/AVP'} ${payloads.join(' ')}\r\n` +
    OFFERED_CODECS.map((codec) => `a=rtpmap:${STATIC_PAYLOAD[codec]} ${codec}/8000\r\n`).join('') +
    eventLines({ payloadType: OFFERED_EVENTS, fmtp: '0-15' }) +
    'a=ptime:20\r\n' +
    cryptoLine(crypto) +
    'a=sendrecv\r\n'
  );
}

function header({ sessionId, version, address }: LocalEnd): string {
  const family = isIPv6(address) ? 'IP6' : 'IP4';
  return (
    `v=0\r\no=hotdesk ${sessionId} ${version} IN ${family} ${address}\r\ns=Hotdesk\r\n` +
    `c=IN ${family} ${address}\r\nt=0 0\r\n`
  );
}

function agreedLine(
  local: LocalEnd,
  protocol: string,
  { agreed, crypto }: { agreed: Agreed; crypto: LocalCrypto | undefined },
): string {
  const events = agreed.events;
  return (
    `m=audio ${local.port} ${protocol} ${agreed.payloadType}${events ? ` ${events.payloadType}` : ''}\r\n` +
    `a=rtpmap:${agreed.payloadType} ${agreed.codec}/8000\r\n` +
    (events ? eventLines(events) : '') +
    'a=ptime:20\r\n' +
    cryptoLine(crypto) +
    `a=${agreed.direction}\r\n`
  );
}

function eventLines(events: { payloadType: number; fmtp: string }): string {
  return (
    `a=rtpmap:${events.payloadType} telephone-event/8000\r\n` +
    `a=fmtp:${events.payloadType} ${events.fmtp}\r\n`
  );
}

function cryptoLine(crypto: LocalCrypto | undefined): string {
  if (crypto === undefined) return '';
  return `a=crypto:${crypto.tag} ${crypto.suite} inline:${crypto.master.toString('base64')}\r\n`;
}
