/** An association: a guest at a host, from `startedAt` to `expiresAt`. Times are ms since 1970 by the store's clock. */
export interface Association {
  readonly host: string;
  /** Extension of the guest. */
  readonly guest: string;
  readonly site: string;
  /** Log position of its start; the fence that keeps a late end from hitting a newer association. */
  readonly generation: number;
  readonly startedAt: number;
  readonly expiresAt: number | 'never';
}

export type EndReason = 'moved' | 'renewed' | 'takenOver' | 'expired' | 'loggedOut' | 'released';

/** One entry of the change log. `seq` has no gaps; `start` of a move follows the `end` of the old association at once. */
export type ChangeEvent =
  | {
      readonly kind: 'start';
      readonly seq: number;
      readonly at: number;
      readonly actor: string;
      readonly reason: 'logIn' | 'move';
      readonly association: Association;
      readonly previousHost: string | undefined;
    }
  | {
      readonly kind: 'end';
      readonly seq: number;
      readonly at: number;
      readonly actor: string;
      readonly reason: EndReason;
      readonly association: Association;
    }
  | { readonly kind: 'directory'; readonly seq: number; readonly at: number; readonly actor: string };
