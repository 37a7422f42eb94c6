import { parseNameAddr, parseUri, parseVia, parseViaHead, splitList, topLevelComma } from './address.ts';
import type { SipMessage } from './message.ts';
import { reasonPhrase } from './reasons.ts';

export type Verdict =
  | { action: 'accept' }
  | { action: 'drop' }
  | { action: 'reject'; status: number; reason: string };

/**
 * Sizes in octets, checked before anything is parsed deeply: whoever reads Contact or Via later may need quadratic time.
 * Every valid message of RFC 4475 fits (its longest head has 3.4 kB, its longest From 0.6 kB).
 */
export interface SanityLimits {
  /** Start line and headers. */
  headBytes: number;
  /** All Contact values together. */
  contactBytes: number;
  /** Each of From, To, Call-ID and CSeq. */
  headerBytes: number;
}

export const DEFAULT_SANITY_LIMITS: SanityLimits = {
  headBytes: 16_384,
  contactBytes: 2_048,
  headerBytes: 1_024,
};

const ACCEPT: Verdict = { action: 'accept' };
const DROP: Verdict = { action: 'drop' };
const SINGLE = ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Length'];
const SIZED = ['From', 'To', 'Call-ID', 'CSeq'];
const MAX_FORWARDS = /^\d{1,10}$/;
const CALL_ID = /^[^ \t,;]+$/;

type Check = (message: SipMessage, limits: SanityLimits) => Verdict;

function reject(status: number, reason?: string): Verdict {
  return { action: 'reject', status, reason: reason ?? reasonPhrase(status) };
}

function bad(what: string): Verdict {
  return reject(400, `Bad Request (${what})`);
}

function version(message: SipMessage): Verdict {
  return message.version === 'SIP/2.0' ? ACCEPT : reject(505);
}

/** A Via with a readable sent-by can be answered, whatever its parameters look like; any other gets no answer. */
function topVia(message: SipMessage): Verdict {
  const value = message.get('Via');
  return value === undefined || parseViaHead(firstElement(value)) === undefined ? DROP : ACCEPT;
}

function firstElement(value: string): string {
  const comma = topLevelComma(value);
  return comma < 0 ? value : value.slice(0, comma);
}

function sizes(message: SipMessage, limits: SanityLimits): Verdict {
  if (message.headBytes > limits.headBytes) return reject(513);
  for (const name of SIZED) {
    if ((message.get(name)?.length ?? 0) > limits.headerBytes) return bad(`${name} too long`);
  }
  let contacts = 0;
  for (const value of message.getAll('Contact')) contacts += value.length;
  return contacts > limits.contactBytes ? bad('Contact too long') : ACCEPT;
}

function form(message: SipMessage): Verdict {
  return message.defect === undefined ? ACCEPT : bad(message.defect);
}

function counts(message: SipMessage): Verdict {
  const repeated = SINGLE.find((name) => message.count(name) > 1);
  return repeated === undefined ? ACCEPT : bad(`more than one ${repeated}`);
}

function cseq(message: SipMessage): Verdict {
  return message.cseq?.method === message.method ? ACCEPT : bad('CSeq');
}

function identities(message: SipMessage): Verdict {
  if (!CALL_ID.test(message.callId ?? '')) return bad('Call-ID');
  if (message.from === undefined) return bad('From');
  return message.to === undefined ? bad('To') : ACCEPT;
}

function maxForwards(message: SipMessage): Verdict {
  const value = message.get('Max-Forwards');
  if (value === undefined) return ACCEPT;
  return MAX_FORWARDS.test(value) && Number(value) <= 255 ? ACCEPT : bad('Max-Forwards');
}

function contacts(message: SipMessage): Verdict {
  for (const value of message.getAll('Contact')) {
    if (value === '*') continue;
    for (const element of splitList(value)) {
      if (parseNameAddr(element) === undefined) return bad('Contact');
    }
  }
  return ACCEPT;
}

function vias(message: SipMessage): Verdict {
  for (const value of message.getAll('Via')) {
    for (const element of splitList(value)) {
      if (parseVia(element) === undefined) return bad('Via');
    }
  }
  return ACCEPT;
}

function sipUri(message: SipMessage): Verdict {
  const headers = message.uri.includes('?', message.uri.indexOf('@') + 1);
  return headers || parseUri(message.uri) === undefined ? bad('Request-URI') : ACCEPT;
}

/** `urn:service:` is how emergency calls may be addressed (RFC 5031). */
function requestUri(message: SipMessage): Verdict {
  const scheme = message.uri.split(':', 1)[0]?.toLowerCase();
  if (scheme === 'sip' || scheme === 'sips') return sipUri(message);
  if (parseUri(message.uri) === undefined) return bad('Request-URI');
  return scheme === 'tel' || message.uri.toLowerCase().startsWith('urn:service:') ? ACCEPT : reject(416);
}

/** The order decides the answer: the first that does not accept wins. */
const REQUEST_CHECKS: readonly Check[] = [
  topVia,
  version,
  sizes,
  form,
  counts,
  cseq,
  identities,
  maxForwards,
  contacts,
  vias,
  requestUri,
];

const RESPONSE_CHECKS: readonly Check[] = [
  version,
  topVia,
  sizes,
  form,
  counts,
  status,
  responseCseq,
  identities,
  vias,
];

function status(message: SipMessage): Verdict {
  return message.status >= 100 && message.status <= 699 ? ACCEPT : DROP;
}

function responseCseq(message: SipMessage): Verdict {
  return message.cseq === undefined ? DROP : ACCEPT;
}

function firstVerdict(message: SipMessage, checks: readonly Check[], limits: SanityLimits): Verdict {
  for (const check of checks) {
    const verdict = check(message, limits);
    if (verdict.action !== 'accept') return verdict;
  }
  return ACCEPT;
}

/**
 * Judges a received message before anybody else sees it (RFC 3261 8.2, 16.3, 18.1.2; RFC 4475). A request is rejected with a
 * status where it can be answered, an ACK and any response is dropped.
 */
export function checkSanity(message: SipMessage, limits: SanityLimits = DEFAULT_SANITY_LIMITS): Verdict {
  if (!message.isRequest) {
    return firstVerdict(message, RESPONSE_CHECKS, limits).action === 'accept' ? ACCEPT : DROP;
  }
  const verdict = firstVerdict(message, REQUEST_CHECKS, limits);
  return verdict.action === 'reject' && message.method === 'ACK' ? DROP : verdict;
}
