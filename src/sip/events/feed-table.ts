import type { Feed } from './feed.ts';

/** The live subscriptions of this node, by dialog, by phone and by what they watch. */
export class FeedTable {
  readonly #byId = new Map<string, Feed>();
  readonly #bySubscriber = new Map<string, number>();
  /** Places of subscriptions that are being made. */
  readonly #held = new Map<string, number>();
  #heldInAll = 0;
  readonly #byResource = new Map<string, Set<Feed>>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Feed | undefined {
    return this.#byId.get(id);
  }

  all(): Iterable<Feed> {
    return this.#byId.values();
  }

  /** Subscriptions of a phone, those being made included. */
  countOf(subscriber: string): number {
    return (this.#bySubscriber.get(subscriber) ?? 0) + (this.#held.get(subscriber) ?? 0);
  }

  /** Subscriptions, those being made included. */
  get count(): number {
    return this.size + this.#heldInAll;
  }

  /** Keeps a place for a subscription whose answer is on its way; the result gives it back, once. */
  hold(subscriber: string): () => void {
    let open = true;
    const add = (more: 1 | -1): void => {
      this.#heldInAll += more;
      addTo(this.#held, subscriber, more);
    };
    add(1);
    return () => {
      if (open) add(-1);
      open = false;
    };
  }

  watching(event: string, resource: string): Iterable<Feed> {
    return this.#byResource.get(`${event} ${resource}`) ?? [];
  }

  add(feed: Feed): void {
    const { event, resource, subscriber } = feed.record;
    this.#byId.set(feed.id, feed);
    addTo(this.#bySubscriber, subscriber, 1);
    const key = `${event} ${resource}`;
    this.#byResource.set(key, (this.#byResource.get(key) ?? new Set()).add(feed));
  }

  remove(feed: Feed): void {
    if (!this.#byId.delete(feed.id)) return;
    const { event, resource, subscriber } = feed.record;
    addTo(this.#bySubscriber, subscriber, -1);
    const key = `${event} ${resource}`;
    const watching = this.#byResource.get(key);
    watching?.delete(feed);
    if (watching?.size === 0) this.#byResource.delete(key);
  }
}

function addTo(counts: Map<string, number>, key: string, more: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + more;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
