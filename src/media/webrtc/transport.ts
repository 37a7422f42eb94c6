import type { Endpoint } from '../sdp/remote.ts';
import { fingerprintOf, type Identity, newIdentity } from './certificate.ts';
import { DtlsServer, type SrtpKeys } from './dtls/server.ts';
import { bindingSuccess, type IceCredentials, isStun, readBinding } from './stun.ts';

/** What the browser's SDP says of its transport. */
export interface RemoteTransport extends IceCredentials {
  readonly fingerprint: { readonly hash: string; readonly value: string };
}

export interface TransportOptions {
  readonly now: () => number;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  /** Where media goes from now on. */
  readonly onPath: (to: Endpoint) => void;
  readonly onKeys: (keys: SrtpKeys) => void;
  readonly onEnd: (why: string) => void;
}

/** ms a browser has to be heard of and to shake hands, from when both sides know all they need. */
const CONNECT_MS = 10_000;
/** ms without a check after which nobody is there any more (RFC 7675 5.1: consent is 30 s old at most). */
const CONSENT_MS = 30_000;
/** ms that a browser which closed its connection has to say so by SIP, as it does when somebody hangs up. */
const FAREWELL_MS = 2_000;
/** Paths one browser may have proven at a time. */
const MOST_PATHS = 8;

/**
 * The browser's way to us: ICE lite (RFC 8445 2.5), then DTLS, on the call's own port. The browser does the searching; it
 * proves each path with the password in our SDP, and only on such a path anything else is listened to.
 */
export class WebTransport {
  private readonly options: TransportOptions;
  /** Of this call alone: a browser takes a call that is led elsewhere for another one by its fingerprint. */
  private identity: Identity | undefined;
  private readonly proven = new Map<string, Endpoint>();
  private local: IceCredentials | undefined;
  private remote: RemoteTransport | undefined;
  private path: Endpoint | undefined;
  private dtls: DtlsServer | undefined;
  private since: number | undefined;
  private closedAt: number | undefined;
  private heardAt = 0;
  private ended = false;

  constructor(options: TransportOptions) {
    this.options = options;
  }

  get isConnected(): boolean {
    return this.dtls?.isConnected === true;
  }

  /** Of our certificate, which is made when it is first asked for. */
  readonly fingerprint = (): string => this.ownIdentity().fingerprint;

  /** Our credentials as they stand in the latest SDP: from now on checks with them are answered. */
  expect(local: IceCredentials): void {
    this.local = local;
  }

  /** The browser's SDP. Another fingerprint is another association; a new ufrag alone is ICE starting again. */
  follow(remote: RemoteTransport): void {
    const before = this.remote?.fingerprint;
    this.remote = remote;
    if (this.dtls !== undefined && before?.value === remote.fingerprint.value) return;
    this.dtls = new DtlsServer({
      identity: this.ownIdentity(),
      believes: (certificate) => isOf(certificate, this.remote?.fingerprint),
      send: (datagram) => this.path && this.options.send(datagram, this.path),
      onKeys: this.options.onKeys,
      onClose: () => {
        this.closedAt ??= this.options.now();
      },
      onEnd: (why) => this.end(why),
    });
    this.closedAt = undefined;
    if (this.since !== undefined) this.since = this.options.now();
  }

  /** Both sides know all they need: from now on time runs. Once. */
  watch(): void {
    this.since ??= this.options.now();
  }

  /** Every 20 ms. */
  tick(): void {
    if (this.since === undefined || this.ended) return;
    const now = this.options.now();
    if (this.closedAt !== undefined && now - this.closedAt >= FAREWELL_MS) return this.end('browser is gone');
    if (!this.isConnected) {
      if (now - this.since >= CONNECT_MS)
        this.end(this.path ? 'no DTLS with the browser' : 'no way to the browser');
    } else if (now - Math.max(this.heardAt, this.since) >= CONSENT_MS) this.end('browser is gone');
  }

  /** A datagram; true: it is media of the browser's, for the caller to open. */
  receive(data: Buffer, from: Endpoint): boolean {
    if (isStun(data)) {
      this.check(data, from);
      return false;
    }
    if (!this.proven.has(keyOf(from))) return false;
    const first = data[0] ?? 0;
    if (first >= 128 && first < 192) return true;
    if (first >= 20 && first < 64 && !this.ended) {
      this.path ??= from;
      this.dtls?.receive(data);
    }
    return false;
  }

  private ownIdentity(): Identity {
    this.identity ??= newIdentity(Date.now());
    return this.identity;
  }

  private check(data: Buffer, from: Endpoint): void {
    const request = this.local && readBinding(data, this.local);
    if (request === undefined || this.local === undefined) return;
    this.heardAt = this.options.now();
    this.prove(from);
    this.options.send(bindingSuccess(request, from, this.local), from);
    const { path } = this;
    if (path !== undefined && (!request.nominates || keyOf(path) === keyOf(from))) return;
    this.path = from;
    this.options.onPath(from);
  }

  /** A browser has few ways; the oldest gives way. */
  private prove(from: Endpoint): void {
    const key = keyOf(from);
    this.proven.delete(key);
    this.proven.set(key, from);
    const oldest = this.proven.keys().next();
    if (this.proven.size > MOST_PATHS && !oldest.done) this.proven.delete(oldest.value);
  }

  private end(why: string): void {
    if (this.ended) return;
    this.ended = true;
    this.options.onEnd(why);
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}

const HASHES: Readonly<Record<string, 'sha256' | 'sha384' | 'sha512'>> = {
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
};

/** Whether we can hold a certificate against fingerprints of this kind. */
export function isKnownHash(hash: string): boolean {
  return Object.hasOwn(HASHES, hash.toLowerCase());
}

function isOf(certificate: Buffer, told: RemoteTransport['fingerprint'] | undefined): boolean {
  const hash = told && HASHES[told.hash.toLowerCase()];
  return hash !== undefined && fingerprintOf(certificate, hash) === told?.value.toUpperCase();
}
