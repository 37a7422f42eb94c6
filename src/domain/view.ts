import type { Association } from './association.ts';
import type { Binding } from './binding.ts';
import type { Directory } from './directory.ts';
import type { EmergencyRecord } from './emergency-record.ts';

/**
 * What this node knows: everything a call decision may read, all of it in memory.
 * `fresh`: in touch with the store; `stale`: last known state; `unknown`: never loaded, or too old to use.
 */
export interface View {
  readonly knowledge: 'fresh' | 'stale' | 'unknown';
  readonly directory: Directory | undefined;
  /**
   * What emergency calls go by: the directory, and while there is none what this node last kept on its own disk of
   * company, sites and hosts. Never for any other call.
   */
  readonly emergencyDirectory: Directory | undefined;
  /** Open records whose callback number this is, newest first. */
  emergencyRecords(callbackNumber: string): readonly EmergencyRecord[];
  /** Live association at a host; one past its deadline counts as none. */
  associationAt(host: string): Association | undefined;
  /** Live association of a guest. */
  associationOf(extension: string): Association | undefined;
  /** Live bindings of a host, best q first. */
  bindingsOf(host: string): readonly Binding[];
  /** A host known to emergency calls that is registered over exactly this flow now; found without a search. */
  hostByFlow(address: string, port: number): string | undefined;
}

/** What administrators see beside what calls go by. */
export interface AdminView extends View {
  /** When a host's phone last registered or left, ms since 1970; undefined: not in 400 days. */
  lastSeenAt(host: string): number | undefined;
}

/** Knowledge about numbers that comes from public data: implemented in services over google-libphonenumber. */
export interface NumberPlan {
  /** Whether exactly these digits are an emergency number of the country. */
  isEmergency(digits: string): boolean;
  /** E.164 with `+`, or undefined when the digits are no full public number as dialled in the country. */
  toE164(digits: string): string | undefined;
  /** Whether these digits are a national short number, such as 111 in the UK. */
  isShortNumber?(digits: string): boolean;
}
