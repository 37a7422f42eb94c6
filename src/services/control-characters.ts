/** Signs that no name has: they break lines of logs and headers, turn round what is read, or are half a sign. */
const CONTROL = /[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

/**
 * Texts in an entry that have control characters, each with its path: `user:1001.name: must not have …`. For what is
 * written; what has been kept for long is read as it is.
 */
export function controlProblems(path: string, value: unknown): string[] {
  if (typeof value === 'string')
    return CONTROL.test(value) ? [`${path}: must not have control characters`] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => controlProblems(`${path}.${key}`, part));
}
