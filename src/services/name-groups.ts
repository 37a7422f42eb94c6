/** Names are found by what stands before their first, second and third colon. */
const DEPTH = 3;

/** Names such as `a:b:c`, found by how they begin. */
export class NameGroups {
  /** `a:` and `a:b:` → the names that begin so; most groups of the last depth have one only. */
  readonly #groups = new Map<string, string | Set<string>>();

  add(name: string): void {
    for (const group of groupsOf(name)) {
      const names = this.#groups.get(group);
      if (names === undefined || names === name) this.#groups.set(group, name);
      else if (typeof names === 'string') this.#groups.set(group, new Set([names, name]));
      else names.add(name);
    }
  }

  remove(name: string): void {
    for (const group of groupsOf(name)) {
      const names = this.#groups.get(group);
      if (names instanceof Set) names.delete(name);
      if (names === name || (names instanceof Set && names.size === 0)) this.#groups.delete(group);
    }
  }

  /** Names that begin as the prefix does up to its last colon, one of the first three; undefined: it has none. */
  named(prefix: string): Iterable<string> | undefined {
    const group = groupsOf(prefix).at(-1);
    if (group === undefined) return undefined;
    const names = this.#groups.get(group) ?? [];
    return typeof names === 'string' ? [names] : names;
  }
}

/** `a:`, `a:b:` and `a:b:c:` of `a:b:c:d:e`. */
function groupsOf(name: string): string[] {
  const groups: string[] = [];
  for (let at = name.indexOf(':'); at >= 0 && groups.length < DEPTH; at = name.indexOf(':', at + 1))
    groups.push(name.slice(0, at + 1));
  return groups;
}
