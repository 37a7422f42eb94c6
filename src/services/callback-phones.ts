import type { Binding } from '../domain/binding.ts';
import type { EmergencyRecord } from '../domain/emergency-record.ts';

/** How to reach the phones of a host. */
export type KeptPhones = readonly [host: string, bindings: readonly Binding[]];

/** Far more than one desk has. */
const MOST_BINDINGS = 10;

export interface PhonesView {
  /** All records whose callback time is not over. */
  openEmergencies(): Iterable<EmergencyRecord>;
  bindingsOf(host: string): readonly Binding[];
}

/** Where the phones are that a PSAP may call back, for the disk: no secret, and told apart from a mere refresh. */
export class CallbackPhones {
  readonly #view: PhonesView;
  /** Host with an open record → its phones as they were last taken, in a form that can be compared. */
  #taken = new Map<string, string>();

  constructor(view: PhonesView) {
    this.#view = view;
  }

  /** As they are now. What changes from now on is measured by this. */
  take(): KeptPhones[] {
    const phones = this.#hosts().map((host): KeptPhones => [host, this.#phonesOf(host)]);
    this.#taken = new Map(phones.map(([host, bindings]) => [host, placesOf(bindings)]));
    return phones.filter(([, bindings]) => bindings.length > 0);
  }

  /** Whether a host that may be called back is reached in another way than when last taken. */
  hasMoved(host: string): boolean {
    const before = this.#taken.get(host);
    return before !== undefined && before !== placesOf(this.#phonesOf(host));
  }

  /** The same for all of them. */
  haveMoved(): boolean {
    return [...this.#taken.keys()].some((host) => this.hasMoved(host));
  }

  #hosts(): string[] {
    const hosts = [...this.#view.openEmergencies()].map(({ host }) => host);
    return [...new Set(hosts.filter((host) => host !== undefined))];
  }

  #phonesOf(host: string): Binding[] {
    return this.#view.bindingsOf(host).slice(0, MOST_BINDINGS).map(withoutSecrets);
  }
}

/**
 * Phones the disk had, by host, for as long as their record is open: without the store they cannot register anew, so
 * that their own time says nothing.
 */
export function phonesForCallback(
  phones: Iterable<KeptPhones>,
  records: Iterable<EmergencyRecord>,
): Map<string, readonly Binding[]> {
  const until = new Map<string, number>();
  for (const { host, callbackUntil } of records)
    if (host !== undefined) until.set(host, Math.max(callbackUntil, until.get(host) ?? 0));
  const found = new Map<string, readonly Binding[]>();
  for (const [host, bindings] of phones) {
    const end = until.get(host);
    if (end === undefined) continue;
    found.set(
      host,
      bindings.map((binding) => ({ ...binding, expiresAt: Math.max(binding.expiresAt, end) })),
    );
  }
  return found;
}

/** `sip:user:password@host` (RFC 3261 19.1.1) loses the password; who it was that registered is nobody's need. */
function withoutSecrets({ contact, q, flow, path, expiresAt }: Binding): Binding {
  const { protocol, address, port } = flow;
  return {
    contact: withoutPassword(contact),
    ...{ callId: '', cseq: 0, expiresAt, q, flow: { protocol, address, port } },
    path: path.map(withoutPassword),
    userAgent: '',
  };
}

function withoutPassword(uri: string): string {
  return uri.replace(/^(<?sips?:[^:@]*):[^@]*@/i, '$1@');
}

function placesOf(bindings: readonly Binding[]): string {
  return JSON.stringify(bindings.map(({ contact, flow, path }) => [contact, flow, path]));
}
