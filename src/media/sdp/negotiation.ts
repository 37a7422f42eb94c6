import { MASTER_BYTES } from '../rtp/srtp.ts';
import { type Agreed, agree, type Policy } from './agree.ts';
import { parseRemote } from './remote.ts';
import { type LocalCrypto, type LocalEnd, OFFERED_EVENTS, writeAnswer, writeOffer } from './write.ts';

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
  /** Payload types events may come by: the far side's number, and ours where we offered one. */
  readonly eventTypes: readonly number[];
}

export interface Terms {
  readonly policy: Policy;
  readonly randomBytes: (count: number) => Buffer;
}

/** The state before any SDP. */
export function newNegotiation(local: Omit<LocalEnd, 'version'>): Negotiation {
  return {
    local: { ...local, version: 0 },
    sdp: '',
    offering: false,
    agreed: undefined,
    crypto: undefined,
    eventTypes: [],
  };
}

/** Makes an offer of ours: encrypted when the call is, or must be. */
export function makeOffer(state: Negotiation, terms: Terms): Negotiation {
  const secure = state.crypto !== undefined || terms.policy.srtp === 'required';
  const crypto: LocalCrypto | undefined = secure
    ? {
        tag: 1,
        suite: state.crypto?.suite ?? 'AES_CM_128_HMAC_SHA1_80',
        master: state.crypto?.master ?? terms.randomBytes(MASTER_BYTES),
      }
    : undefined;
  const local = nextVersion(state.local);
  return { ...state, local, crypto, offering: true, sdp: writeOffer(local, crypto) };
}

/** Takes the far side's offer, or its answer when ours is out. */
export function take(state: Negotiation, remoteSdp: string, terms: Terms): Negotiation | undefined {
  const lines = parseRemote(remoteSdp);
  if (lines === undefined) return undefined;
  if (state.offering) return takeAnswer(state, agree(lines, answerPolicy(state, terms.policy)));
  const agreed = agree(lines, terms.policy);
  if (agreed === undefined) return undefined;
  const crypto = keyFor(state, agreed, terms);
  const local = nextVersion(state.local);
  const eventTypes = agreed.events ? [agreed.events.payloadType] : [];
  const sdp = writeAnswer(local, lines, { agreed, crypto });
  return { local, sdp, agreed, crypto, eventTypes, offering: false };
}

/** An answer cannot change what was offered: encrypted stays encrypted, plain stays plain. */
function answerPolicy(state: Negotiation, policy: Policy): Policy {
  return { ...policy, srtp: state.crypto === undefined ? 'off' : 'required' };
}

function takeAnswer(state: Negotiation, agreed: Agreed | undefined): Negotiation | undefined {
  if (agreed === undefined) return undefined;
  const fits = agreed.crypto?.tag === state.crypto?.tag && agreed.crypto?.suite === state.crypto?.suite;
  if (agreed.line !== 0 || !fits) return undefined;
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

function nextVersion(local: LocalEnd): LocalEnd {
  return { ...local, version: local.version + 1 };
}
