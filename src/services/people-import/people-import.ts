import type { Directory } from '../../domain/directory.ts';
import { runningAt } from '../../domain/in-use.ts';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import type { View } from '../../domain/view.ts';
import type { Store } from '../../store/store.ts';
import type { DirectoryEdit, DirectoryService } from '../directory-service.ts';
import { usedUp } from '../people.ts';
import type { Log, Random } from '../ports.ts';
import { releaseAll } from '../releases.ts';
import { type Column, columnOf, sourcesOf } from './columns.ts';
import {
  entriesOf,
  type Outcome,
  outcomeOf,
  type PlannedRow,
  planRows,
  tagOfPlan,
  takesAway,
  usesOfRow,
} from './plan.ts';
import { type CsvTable, readCsv } from './read-csv.ts';

export interface PeopleImportDependencies {
  readonly store: Pick<Store, 'end'>;
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly view: View;
  readonly random: Random;
  readonly log: Log;
}

export interface ImportOptions {
  readonly actor: string;
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean | undefined;
  /** Who is logged in by what is taken away is logged out first; otherwise their rows are problems. */
  readonly release?: boolean | undefined;
  /** Rows with problems are left out; otherwise there is no import while there are any. */
  readonly skipProblems?: boolean | undefined;
  /** `plan` of a dry run: only exactly that is done. */
  readonly plan?: string | undefined;
  /** Whether whoever imports may change people there. */
  readonly isOwnSite: (site: string) => boolean;
}

export interface ImportReport {
  readonly done: boolean;
  /** A word for what would be done, or was. */
  readonly plan: string;
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly columns: readonly { readonly heading: string; readonly column: Column | undefined }[];
  readonly rows: readonly PlannedRow[];
}

/** A refusal that says what is wrong and where: `row 5, site`. */
export type ImportRefusal = Refusal & {
  readonly wrong?: readonly { readonly at: string; readonly message: string }[];
};

/** How often others may change the directory in between. */
const ROUNDS = 3;
const AT_ONCE = 2;
const MOST_TOLD = 200;
const AGAIN: Refusal = { refused: 'changedMeanwhile', detail: 'the directory is not as it was' };
const ABSENT = { at: 'row 1', message: 'has no column called Extension' };

/** Many people at once, from a table as spreadsheets write it (RFC 4180). */
export class PeopleImport {
  readonly #deps: PeopleImportDependencies;
  #running = 0;

  constructor(deps: PeopleImportDependencies) {
    this.#deps = deps;
  }

  /**
   * Adds who is new and changes who is there; nobody is removed. All or nothing, but for more than 2000 people while the
   * store goes away: the same import again completes it. Who logs in at the very moment by what is taken away is logged
   * out. Refused with invalidImport (`wrong` says what), associationRunning when nothing else is wrong,
   * changedMeanwhile, licencesUsedUp, overloaded, storeUnavailable or stateUnknown.
   */
  async run(csv: string, options: ImportOptions): Promise<ImportReport | ImportRefusal> {
    if (this.#running >= AT_ONCE) return { refused: 'overloaded', detail: 'others are importing' };
    this.#running++;
    try {
      const table = await readCsv(csv);
      if ('problems' in table) return invalid(table.problems);
      if (!sourcesOf(table.headings).includes('extension')) return invalid([ABSENT]);
      return await this.#inRounds(table, options);
    } finally {
      this.#running--;
    }
  }

  async #inRounds(table: CsvTable, options: ImportOptions): Promise<ImportReport | ImportRefusal> {
    const ended = new Set<number>();
    for (let round = 1; ; round++) {
      const report = await this.#plan(table, options);
      if (isRefusal(report) || options.dryRun) return report;
      const no = refusalOf(report, options) ?? (await this.#carryOut(report, options, ended));
      if (no === undefined) return { ...report, done: true };
      const mayTryAgain = no.refused === 'changedMeanwhile' && options.plan === undefined;
      if (!mayTryAgain || round === ROUNDS) return no;
    }
  }

  async #plan(table: CsvTable, options: ImportOptions): Promise<ImportReport | Refusal> {
    const { view } = this.#deps;
    const { directory } = view;
    const { isOwnSite, release = false } = options;
    if (!directory) return { refused: 'stateUnknown' };
    const rows = await planRows(table, { directory, view, isOwnSite, release });
    const counts = { new: 0, changed: 0, same: 0, problem: 0 };
    for (const row of rows) counts[outcomeOf(row)]++;
    const sources = sourcesOf(table.headings);
    const columns = table.headings.map((heading, i) => ({ heading, column: columnOf(sources[i]) }));
    return { done: false, plan: await tagOfPlan(rows), counts, columns, rows };
  }

  /** Undefined: it is done. */
  async #carryOut(
    { rows, counts }: ImportReport,
    { actor, release = false }: ImportOptions,
    ended: Set<number>,
  ): Promise<ImportRefusal | undefined> {
    const { directory, view, log } = this.#deps;
    const wanted = rows.filter((row) => ['new', 'changed'].includes(outcomeOf(row)));
    const risky = wanted.filter(takesAway);
    const uses = () =>
      risky.flatMap((row) => usesOfRow(row, view)).filter((use) => !ended.has(use.generation));
    const no = release ? await releaseAll(uses(), this.#deps, { actor, ended }) : undefined;
    if (no) return no;
    const put = entriesOf(wanted);
    let version = 0;
    const whenWritten = (at: number): void => {
      version = at;
    };
    const result = await directory.editDirectory((now): DirectoryEdit | Refusal => {
      const [running] = uses();
      if (running) return release ? AGAIN : runningAt(running);
      const people = wanted.flatMap(({ after }) => after ?? []);
      const stop = isStale(wanted, now) ? AGAIN : usedUp(people, now);
      return stop ?? { put, whenWritten };
    }, actor);
    if (isRefusal(result)) return refusedBy(result, rows);
    // Who came between the last look and the change sits there by rules that are gone.
    const crossed = uses().filter(({ generation }) => generation < version);
    log.info({ added: counts.new, changed: counts.changed, actor }, 'people imported');
    return releaseAll(crossed, this.#deps, { actor, ended });
  }
}

function isStale(rows: readonly PlannedRow[], { users }: Directory): boolean {
  return rows.some(({ extension, before }) => users.get(extension) !== before);
}

function refusalOf(
  { rows, counts, plan }: ImportReport,
  { skipProblems = false, plan: wanted }: ImportOptions,
): ImportRefusal | undefined {
  if (wanted !== undefined && wanted !== plan) return AGAIN;
  if (counts.problem === 0 || skipProblems) return undefined;
  const problems = rows.flatMap(({ row, problems: found }) => found.map((one) => ({ row, ...one })));
  const wrong = problems
    .slice(0, MOST_TOLD)
    .map(({ row, column, message }) => ({ at: `row ${row}, ${column}`, message }));
  const onlyRunning = problems.every(({ running }) => running);
  const detail = `${counts.problem} of ${rows.length} rows cannot be imported`;
  return { refused: onlyRunning ? 'associationRunning' : 'invalidImport', detail, wrong };
}

/** What the directory says of entries that were well by themselves, by rows. */
function refusedBy(
  refusal: Refusal & { readonly problems?: readonly string[] },
  rows: readonly PlannedRow[],
): ImportRefusal {
  const { problems, ...plain } = refusal;
  if (problems === undefined) return plain;
  const rowOf = new Map(rows.map(({ extension, row }) => [extension, row]));
  const wrong = problems.slice(0, MOST_TOLD).map((text) => {
    const [path = '', ...words] = text.split(': ');
    const row = rowOf.get(/^user:([^.]*)/.exec(path)?.[1] ?? '');
    return { at: row === undefined ? path : `row ${row}`, message: words.join(': ') };
  });
  return { ...invalid(wrong), detail: plain.detail ?? '' };
}

function invalid(wrong: NonNullable<ImportRefusal['wrong']>): ImportRefusal {
  return { refused: 'invalidImport', detail: `${wrong[0]?.at}: ${wrong[0]?.message}`, wrong };
}
