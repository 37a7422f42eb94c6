import { MASTER_BYTES } from '../rtp/srtp.ts';
import { type Agreed, agree, narrowed, type Policy } from './agree.ts';
import { type Direction, parseRemote } from './remote.ts';
import {
  type LocalCrypto,
  type LocalEnd,
  type LocalWeb,
  OFFERED_EVENTS,
  type OfferTerms,
  writeAnswer,
  writeOffer,
} from './write.ts';

/**
 * One call's offers and answers (RFC 3264), as values: each step returns the next state or undefined ("no", and the
 * state before stays true). First INVITE, re-INVITE, UPDATE and the answer in an ACK all come through `take`.
 */
export interface Negotiation {
  readonly local: LocalEnd;
  /** The local SDP now valid. */
  readonly sdp: string;
  /** Our offer is out: the next remote SDP is its answer. */
  readonly offering: boolean;
  readonly agreed: Agreed | undefined;
  /** Our key, while the call is (or is offered as) encrypted. */
  readonly crypto: LocalCrypto | undefined;
  /** Our end of the browser's transport, while the far side is (or is taken for) one. */
  readonly web: LocalWeb | undefined;
  /** Payload types events may come by: the far side's number, and ours where we offered one. */
  readonly eventTypes: readonly number[];
}

export interface Terms {
  readonly policy: Policy;
  readonly randomBytes: (count: number) => Buffer;
  /** Of our certificate, as browsers are told it; undefined where they are not answered. */
  readonly fingerprint?: (() => string) | undefined;
  /** The most to answer an offer with; absent: all it allows. */
  readonly direction?: Direction | undefined;
}

/** The state before any SDP. */
export function newNegotiation(local: Omit<LocalEnd, 'version'>): Negotiation {
  return {
    local: { ...local, version: 0 },
    sdp: '',
    offering: false,
    agreed: undefined,
    crypto: undefined,
    web: undefined,
    eventTypes: [],
  };
}

/** An offer that differs from an ordinary one: to a browser, of fewer codecs, of hold. */
export interface OfferWishes extends Pick<OfferTerms, 'codecs' | 'direction'> {
  readonly toBrowser?: boolean;
  /** Encrypted or not, as long as nothing is agreed; absent: as it must be. */
  readonly secure?: boolean | undefined;
}

/** Makes an offer of ours: encrypted when the call is, or must be; what is agreed stays so. */
export function makeOffer(state: Negotiation, terms: Terms, wishes: OfferWishes = {}): Negotiation {
  const web = state.web ?? (wishes.toBrowser ? newWeb(terms) : undefined);
  const wanted = wishes.secure ?? terms.policy.srtp === 'required';
  const secure = !web && (state.crypto !== undefined || (state.agreed === undefined && wanted));
  const crypto: LocalCrypto | undefined = secure
    ? {
        tag: 1,
        suite: state.crypto?.suite ?? 'AES_CM_128_HMAC_SHA1_80',
        master: state.crypto?.master ?? terms.randomBytes(MASTER_BYTES),
      }
    : undefined;
  const local = nextVersion(state.local);
  const sdp = writeOffer(local, { ...wishes, crypto, web, mid: state.agreed?.mid });
  return { ...state, local, crypto, web, offering: true, sdp };
}

/** Takes the far side's offer, or its answer when ours is out. */
export function take(state: Negotiation, remoteSdp: string, terms: Terms): Negotiation | undefined {
  const lines = parseRemote(remoteSdp);
  if (lines === undefined) return undefined;
  if (state.offering) return takeAnswer(state, agree(lines, answerPolicy(state, terms.policy)));
  const found = agree(lines, terms.policy);
  if (found === undefined) return undefined;
  const agreed = { ...found, direction: narrowed(found.direction, terms.direction ?? 'sendrecv') };
  const crypto = keyFor(state, agreed, terms);
  const web = webFor(state, agreed, terms);
  const local = nextVersion(state.local);
  const eventTypes = agreed.events ? [agreed.events.payloadType] : [];
  const sdp = writeAnswer(local, lines, { agreed, crypto, web });
  return { local, sdp, agreed, crypto, web, eventTypes, offering: false };
}

/** An answer cannot change what was offered: encrypted stays encrypted, plain stays plain. */
function answerPolicy(state: Negotiation, policy: Policy): Policy {
  return {
    ...policy,
    srtp: state.crypto === undefined ? 'off' : 'required',
    webrtc: state.web !== undefined,
  };
}

function takeAnswer(state: Negotiation, agreed: Agreed | undefined): Negotiation | undefined {
  if (agreed === undefined) return undefined;
  const fits = agreed.crypto?.tag === state.crypto?.tag && agreed.crypto?.suite === state.crypto?.suite;
  if (agreed.line !== 0 || !fits || (agreed.web === undefined) !== (state.web === undefined))
    return undefined;
  const eventTypes = agreed.events ? [OFFERED_EVENTS, agreed.events.payloadType] : [];
  return { ...state, agreed, eventTypes, offering: false };
}

/** Our key for an answer: the old one while the far side keeps its key, so that both contexts go on; else a new one. */
function keyFor(state: Negotiation, agreed: Agreed, terms: Terms): LocalCrypto | undefined {
  const theirs = agreed.crypto;
  if (theirs === undefined) return undefined;
  const before = state.agreed?.crypto;
  const kept = before?.suite === theirs.suite && before.master.equals(theirs.master);
  const master = kept && state.crypto ? state.crypto.master : terms.randomBytes(MASTER_BYTES);
  return { tag: theirs.tag, suite: theirs.suite, master };
}

/** The browser's next ufrag is ICE starting again, for both sides (RFC 8445 9). */
function webFor(state: Negotiation, { web }: Agreed, terms: Terms): LocalWeb | undefined {
  if (web === undefined) return undefined;
  const before = state.agreed?.web;
  const starts = before !== undefined && (before.ufrag !== web.ufrag || before.pwd !== web.pwd);
  return starts ? newWeb(terms) : (state.web ?? newWeb(terms));
}

/** RFC 8839 5.4: at least 24 and 128 bits. */
function newWeb({ randomBytes, fingerprint = () => '' }: Terms): LocalWeb {
  const text = (bytes: number): string => randomBytes(bytes).toString('base64').replace(/=+$/, '');
  return { ufrag: text(6), pwd: text(18), fingerprint: fingerprint() };
}

function nextVersion(local: LocalEnd): LocalEnd {
  return { ...local, version: local.version + 1 };
}
