/** A list of MAC addresses as people have it: typed, pasted, or from a spreadsheet. Pure; the page shows what it says. */

export type Mistake = 'notMac' | 'twice' | 'tooMany' | 'itemFull' | 'longName';

/** Part of an order that phones can still be made of. */
export interface Room {
  /** Id of the item. */
  readonly id: string;
  readonly left: number;
}

export interface ListedPhone {
  /** Line of the text, from 1. */
  readonly line: number;
  /** Twelve hex digits in lower case; as it was typed where it is none. */
  readonly mac: string;
  readonly name: string;
  /** Item of the order it is to be; '' where there is none left. */
  readonly item: string;
  readonly mistake: Mistake | undefined;
}

const LONGEST_NAME = 100;
const MAC = /^[0-9a-f]{12}$/;

/** `00:04:F2:AB:12:CD` in every way of writing it; undefined for anything else. */
export function macOf(text: string): string | undefined {
  const digits = text
    .trim()
    .toLowerCase()
    .replace(/[\s:.-]/g, '');
  return MAC.test(digits) ? digits : undefined;
}

/** Cells of a line: what stands in quotes keeps its commas. */
function cellsOf(line: string): readonly string[] {
  const found = line.matchAll(/(?:^|[,;\t])\s*(?:"((?:[^"]|"")*)"|([^,;\t]*))/g);
  return [...found].map(([, quoted, plain]) => (quoted?.replaceAll('""', '"') ?? plain ?? '').trim());
}

/** The first line of a table that says what is in it. */
function isHeading(cells: readonly string[]): boolean {
  return !cells.some((cell) => macOf(cell)) && cells.some((cell) => /\bmac\b/i.test(cell));
}

interface Typed {
  readonly line: number;
  readonly mac: string;
  readonly name: string;
}

function typedIn(text: string): readonly Typed[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  return lines.flatMap((content, index) => {
    const cells = cellsOf(content);
    if (cells.every((cell) => cell === '')) return [];
    if (index === 0 && isHeading(cells)) return [];
    const at = Math.max(
      0,
      cells.findIndex((cell) => macOf(cell) !== undefined),
    );
    const given = cells[at] ?? '';
    const name = cells.find((cell, other) => other !== at && cell !== '') ?? '';
    return [{ line: index + 1, mac: macOf(given) ?? given, name }];
  });
}

/**
 * Phones of a list, each with what is wrong with it. Who has no item by choice gets the first that has room, in the
 * order's own order. `chosen`: item by MAC address.
 */
export function phonesIn(
  text: string,
  rooms: readonly Room[],
  chosen: Readonly<Record<string, string>> = {},
): readonly ListedPhone[] {
  const left = new Map(rooms.map((room) => [room.id, room.left]));
  const typed = typedIn(text);
  // Choices come first: what follows the order's own order takes what they leave.
  for (const mac of new Set(typed.map((row) => row.mac))) {
    const item = chosen[mac];
    if (item !== undefined) left.set(item, (left.get(item) ?? 0) - 1);
  }
  const seen = new Set<string>();
  return typed.map((row) => {
    const isTwice = seen.has(row.mac);
    seen.add(row.mac);
    const isMac = macOf(row.mac) !== undefined;
    const item = chosen[row.mac] ?? (isMac && !isTwice ? take(left) : '');
    return { ...row, item, mistake: mistakeOf({ ...row, item }, { isTwice, left }) };
  });
}

function take(left: Map<string, number>): string {
  const [item = '', room = 0] = [...left].find(([, count]) => count > 0) ?? [];
  if (item !== '') left.set(item, room - 1);
  return item;
}

function mistakeOf(
  { mac, name, item }: Typed & { readonly item: string },
  { isTwice, left }: { readonly isTwice: boolean; readonly left: ReadonlyMap<string, number> },
): Mistake | undefined {
  if (macOf(mac) === undefined) return 'notMac';
  if (isTwice) return 'twice';
  if (item === '') return 'tooMany';
  if ((left.get(item) ?? 0) < 0) return 'itemFull';
  return name.length > LONGEST_NAME ? 'longName' : undefined;
}

/** One row of a CSV file (RFC 4180); a name that a spreadsheet would take for a formula is shown as text. */
export function csvRow(cells: readonly string[]): string {
  return `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\r\n`;
}

/** What a spreadsheet would count with, it shows. */
export function harmless(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}
