import { isIPv6 } from 'node:net';
import type { Endpoint } from '../sdp/remote.ts';

const STRANGER = 0;
const TRUSTED = 1;
const SDP = 2;
/** How sure it is that a source is the phone. */
type Rank = typeof STRANGER | typeof TRUSTED | typeof SDP;

/**
 * Who may speak on a call, and where our audio goes: to the first accepted sender (symmetric RTP), since phones
 * behind NAT or with several addresses do not send from where their SDP says.
 *
 * Trusted are the SDP's address and the signalling peer. In `latch` mode the first sender heard is accepted as well
 * and locked; never a third one. Who got in first gives way to who is surer to be the phone: a stranger to a trusted
 * address, another port (behind one NAT, another phone's) to the very one of the SDP.
 */
export class Latch {
  private readonly mode: 'strict' | 'latch';
  private peer: string;
  private remote: Endpoint | undefined;
  private latched: (Endpoint & { readonly rank: Rank }) | undefined;

  constructor(mode: 'strict' | 'latch', peer: string) {
    this.mode = mode;
    this.peer = canonical(peer);
  }

  /** The signalling peer is known, or another one. */
  trust(peer: string): void {
    this.peer = canonical(peer);
  }

  /** A new SDP. Only a changed address or port opens the latch again; a hold without address does not. */
  follow(remote: Endpoint | undefined): void {
    if (remote === undefined) return;
    const next = { address: canonical(remote.address), port: remote.port };
    if (next.address === this.remote?.address && next.port === this.remote.port) return;
    this.remote = next;
    this.latched = undefined;
  }

  /** Where to send, once known. */
  get target(): Endpoint | undefined {
    return this.latched ?? this.remote;
  }

  /** Whether this source may speak. Changes nothing, so it can be asked before a packet has authenticated. */
  allows(source: string): boolean {
    const address = plainAddress(source);
    if (this.trusts(address)) return true;
    return this.latched === undefined ? this.mode === 'latch' : this.latched.address === address;
  }

  /** A genuine packet from an allowed source was heard. */
  heard(source: Endpoint): void {
    if (this.latched?.rank === SDP) return;
    const address = plainAddress(source.address);
    const rank = this.rankOf(address, source.port);
    if (this.latched === undefined || rank > this.latched.rank)
      this.latched = { address, port: source.port, rank };
  }

  private rankOf(address: string, port: number): Rank {
    if (address === this.remote?.address && port === this.remote.port) return SDP;
    return this.trusts(address) ? TRUSTED : STRANGER;
  }

  private trusts(address: string): boolean {
    return address === this.remote?.address || address === this.peer;
  }
}

/** `::ffff:192.0.2.1` is 192.0.2.1; a zone index says nothing about who it is. Runs once per packet. */
function plainAddress(address: string): string {
  return address.includes(':') ? address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '') : address;
}

/** As the socket will write it: SDP may spell IPv6 in many ways. */
function canonical(address: string): string {
  const plain = plainAddress(address);
  return isIPv6(plain) ? new URL(`http://[${plain}]`).hostname.slice(1, -1) : plain;
}
