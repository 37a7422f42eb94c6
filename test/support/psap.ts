import { sdpOf } from '../../src/sip/body.ts';
import type { Phone } from './phone.ts';
import { SipText } from './sip-text.ts';

const SOS = 'urn:service:sos';
/** What sip.js takes for it: it knows SIP addresses only. */
const STAND_IN = 'sip:sos@service.invalid';

const psaps = new WeakSet<Phone>();

/**
 * Makes a test phone one that answers emergency calls: it takes service URNs and bodies of several parts, which sip.js
 * does not. What arrived stands in its trace as it came.
 */
export function asPsap(phone: Phone): void {
  const { wire } = phone;
  if (psaps.has(phone)) return;
  psaps.add(phone);
  const deliver = wire.onMessage;
  wire.onMessage = (text) => deliver?.(readable(text));
  wire.onSend = (text) => text.replaceAll(STAND_IN, SOS);
}

function readable(text: string): string {
  const plain = text.replaceAll(SOS, STAND_IN);
  const message = new SipText(plain);
  if (!/^multipart\//i.test(message.header('Content-Type'))) return plain;
  const sdp = sdpOf({ body: message.body, get: (name) => message.header(name) });
  const head = plain.slice(0, plain.indexOf('\r\n\r\n'));
  const type = sdp === '' ? '' : '\r\nContent-Type: application/sdp';
  const others = head.replace(/\r\n(Content-Type|Content-Length):[^\r\n]*/gi, '');
  return `${others}${type}\r\nContent-Length: ${Buffer.byteLength(sdp)}\r\n\r\n${sdp}`;
}

export interface Part {
  header(name: string): string;
  readonly content: string;
}

/** The parts of a multipart body, read by the rules of RFC 2046 5.1.1 and not with the product's own code. */
export function partsOf(message: SipText): Part[] {
  const boundary = /^multipart\/mixed\s*;.*?boundary="?([^";]+)/i.exec(message.header('Content-Type'))?.[1];
  if (boundary === undefined) throw new Error('not multipart/mixed with a boundary');
  const [preamble, ...rest] = `\r\n${message.body}`.split(`\r\n--${boundary}`);
  const end = rest.pop();
  if (preamble !== '' || end?.trimEnd() !== '--') throw new Error('the multipart body is not closed');
  return rest.map((part) => {
    const read = new SipText(`PART${part}`);
    return { header: (name) => read.header(name), content: read.body };
  });
}
