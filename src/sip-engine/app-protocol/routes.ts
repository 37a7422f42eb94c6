/** Who wants which method: a set per verb, served round robin (DP §4). */
export class Routes<Connection> {
  readonly #byVerb = new Map<string, Connection[]>();

  /** Adding twice counts once. Verbs are kept as given: the match is with the lower-case method. */
  add(verb: string, connection: Connection): void {
    const list = this.#byVerb.get(verb) ?? [];
    if (!list.includes(connection)) list.push(connection);
    this.#byVerb.set(verb, list);
  }

  /** Removes one verb of one connection, and nothing else. */
  remove(verb: string, connection: Connection): void {
    const rest = (this.#byVerb.get(verb) ?? []).filter((one) => one !== connection);
    if (rest.length > 0) this.#byVerb.set(verb, rest);
    else this.#byVerb.delete(verb);
  }

  removeAll(connection: Connection): void {
    for (const verb of [...this.#byVerb.keys()]) this.remove(verb, connection);
  }

  /** The next connection for a verb. */
  next(verb: string): Connection | undefined {
    const list = this.#byVerb.get(verb);
    const first = list?.shift();
    if (list && first !== undefined) list.push(first);
    return first;
  }

  verbs(): string[] {
    return [...this.#byVerb.keys()];
  }
}
