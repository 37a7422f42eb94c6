import type { CivicAddress } from './directory.ts';

/**
 * What is remembered of an emergency call: whom a PSAP that calls back is to reach, and what people are told. It is the
 * desk's, whoever sits there by then.
 */
export interface EmergencyRecord {
  /** RFC 9562 UUID. */
  readonly id: string;
  /** As dialled on the trunk, such as 999. */
  readonly number: string;
  /** Absent: an unknown phone. */
  readonly host: string | undefined;
  readonly nickname: string | undefined;
  readonly site: string | undefined;
  readonly callbackNumber: string | undefined;
  readonly address: CivicAddress | undefined;
  /** The phone has moved to another network since anybody confirmed the address. */
  readonly addressUnverified: boolean;
  /** Extension and name of who sat there. */
  readonly guest: { readonly extension: string; readonly name: string } | undefined;
  /** ms since 1970 by the store's clock as the node knew it. */
  readonly at: number;
  /** Until when a call to the callback number rings the desk. */
  readonly callbackUntil: number;
}

/**
 * `answered` and `failed`: how the call out ended; `calledBack`: somebody rang the desk; `acknowledged`: an administrator
 * has seen it.
 */
export type EmergencyStage = 'placed' | 'answered' | 'failed' | 'calledBack' | 'acknowledged';
