import type { NumberPlan, View } from '../domain/view.ts';
import type { MediaPort } from '../media/media.ts';
import type { HotDesk } from '../services/hot-desk.ts';
import type { Registrar } from '../services/registrar.ts';
import type { Algorithm } from './digest.ts';
import type { Srf } from './srf.ts';

/** What call handling needs from the rest of the house. */

export interface Log {
  debug(data: object, text: string): void;
  info(data: object, text: string): void;
  warn(data: object, text: string): void;
  error(data: object, text: string): void;
}

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** ms since 1970. */
  now(): number;
  setTimer(ms: number, run: () => void): Timer;
}

/** A way out to the PBX, the SBC or emergency services. */
export interface Trunk {
  readonly name: string;
  /** `sip:host:port;transport=…`; the dialled number becomes its user part. */
  readonly uri: string;
  /** Addresses calls from it come from: `192.0.2.0/24`, `192.0.2.1`. */
  readonly addresses: readonly string[];
  readonly emergency: boolean;
  readonly credentials?: { readonly username: string; readonly password: string } | undefined;
  /** Seconds without any response after which the next trunk is tried. */
  readonly responseTimeout: number;
}

export interface SipDependencies {
  readonly srf: Srf;
  readonly view: View;
  readonly numberPlan: NumberPlan;
  readonly hotDesk: Pick<HotDesk, 'logIn' | 'logOut'>;
  readonly registrar: Pick<Registrar, 'register'>;
  readonly media: MediaPort;
  readonly clock: Clock;
  readonly log: Log;
  /** Realm of challenges and domain of the identities we show. */
  readonly domain: string;
  readonly trunks: readonly Trunk[];
  /** Digests offered to phones, in this order. */
  readonly digests: readonly Algorithm[];
  /** Seconds a digest nonce may be used. */
  readonly nonceLifetime: number;
  /** Calls at once, menus and announcements included; emergency calls are never counted out. */
  readonly maxCalls: number;
}
