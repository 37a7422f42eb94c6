import type { Timer } from '../clock.ts';
import type { NameAddr, SipMessage } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import type { App } from './app.ts';
import type { ClientRequest } from './client-request.ts';
import type { ServerRequest } from './server-request.ts';

/** What one remote party of a dialog told us; a forked INVITE has several until one answers. */
export interface Remote {
  tag: string;
  /** Contact URI: the request-URI of our requests. */
  target: string;
  /** Route values, first hop first. */
  routes: string[];
  /** Highest CSeq number seen from there; undefined before its first request. */
  seq: number | undefined;
  /** RSeq of the last reliable 1xx (RFC 3262). */
  rseq: number | undefined;
  /** Where to send over UDP instead of `target` or the route, when NAT makes them wrong (DP §19). */
  natAddress: { host: string; port: number } | undefined;
}

/** The session timer of one dialog (RFC 4028). */
export interface SessionTimer {
  seconds: number;
  weRefresh: boolean;
  timer: Timer;
}

/** A stored ACK, repeated for each repeated 200 (RFC 3261 13.2.2.4). */
export interface SentAck {
  seq: number;
  text: string;
  flow: Flow;
}

export interface Dialog {
  /** `<Call-ID>;from-tag=<From tag of the creating request>`: part of the application's API. */
  readonly id: string;
  readonly kind: 'INVITE' | 'SUBSCRIBE';
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  readonly localTag: string;
  /** Our From in requests, with tag. */
  readonly localParty: string;
  /** Their To in requests, without tag. */
  readonly remoteParty: string;
  /** Contact value of ours when the dialog was made. */
  localContact: string;
  state: 'early' | 'confirmed' | 'ended';
  app: App;
  localSeq: number;
  remote: Remote;
  /** UAC before the answer: other branches, by tag. */
  forks: Map<string, Remote> | undefined;
  /** Tags of later 2xx that have had their BYE. */
  rejectedForks: Set<string> | undefined;
  /** The way the dialog was made; TCP stays on this connection while it lives. */
  flow: Flow;
  /** The peer's INVITE (or re-INVITE) that has no final answer yet. */
  incomingInvite: ServerRequest | undefined;
  /** The peer's INVITE whose reliable 1xx of ours may still wait for a PRACK. */
  prackDue: ServerRequest | undefined;
  /** Our INVITE (or re-INVITE) that has no final answer yet. */
  outgoingInvite: ClientRequest | undefined;
  /** CSeq number of our INVITE whose 2xx the application has not ACKed. */
  ackDue: { seq: number; timer: Timer; cancelled: boolean } | undefined;
  sentAck: SentAck | undefined;
  /** Our 2xx that the peer has not ACKed; the rest waits in `afterAck`. */
  unacked: { seq: number; transactionId: string; timer: Timer; deadline: Timer } | undefined;
  afterAck: (() => void)[];
  session: SessionTimer | undefined;
  /** Our last SDP, for refreshes. */
  localSdp: string;
  /** The peer's Allow has UPDATE. */
  peerUpdates: boolean;
  /** A re-INVITE of the engine's own is under way. */
  refreshing: boolean;
  /** End of life whatever happens. */
  deadline: Timer | undefined;
}

/** The dialog id as drachtio-srf builds it itself (DP §9). */
export function dialogIdOf(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

/** A From or To value without its tag. */
export function withoutTag(value: string): string {
  const close = value.lastIndexOf('>');
  const start = Math.max(close, 0);
  return value.slice(0, start) + value.slice(start).replace(/\s*;\s*tag\s*=\s*[^;\s]*/i, '');
}

/** A From or To value with `tag`, unless it has one already. */
export function withTag(value: string, party: NameAddr | undefined, tag: string): string {
  return party?.tag ? value : `${value};tag=${tag}`;
}

/** What is known of a remote party before it has spoken. */
export function unknownRemote(target: string): Remote {
  return { tag: '', target, routes: [], seq: undefined, rseq: undefined, natAddress: undefined };
}

/** First Contact URI of a message; undefined when it has none. */
export function contactUri(message: SipMessage): string | undefined {
  const contacts = message.contacts();
  return contacts === '*' ? undefined : contacts[0]?.uri;
}
