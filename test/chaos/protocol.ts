import type { Association } from '../../src/domain/association.ts';
import type { Reason } from '../../src/domain/reasons.ts';
import type { FaceOutcome } from '../../src/services/ports.ts';

/** What the controller and its nodes say to each other over IPC. */

/** How a node is started; JSON in its first argument. */
export interface Setup {
  readonly node: string;
  /** Unix socket of its way to Redis. */
  readonly socket: string;
  readonly company: string;
  readonly pepperHex: string;
  /** For controls: acknowledge although Redis is known to lose what it acknowledged. */
  readonly acceptWeakDurability: boolean;
}

/** What a node is to do for somebody. `actor` goes into the change log and tells whose doing an entry is. */
export type Order = { readonly host: string; readonly actor: string } & (
  | {
      readonly kind: 'logIn' | 'associate';
      readonly guest: string;
      /** For `logIn`. */
      readonly passcode: string;
      /** Instead of what the directory gives, which counts in hours. */
      readonly limitMs: number | 'never';
      readonly occupied: 'deny' | 'takeover';
    }
  | { readonly kind: 'logOut' | 'release' }
);

/** What HotDesk answered. */
export type Answer =
  | {
      readonly outcome: 'loggedIn';
      readonly association: Association;
      readonly movedFrom: string | undefined;
    }
  | { readonly outcome: 'ended'; readonly association: Association }
  | { readonly outcome: 'refused'; readonly reason: Reason };

export type ToNode =
  | { readonly type: 'order'; readonly id: number; readonly order: Order }
  | { readonly type: 'view'; readonly id: number }
  | { readonly type: 'phone'; readonly id: number; readonly outcome: FaceOutcome };

export type ToController =
  | { readonly type: 'ready' }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly type: 'view'; readonly id: number; readonly associations: readonly Association[] }
  | {
      readonly type: 'face';
      readonly id: number;
      readonly host: string;
      readonly seq: number;
      readonly guest: string | undefined;
    }
  | { readonly type: 'log'; readonly level: string; readonly text: string; readonly detail: string };
