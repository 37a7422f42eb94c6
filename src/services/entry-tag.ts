import { createHash } from 'node:crypto';

/** What changes by itself, or is never shown: nobody who edits has read it. */
const UNSEEN: ReadonlySet<string> = new Set([
  ...['location', 'digest', 'passcodeHash', 'hotelingSecret'],
  ...['passwordHash', 'totp', 'link', 'hash'],
]);

/** Changes whenever what an administrator reads and edits of a directory entry does; the same on every node. */
export function tagOf(entry: object): string {
  const text = JSON.stringify(entry, (_key, value: unknown) => (isPlain(value) ? inOrder(value) : value));
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/** Whether this is another entry than whoever edits has read; undefined: they do not mind. */
export function isOtherTag(entry: object, tag: string | undefined): boolean {
  return tag !== undefined && tagOf(entry) !== tag;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inOrder(value: object): object {
  const seen = Object.entries(value).filter(([name]) => !UNSEEN.has(name));
  return Object.fromEntries(seen.sort(([a], [b]) => (a < b ? -1 : 1)));
}
