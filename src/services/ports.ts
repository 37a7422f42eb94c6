import type { Association } from '../domain/association.ts';

/** What services need from outside, given to them so that tests own time, chance and output. */

export interface Clock {
  /** ms since 1970. */
  now(): number;
}

export interface Timers {
  /** Runs once after `ms`, unless cancelled. */
  setTimer(ms: number, run: () => void): { cancel(): void };
}

export interface Random {
  /** RFC 9562 version 4. */
  uuid(): string;
}

export interface Log {
  info(data: object, text: string): void;
  warn(data: object, text: string): void;
  error(data: object, text: string): void;
}

/** What a phone is told about. The phone itself only hears "look again" and then reads what is so now. */
export interface FaceState {
  /** Log position of the newest change at this host. */
  readonly seq: number;
  /** Who sits there at this moment; undefined: nobody. */
  readonly association: Association | undefined;
}

/**
 * `told`: a phone has heard it; `refused`: every phone says it never will; `failed`: none answered, try again;
 * `nobody`: no phone is registered.
 */
export type FaceOutcome = 'told' | 'refused' | 'failed' | 'nobody';

/** The phones at our hosts, to be told that their face has changed. */
export interface PhonePort {
  /** Whether nobody talks, dials or listens to a menu there, as far as this node knows. */
  isFree(host: string): boolean;
  /** Tells every phone of a host. Takes seconds when it is away; never rejects. */
  update(host: string, state: FaceState): Promise<FaceOutcome>;
}

/** Displays of phones, for a text that is not part of a call. */
export interface TextPort {
  /** Shows a text on every phone of a host (RFC 3428). Takes seconds when it is away; never rejects. */
  show(host: string, text: string): Promise<FaceOutcome>;
}
