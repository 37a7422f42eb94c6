import { createHash } from 'node:crypto';
import type { Association } from '../../domain/association.ts';
import type { Directory, User } from '../../domain/directory.ts';
import type { DirectoryEntry } from '../../domain/directory-table.ts';
import { withoutHolders } from '../../domain/holder.ts';
import { runningAt, usesOfPerson } from '../../domain/in-use.ts';
import { folded } from '../../domain/listing.ts';
import type { NumberPlan, View } from '../../domain/view.ts';
import { editProblemSteps } from '../edit-rules.ts';
import { entryProblems } from '../entry-checks.ts';
import { createNumberPlan } from '../number-plan.ts';
import { userOf } from '../people.ts';
import { heldLicences } from '../person-rules.ts';
import { eachInTurns, inSteps } from '../turns.ts';
import { type CellProblem, COLUMNS, type Column, shownIn, sourcesOf, type Wish, wishOf } from './columns.ts';
import type { CsvTable } from './read-csv.ts';

export type Outcome = 'new' | 'changed' | 'same' | 'problem';

/** What becomes of a row. */
export interface PlannedRow {
  /** As spreadsheets count. */
  readonly row: number;
  readonly extension: string;
  readonly name: string;
  /** As they are now; undefined: nobody has this extension. */
  readonly before: User | undefined;
  /** As they are to be; undefined: that cannot be said. */
  readonly after: User | undefined;
  readonly problems: readonly RowProblem[];
}

export interface RowProblem extends CellProblem {
  /** Somebody is logged in by what the row takes away. */
  readonly running?: true;
}

export interface PlanFacts {
  readonly directory: Directory;
  readonly view: Pick<View, 'associationAt' | 'associationOf' | 'directory'>;
  /** Whose people whoever imports may change, and where they may put them. */
  readonly isOwnSite: (site: string) => boolean;
  /** Who is logged in is released first, and no problem. */
  readonly release: boolean;
}

/** A row may have fifty numbers to be read, and each of them takes tens of microseconds. */
const ROWS_AT_ONCE = 10;

/** What an import would do, row by row, by the rules for single edits; in turns of a few milliseconds. */
export async function planRows(table: CsvTable, facts: PlanFacts): Promise<PlannedRow[]> {
  const rows = await readRows(table, facts);
  addProblems(rows, await inSteps(editProblemSteps(rows.flatMap(entryOf), facts.directory)), facts);
  allotLicences(rows, facts.directory);
  if (!facts.release) await eachInTurns(rows, ROWS_AT_ONCE, (row) => addUses(row, facts.view));
  return rows;
}

/** What it is, in a word. */
export function outcomeOf({ before, after, problems }: PlannedRow): Outcome {
  if (problems.length > 0 || after === undefined) return 'problem';
  if (before === undefined) return 'new';
  return before === after ? 'same' : 'changed';
}

/** The columns that differ. */
export function changesOf({ before, after }: PlannedRow): { column: Column; from: string; to: string }[] {
  if (!before || !after || before === after) return [];
  return COLUMNS.flatMap((column) => {
    const [from, to] = [shownIn(before, column), shownIn(after, column)];
    return from === to ? [] : [{ column, from, to }];
  });
}

/** A word for all that would be done: another one when it would be something else. */
export async function tagOfPlan(rows: readonly PlannedRow[]): Promise<string> {
  const hash = createHash('sha256');
  await eachInTurns(rows, ROWS_AT_ONCE, (row) => {
    const { before, after } = row;
    hash.update(JSON.stringify([row.row, outcomeOf(row), before === after ? null : [before, after]]));
  });
  return hash.digest('base64url').slice(0, 22);
}

/** Associations that do not outlive a row (rules A7, B1, B2). */
export function usesOfRow({ before, after }: PlannedRow, view: PlanFacts['view']): readonly Association[] {
  return before && after && before !== after ? usesOfPerson(before, after, view) : [];
}

/** Rows that may have such uses, whoever sits where now. */
export function takesAway({ before, after }: PlannedRow): boolean {
  if (!before || !after || before === after) return false;
  const isLess = before.hotDeskLicence && !after.hotDeskLicence;
  return isLess || before.site !== after.site || before.addOns.some((addOn) => !after.addOns.includes(addOn));
}

type Drafted = { -readonly [K in keyof PlannedRow]: PlannedRow[K] } & { problems: RowProblem[] };

interface Reading extends PlanFacts {
  readonly sources: ReturnType<typeof sourcesOf>;
  readonly plan: NumberPlan | undefined;
  readonly sitesByName: ReadonlyMap<string, string | undefined>;
  /** Extension → row it stands in. */
  readonly seen: Map<string, number>;
}

async function readRows({ headings, records }: CsvTable, facts: PlanFacts): Promise<Drafted[]> {
  const { company, sites } = facts.directory;
  const sitesByName = new Map<string, string | undefined>();
  for (const { id, name } of sites.values()) {
    const key = folded(name).trim();
    // Of two with the same name neither is meant.
    sitesByName.set(key, sitesByName.has(key) ? undefined : id);
  }
  const reading: Reading = {
    ...{ ...facts, sources: sourcesOf(headings), plan: createNumberPlan(company.country) },
    ...{ sitesByName, seen: new Map() },
  };
  const rows: Drafted[] = [];
  await eachInTurns(records, ROWS_AT_ONCE, ({ row, cells }) => rows.push(readRow(row, cells, reading)));
  return rows;
}

function readRow(row: number, cells: readonly string[], reading: Reading): Drafted {
  const { wish, problems: unread } = wishOf(cells, reading);
  const { extension } = wish;
  const problems: RowProblem[] = [...unread];
  const first = reading.seen.get(extension);
  const before = reading.directory.users.get(extension);
  const name = wish.name ?? before?.name ?? '';
  const drafted = { row, extension, name, before, after: undefined, problems };
  if (extension === '') problems.push({ column: 'extension', message: 'must not be empty' });
  else if (first !== undefined)
    problems.push({ column: 'extension', message: `stands in row ${first} already` });
  else if (before && !reading.isOwnSite(before.site))
    problems.push({ column: 'extension', message: 'belongs to somebody at a site that is not yours' });
  reading.seen.set(extension, first ?? row);
  if (problems.length > 0) return drafted;
  const site = siteOf(wish, before, reading);
  if (typeof site === 'object') return { ...drafted, problems: [site] };
  const after = before ? changed(before, wish, site) : added(wish, site);
  const own = after === before ? [] : entryProblems({ kind: 'user', value: after }, reading.directory);
  return { ...drafted, after, problems: own.map(cellProblem) };
}

function siteOf({ site }: Wish, before: User | undefined, reading: Reading): string | CellProblem {
  const { directory, sitesByName, isOwnSite } = reading;
  if (site === undefined) {
    const own = before ? [before.site] : [...directory.sites.keys()].filter(isOwnSite);
    return own.length === 1 && own[0] ? own[0] : { column: 'site', message: 'must not be empty' };
  }
  const key = folded(site).trim();
  const id = directory.sites.has(site) ? site : sitesByName.get(key);
  if (id === undefined) {
    const message = sitesByName.has(key) ? 'several sites have this name: write the id' : 'no such site';
    return { column: 'site', message };
  }
  return isOwnSite(id) ? id : { column: 'site', message: 'is not one of your sites' };
}

function added(wish: Wish, site: string): User {
  const { extension, name = '', numbers = [], callerId = numbers[0] ?? '', email, plan = 'connect' } = wish;
  const { hotDeskLicence = false } = wish;
  const addOns = (['host', 'guest'] as const).filter((addOn) => wish[addOn] === true);
  const details = { ...(email != null && { email }), plan, hotDeskLicence, addOns };
  return userOf({ ...{ extension, name, site, numbers, callerId }, ...details });
}

/** The person itself where nothing is new. */
function changed(before: User, { host, guest, email, extension: _, ...wish }: Wish, site: string): User {
  const wanted = { host, guest };
  const addOns = (['host', 'guest'] as const).filter(
    (addOn) => wanted[addOn] ?? before.addOns.includes(addOn),
  );
  const after: User = {
    ...{ ...before, ...wish, site, addOns },
    ...(email !== undefined && { email: email ?? undefined }),
  };
  return COLUMNS.some((column) => shownIn(before, column) !== shownIn(after, column)) ? after : before;
}

function entryOf(row: PlannedRow): DirectoryEntry[] {
  const outcome = outcomeOf(row);
  return row.after && (outcome === 'new' || outcome === 'changed')
    ? [{ kind: 'user', value: row.after }]
    : [];
}

/** Rows that put something, as entries. */
export function entriesOf(rows: readonly PlannedRow[]): DirectoryEntry[] {
  return rows.flatMap(entryOf);
}

const FIELDS: ReadonlySet<string> = new Set(COLUMNS);
const OTHER_FIELDS: Readonly<Record<string, Column>> = { addOns: 'guest', forwarding: 'numbers' };

/** `user:1001.numbers.0: must be …` as what it is to whoever wrote the file. */
function cellProblem(text: string): CellProblem {
  const [, field = '', message = text] = /^user:[^.:]*(?:\.(\w+)[^:]*)?: (.*)$/s.exec(text) ?? [];
  const column = FIELDS.has(field) ? (field as Column) : (OTHER_FIELDS[field] ?? 'extension');
  const isMissing = column === 'callerId' && /full number/.test(message);
  return { column, message: isMissing ? `${message}; absent, it is the first direct number` : message };
}

/** Problems that name people, each to its row. */
function addProblems(
  rows: readonly Drafted[],
  problems: readonly string[],
  { directory, isOwnSite }: PlanFacts,
): void {
  const byExtension = new Map(rows.map((row) => [`${row.extension}`, row]));
  for (const text of problems) {
    const extension = /^user:([^.:]*)/.exec(text)?.[1];
    const row = extension === undefined ? undefined : byExtension.get(extension);
    const isTold = (holder: User | undefined): boolean => !holder || isOwnSite(holder.site);
    const told = withoutHolders(text, ({ id }) => isTold(directory.users.get(id)));
    row?.problems.push(cellProblem(told));
  }
}

/** Rows get licences in their order, as far as there are any: what others give back counts (rules A7, B1). */
function allotLicences(rows: readonly Drafted[], { company, users }: Directory): void {
  const totals = { hotDesk: company.hotDeskLicences, ...company.addOnLicences };
  const held: Record<Kind, number> = { ...heldLicences(users.values()) };
  const sound = rows.filter(({ problems }) => problems.length === 0);
  const gains = (row: Drafted, kind: Kind): number => holds(row.after, kind) - holds(row.before, kind);
  for (const row of sound) for (const kind of KINDS) held[kind] += Math.min(0, gains(row, kind));
  for (const row of sound) {
    const gained = KINDS.filter((kind) => gains(row, kind) > 0);
    const missing = gained.filter((kind) => held[kind] >= totals[kind]);
    for (const kind of missing)
      row.problems.push({ column: LICENCE[kind].column, message: LICENCE[kind].words(totals[kind]) });
    if (missing.length === 0) for (const kind of gained) held[kind] += 1;
  }
}

const KINDS = ['hotDesk', 'host', 'guest'] as const;
type Kind = (typeof KINDS)[number];
const LICENCE = {
  hotDesk: { column: 'hotDeskLicence', words: (all: number) => `all ${all} hot-desk licences are assigned` },
  host: { column: 'host', words: (all: number) => `all ${all} host add-ons are assigned` },
  guest: { column: 'guest', words: (all: number) => `all ${all} guest add-ons are assigned` },
} as const;

function holds(user: User | undefined, kind: Kind): 0 | 1 {
  const has = kind === 'hotDesk' ? user?.hotDeskLicence : user?.addOns.includes(kind);
  return has ? 1 : 0;
}

function addUses(row: Drafted, view: PlanFacts['view']): void {
  const [use] = row.problems.length === 0 ? usesOfRow(row, view) : [];
  if (!use || !row.before || !row.after) return;
  const column = row.before.site === row.after.site ? lostColumn(row.before, row.after) : 'site';
  row.problems.push({ column, message: runningAt(use).detail ?? '', running: true });
}

function lostColumn(before: User, after: User): Column {
  if (before.hotDeskLicence && !after.hotDeskLicence) return 'hotDeskLicence';
  return before.addOns.find((addOn) => !after.addOns.includes(addOn)) ?? 'guest';
}
