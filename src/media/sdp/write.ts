import { isIPv6 } from 'node:net';
import { type CodecName, STATIC_PAYLOAD } from '../codec/codecs.ts';
import type { Suite } from '../rtp/srtp.ts';
import type { IceCredentials } from '../webrtc/stun.ts';
import type { Agreed } from './agree.ts';
import { type Direction, type RemoteMedia, WEB_PROTOCOL } from './remote.ts';

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

/** Our end of a browser's transport. */
export interface LocalWeb extends IceCredentials {
  readonly fingerprint: string;
}

/** Keys of the session: our own by SDES, or what DTLS makes them with. Neither: plain RTP. */
export interface LocalKeys {
  readonly crypto: LocalCrypto | undefined;
  readonly web: LocalWeb | undefined;
}

/** The event number we offer when it is our turn to choose. */
export const OFFERED_EVENTS = 101;
const OFFERED_CODECS: readonly CodecName[] = ['PCMA', 'PCMU', 'G722'];

/** Our answer (RFC 3264 6): the agreed line, every other line refused with port 0. */
export function writeAnswer(
  local: LocalEnd,
  lines: readonly RemoteMedia[],
  terms: LocalKeys & { agreed: Agreed },
): string {
  const { agreed, web } = terms;
  const media = lines.map((line, index) =>
    index === agreed.line
      ? agreedLine(local, line.protocol, terms)
      : `m=${line.type} 0 ${line.protocol} ${line.firstFormat}\r\n${midLine(web && line.mid)}`,
  );
  return header(local) + bundleLines(web, agreed.mid) + media.join('');
}

export interface OfferTerms extends LocalKeys {
  readonly codecs?: readonly CodecName[] | undefined;
  readonly direction?: Direction | undefined;
  readonly mid?: string | undefined;
}

/** Our offer, for an INVITE or re-INVITE that came without one, or to a browser. */
export function writeOffer(local: LocalEnd, terms: OfferTerms): string {
  const { crypto, web, codecs = OFFERED_CODECS, direction = 'sendrecv', mid = '0' } = terms;
  const payloads = [...codecs.map((codec) => STATIC_PAYLOAD[codec]), OFFERED_EVENTS];
  const protocol = web ? WEB_PROTOCOL : crypto ? 'RTP/SAVP' : 'RTP/AVP';
  return (
    header(local) +
    bundleLines(web, mid) +
    `m=audio ${local.port} ${protocol} ${payloads.join(' ')}\r\n` +
    codecs.map((codec) => `a=rtpmap:${STATIC_PAYLOAD[codec]} ${codec}/8000\r\n`).join('') +
    eventLines({ payloadType: OFFERED_EVENTS, fmtp: '0-15' }) +
    'a=ptime:20\r\n' +
    cryptoLine(crypto) +
    webLines(local, web, { setup: 'actpass', mid }) +
    `a=${direction}\r\n`
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
  { agreed, crypto, web }: LocalKeys & { agreed: Agreed },
): string {
  const events = agreed.events;
  return (
    `m=audio ${local.port} ${protocol} ${agreed.payloadType}${events ? ` ${events.payloadType}` : ''}\r\n` +
    `a=rtpmap:${agreed.payloadType} ${agreed.codec}/8000\r\n` +
    (events ? eventLines(events) : '') +
    'a=ptime:20\r\n' +
    cryptoLine(crypto) +
    webLines(local, web, { setup: 'passive', mid: agreed.mid }) +
    `a=${agreed.direction}\r\n`
  );
}

/** Of the session: the browser looks for us, and everything goes over one port (RFC 8839 5.3, RFC 9143). */
function bundleLines(web: LocalWeb | undefined, mid: string | undefined): string {
  if (web === undefined) return '';
  return `a=ice-lite\r\n${mid === undefined ? '' : `a=group:BUNDLE ${mid}\r\n`}`;
}

/** One candidate: the port all of the call uses (RFC 8839, RFC 8842, RFC 5761). */
function webLines(
  { address, port }: LocalEnd,
  web: LocalWeb | undefined,
  { setup, mid }: { setup: 'actpass' | 'passive'; mid: string | undefined },
): string {
  if (web === undefined) return '';
  return (
    `${midLine(mid)}a=rtcp-mux\r\na=msid:hotdesk audio\r\n` +
    `a=ice-ufrag:${web.ufrag}\r\na=ice-pwd:${web.pwd}\r\n` +
    `a=fingerprint:sha-256 ${web.fingerprint}\r\na=setup:${setup}\r\n` +
    `a=candidate:1 1 udp 2130706431 ${address} ${port} typ host\r\na=end-of-candidates\r\n`
  );
}

function midLine(mid: string | undefined): string {
  return mid === undefined ? '' : `a=mid:${mid}\r\n`;
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
