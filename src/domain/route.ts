import type { CivicAddress, Host, User } from './directory.ts';
import type { Reason } from './reasons.ts';

/** Who calls, as proved by digest authentication or by address; never by From alone (design section 5, step 2). */
export type Caller =
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'trunk'; readonly trunk: string; readonly emergency: boolean }
  | { readonly kind: 'unknown' };

/** The name and number a call shows; `number` is an extension inside and E.164 outside. */
export interface Identity {
  readonly name: string;
  readonly number: string;
}

/** What a call may do. Decided by one pure function from facts. */
export type Route =
  | {
      readonly kind: 'emergency';
      /** Number to dial on the trunk, digits only; a service URN becomes the country's number. */
      readonly number: string;
      readonly host: Host | undefined;
      readonly callbackNumber: string | undefined;
      readonly address: CivicAddress | undefined;
      /** Who sits there, for notifications only. */
      readonly guest: User | undefined;
    }
  | { readonly kind: 'logIn'; readonly host: Host }
  | { readonly kind: 'logOut'; readonly host: Host }
  /** Ring every binding of these hosts at once. */
  | {
      readonly kind: 'ring';
      readonly user: User | undefined;
      readonly hosts: readonly Host[];
      readonly as: Identity | undefined;
    }
  | {
      readonly kind: 'trunk';
      readonly number: string;
      readonly trunk: string | undefined;
      readonly as: Identity;
    }
  | { readonly kind: 'refuse'; readonly reason: Reason };
