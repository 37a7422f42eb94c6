import type { EmergencyRecord, EmergencyStage } from '../domain/emergency-record.ts';
import type { EmergencyRoute } from '../domain/route.ts';
import type { NumberPlan, View } from '../domain/view.ts';
import type { MediaPort } from '../media/media.ts';
import type { HotDesk } from '../services/hot-desk.ts';
import type { Mailboxes } from '../services/mailboxes.ts';
import type { RecordedNames } from '../services/recorded-names.ts';
import type { Registrar } from '../services/registrar.ts';
import type { Lines } from './calls/lines.ts';
import type { Algorithm } from './digest.ts';
import type { PhoneSources } from './emergency-guard.ts';
import type { EventDependencies } from './events/notifier.ts';
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
  /** How this trunk wants emergency calls. */
  readonly emergencyCalls?:
    | {
        /** The number as dialled, or `urn:service:sos` (RFC 5031). */
        readonly dial: 'number' | 'urn';
        /** Civic address by value (RFC 6442, 4119, 5139, 5491). */
        readonly pidfLo: boolean;
        /** Value of Resource-Priority, such as `esnet.1` (RFC 7135). */
        readonly resourcePriority?: string | undefined;
        readonly headers: Readonly<Record<string, string>>;
      }
    | undefined;
  /** It has the mailboxes. */
  readonly voicemail?: TrunkVoicemail | undefined;
  /** Seconds without any response after which the next trunk is tried. */
  readonly responseTimeout: number;
}

/** How a trunk's voicemail is called and asked. */
export interface TrunkVoicemail {
  /** What is dialled; absent: the company's voicemail number. */
  readonly number?: string | undefined;
  /** Where it looks for the mailbox: RFC 5806, RFC 7044, RFC 4458; `from`: the mailbox is called itself. */
  readonly identify: 'diversion' | 'history-info' | 'request-uri' | 'from';
  /** `from`: who collects messages is known by From alone. */
  readonly ownMessages: 'identify' | 'from';
  /** It is asked for the state of each mailbox (RFC 3842). */
  readonly subscribe: boolean;
}

/** What is known of trunks by asking them now and then; answers at once, from memory. */
export interface TrunkHealth {
  /** It has given no sign of life lately: it is tried last, never left out. */
  isDown(trunk: string): boolean;
}

/** Told of emergency calls; returns at once and never throws. */
export interface EmergencyDesk {
  /** A call goes out: its record is open from this moment on this node, whatever the store does. */
  placed(route: EmergencyRoute): EmergencyRecord;
  stage(record: EmergencyRecord, stage: Exclude<EmergencyStage, 'placed'>): void;
}

export interface SipDependencies {
  readonly emergencies: EmergencyDesk;
  /** What phones may subscribe to, and what the notifier needs for it. */
  readonly events: EventDependencies;
  /** What phones' calls look like to who watches them. */
  readonly lines: Lines;
  /** Told what a PBX says of people's mailboxes. */
  readonly mailboxes: Pick<Mailboxes, 'learn' | 'named'>;
  readonly srf: Srf;
  readonly view: View;
  readonly numberPlan: NumberPlan;
  readonly hotDesk: Pick<HotDesk, 'logIn' | 'logOut' | 'identify' | 'associateGuest' | 'leave'>;
  readonly names: Pick<RecordedNames, 'of' | 'keep'>;
  readonly registrar: Pick<Registrar, 'register'>;
  readonly media: MediaPort;
  readonly clock: Clock;
  readonly log: Log;
  /** Realm of challenges and domain of the identities we show. */
  readonly domain: string;
  readonly trunks: readonly Trunk[];
  readonly trunkHealth: TrunkHealth;
  /** Digests offered to phones, in this order. */
  readonly digests: readonly Algorithm[];
  /** Seconds a digest nonce may be used. */
  readonly nonceLifetime: number;
  /** Calls at once, menus and announcements included; emergency calls are never counted out. */
  readonly maxCalls: number;
  /** Where emergency calls are taken from. */
  readonly phoneSources: PhoneSources;
  /** Emergency calls one address may have up at once, unless a desk is registered there; far above any honest use. */
  readonly emergencyCallsPerSource: number;
}
