/** What nodes tell each other beside the log of changes; soft: it lapses, and the last writer wins. */
export interface SharedState {
  /** JSON value of a live entry. */
  get(name: string): unknown;
  /** Live entries whose names begin so; quick for a prefix that ends with one of a name's first three colons. */
  entries(prefix: string): Iterable<readonly [name: string, value: unknown]>;
  /**
   * Puts or removes (undefined) an entry. It counts here at once; the store and with it the other nodes are told in the
   * background, the newest value only, again while the store is away. A value of more than 4 KiB, or one too many for
   * the store, counts on this node only. @throws TypeError for a name or time that Store.putShared does not take, or
   * what is no JSON value
   */
  put(name: string, value: unknown, ttlMs: number): void;
  /** Called after an entry changed, came or went; of one that lapses nobody is told. */
  onChange(listener: (name: string) => void): () => void;
}
