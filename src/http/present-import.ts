import type { z } from 'zod';
import type { ImportReport } from '../services/people-import/people-import.ts';
import { changesOf, outcomeOf, type PlannedRow } from '../services/people-import/plan.ts';
import type { importedRow } from './import-schemas.ts';

function presentRow(planned: PlannedRow): z.output<typeof importedRow> {
  const { row, extension, name, problems } = planned;
  return {
    ...{ row, extension: extension.slice(0, 64), name: name.slice(0, 200), outcome: outcomeOf(planned) },
    changes: changesOf(planned),
    problems: problems.map(({ column: where, message }) => ({ column: where, message })),
  };
}

const ROWS_AT_ONCE = 250;

/** The report as JSON, a portion at a time: ten thousand rows in one piece would make others wait. */
export function* reportJson({ rows, ...report }: ImportReport): Generator<string> {
  const columns = report.columns.map(({ heading, column: where }) => ({
    ...{ heading: heading.slice(0, 200), column: where ?? null },
  }));
  const head = JSON.stringify({ done: report.done, plan: report.plan, counts: report.counts, columns });
  yield `${head.slice(0, -1)},"rows":[`;
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const part = rows.slice(from, from + ROWS_AT_ONCE).map(presentRow);
    yield `${from === 0 ? '' : ','}${JSON.stringify(part).slice(1, -1)}`;
  }
  yield ']}';
}
