import { createHash } from 'node:crypto';
import type { Identity } from '../../domain/route.ts';
import type { Line, LineState } from '../calls/lines.ts';
import { displayNameOf, userOf } from '../uri.ts';

/** Lines of one person or phone at most; those that are talked on come first. */
export const MOST_LINES = 10;
/** Of a name or number shown: ten lines of any script stay below what a shared entry may hold. */
const LONGEST_TEXT = 48;

/** A line as others see it: neither Call-ID nor tags, with which a call can be taken over (RFC 3891). */
export interface ShownLine {
  /** Unique among all nodes, the same as long as the line lasts, and no name of anything. */
  readonly id: string;
  readonly direction: Line['direction'];
  readonly state: LineState;
  /** The far side; its number is `anonymous` for who asked not to be named. Absent: not to be told. */
  readonly remote?: Identity;
}

const STATES: readonly LineState[] = ['confirmed', 'early', 'trying'];

/** As this node tells of its lines; the most telling of them, if there are more than ten. */
export function shownLines(lines: Iterable<Line>, node: string): ShownLine[] {
  return mostTelling([...lines].map((line) => shown(line, node)));
}

/** At most ten; those of the same state stay in their order. */
export function mostTelling(lines: readonly ShownLine[]): ShownLine[] {
  const byState = lines.toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
  return byState.slice(0, MOST_LINES);
}

function shown({ id, direction, state, remote }: Line, node: string): ShownLine {
  const name = createHash('sha256').update(`${node} ${id}`).digest('hex').slice(0, 16);
  const number = clean(userOf(remote ?? ''));
  if (remote === undefined || number === '') return { id: name, direction, state };
  return { id: name, direction, state, remote: { name: clean(displayNameOf(remote)), number } };
}

function clean(text: string): string {
  return text
    .slice(0, LONGEST_TEXT)
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim();
}

/** Lines of a shared entry; none when it is not one of ours. */
export function sharedLines(value: unknown): ShownLine[] {
  const lines = isObject(value) && Array.isArray(value.lines) ? (value.lines as unknown[]) : [];
  return lines.filter(isShownLine).slice(0, MOST_LINES);
}

function isShownLine(value: unknown): value is ShownLine {
  if (!isObject(value) || typeof value.id !== 'string') return false;
  const { direction, state, remote } = value;
  const isTold = isObject(remote) && typeof remote.name === 'string' && typeof remote.number === 'string';
  return (
    (direction === 'initiator' || direction === 'recipient') &&
    STATES.some((known) => known === state) &&
    (remote === undefined || isTold)
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
