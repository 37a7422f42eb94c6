/** A binding of an address-of-record to a contact (RFC 3261 10). The AOR of a phone is its host id. */
export interface Binding {
  /** Contact URI as the phone wrote it. */
  readonly contact: string;
  readonly callId: string;
  readonly cseq: number;
  /** ms since 1970. */
  readonly expiresAt: number;
  /** q value 0–1, default 1. */
  readonly q: number;
  /** Flow the REGISTER came over: calls go back to it (RFC 5626, NAT). */
  readonly flow: {
    readonly protocol: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';
    readonly address: string;
    readonly port: number;
  };
  /** Path of the registration, topmost first (RFC 3327). */
  readonly path: readonly string[];
  readonly userAgent: string;
  readonly instance?: string | undefined;
  /** reg-id of RFC 5626: one phone may keep several flows. */
  readonly regId?: number | undefined;
}

/** All bindings of one AOR with the version that guards concurrent writes (0 = none stored). */
export interface BindingSet {
  readonly version: number;
  readonly bindings: readonly Binding[];
}
