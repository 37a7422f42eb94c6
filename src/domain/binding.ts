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

/**
 * Bindings phone by phone: those of one instance are flows of one phone, best first: by q, then what was refreshed last.
 * A request goes down one of them at a time (RFC 5626 5.3).
 */
export function flowsByPhone(bindings: readonly Binding[]): readonly (readonly [Binding, ...Binding[]])[] {
  const phones = new Map<string | Binding, [Binding, ...Binding[]]>();
  for (const binding of bindings) {
    const key = binding.instance ?? binding;
    const flows = phones.get(key);
    if (flows) flows.push(binding);
    else phones.set(key, [binding]);
  }
  for (const flows of phones.values()) flows.sort((a, b) => b.q - a.q || b.expiresAt - a.expiresAt);
  return [...phones.values()];
}

/** All bindings of one AOR with the version that guards concurrent writes (0 = none stored). */
export interface BindingSet {
  readonly version: number;
  readonly bindings: readonly Binding[];
}
