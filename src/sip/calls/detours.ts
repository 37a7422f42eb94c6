/** Calls one person may have under way to where they want them, not answered yet. */
export const MOST_DETOURS = 50;

/**
 * Bounds what a call can do that comes back to us from where it was sent: carriers take away what tells of it, Diversion
 * and Max-Forwards, and then nothing else ends the loop.
 */
export class Detours {
  readonly #underWay = new Map<string, number>();

  /** Extensions whose calls are under way. */
  get size(): number {
    return this.#underWay.size;
  }

  /** One more of this person; the result ends it, once. Undefined: there are too many. */
  begin(extension: string): (() => void) | undefined {
    if ((this.#underWay.get(extension) ?? 0) >= MOST_DETOURS) return undefined;
    this.#add(extension, 1);
    let open = true;
    return () => {
      if (open) this.#add(extension, -1);
      open = false;
    };
  }

  #add(extension: string, more: 1 | -1): void {
    const count = (this.#underWay.get(extension) ?? 0) + more;
    if (count > 0) this.#underWay.set(extension, count);
    else this.#underWay.delete(extension);
  }
}
