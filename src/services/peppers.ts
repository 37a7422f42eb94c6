/** Secrets of this server that are kept outside the store, each with an id that what was made with it names. */
export interface Peppers {
  /** Names the current pepper, `[A-Za-z0-9_-]{1,32}`. */
  readonly keyId: string;
  /** At least 32 secret bytes; what is made from now on is made with it. */
  readonly pepper: Uint8Array;
  /** Earlier peppers by id: what was made with them can still be read. */
  readonly olderPeppers?: ReadonlyMap<string, Uint8Array> | undefined;
}

const PEPPER_MIN_BYTES = 32;

/** Every pepper by its id, the current one first. @throws RangeError for a short pepper, a bad id or one id twice */
export function pepperTable({ keyId, pepper, olderPeppers }: Peppers): ReadonlyMap<string, Uint8Array> {
  const table = new Map([[keyId, pepper], ...(olderPeppers ?? [])]);
  if (olderPeppers?.has(keyId)) throw new RangeError('An older pepper has the id of the current one');
  for (const [id, bytes] of table) {
    if (bytes.length < PEPPER_MIN_BYTES) throw new RangeError('A pepper must have 32 bytes or more');
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(id)) throw new RangeError('A key id may hold A-Z, a-z, 0-9, _, -');
  }
  return table;
}
