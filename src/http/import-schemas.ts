import { z } from 'zod';
import { COLUMNS } from '../services/people-import/columns.ts';

/** What the API takes and gives when many people come at once. */

const WORDS = {
  dryRun: 'true: says what would be done, and does nothing.',
  release:
    'true: who is logged in by what is taken away is logged out first; otherwise their rows are refused.',
  skipProblems: 'true: rows with problems are left out; otherwise nothing is imported while there are any.',
  plan: '`plan` of a dry run: when it would be something else by now, 412 and nothing is done.',
} as const;

const plan = z.exactOptional(z.string().min(1).max(64)).describe(WORDS.plan);
const flag = (words: string) => z.exactOptional(z.boolean()).describe(words);
const word = (words: string) => z.exactOptional(z.enum(['true', 'false'])).describe(words);

/** A file sent as `text/csv` is the `csv` of this, and the rest stands in the query. */
export const importWish = z.strictObject({
  csv: z
    .string()
    .min(1)
    .describe(
      'RFC 4180, with commas, semicolons or tabs; the first row names the columns: Extension (needed), Name, Site (id or name), Numbers (several with ; between them), Caller ID, E-mail, Plan, Hot desk licence, Host, Guest (yes or no). Empty cells change nothing; - clears numbers and e-mail.',
    ),
  dryRun: flag(WORDS.dryRun),
  release: flag(WORDS.release),
  skipProblems: flag(WORDS.skipProblems),
  plan,
});

export const importQuery = z.strictObject({
  dryRun: word(WORDS.dryRun),
  release: word(WORDS.release),
  skipProblems: word(WORDS.skipProblems),
  plan,
});

const column = z.enum(COLUMNS);

export const importedRow = z
  .object({
    row: z.int().describe('As spreadsheets count: the first person is in row 2.'),
    extension: z.string(),
    name: z.string(),
    outcome: z.enum(['new', 'changed', 'same', 'problem']),
    changes: z.array(z.object({ column, from: z.string(), to: z.string() })),
    problems: z.array(z.object({ column, message: z.string() })),
  })
  .meta({ id: 'ImportedRow' });

const counts = z.object({ new: z.int(), changed: z.int(), same: z.int(), problem: z.int() });

export const peopleImport = z
  .object({
    done: z.boolean().describe('false: it was a dry run.'),
    plan: z.string().describe('A word for exactly this: give it back to have only this done.'),
    counts,
    columns: z.array(
      z.object({ heading: z.string(), column: column.nullable().describe('null: not looked at.') }),
    ),
    rows: z.array(importedRow).describe('Every row of the table, in its order.'),
  })
  .meta({ id: 'PeopleImport' });
