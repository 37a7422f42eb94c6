/** An event package (RFC 6665 5.4) as the notifier serves it; each stands in a file of its own beside this one. */

/** One phone's subscription to one resource. */
export interface Subscription {
  readonly id: string;
  readonly event: string;
  /** Host that subscribed, as proved by its digest. */
  readonly subscriber: string;
  /** User part of the Request-URI: a host id or an extension. */
  readonly resource: string;
  /** Signalling address it came from, for the guess counters. */
  readonly source: string;
}

export interface EventDocument {
  readonly contentType: string;
  readonly body: string;
  /** Same identity, same state: where a body counts seconds down, so that time alone is no news. */
  readonly identity?: string;
}

export type Admission = 'admitted' | { readonly status: number; readonly reason: string };

export interface EventPackage {
  /** Name as in the Event header. */
  readonly event: string;
  readonly contentType: string;
  /** Seconds a subscription lasts when the phone names no time, and the least and most it may name. */
  readonly expires: { readonly min: number; readonly standard: number; readonly max: number };
  /** Who may watch what. */
  admit(wanted: { readonly subscriber: string; readonly resource: string }): Admission;
  /**
   * State as it is now, for the next NOTIFY; undefined: an empty NOTIFY. `version` counts the NOTIFYs of this
   * subscription from 0, also over a restart of the node.
   */
  stateFor(subscription: Subscription, version: number): EventDocument | undefined;
  /**
   * Body of a SUBSCRIBE. It is answered 200 before this is called; the NOTIFY that follows carries what this resolves
   * with, or the state. Never rejects.
   */
  received?(subscription: Subscription, body: EventDocument): Promise<EventDocument | undefined>;
  /** Begins to tell which resources have changed; the notifier sends the newest state at its own pace. */
  watch(changed: (resource: string) => void): () => void;
}
