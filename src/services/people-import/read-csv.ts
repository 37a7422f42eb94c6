import { Readable } from 'node:stream';
import { CsvError, type Info, parse } from 'csv-parse';
import { turn } from '../turns.ts';

/** A table as it stood in a file. */
export interface CsvTable {
  readonly headings: readonly string[];
  readonly records: readonly CsvRecord[];
}

export interface CsvRecord {
  /** As spreadsheets number rows: the headings are in row 1. */
  readonly row: number;
  readonly cells: readonly string[];
}

/** What is wrong with a file as a whole: where, and words. */
export interface FileProblem {
  /** Such as `row 7`. */
  readonly at: string;
  readonly message: string;
}

export type ReadCsv = CsvTable | { readonly problems: readonly FileProblem[] };

export const MOST_ROWS = 10_000;
const MOST_COLUMNS = 100;
const MOST_CHARACTERS_A_ROW = 20_000;
/** Characters the parser gets between two turns: a few milliseconds of work. */
const PORTION = 32_768;
const DELIMITERS = [',', ';', '\t'] as const;

/**
 * Reads RFC 4180 and what spreadsheets make of it: commas, semicolons or tabs, any line ends, a byte order mark, a first
 * line `sep=;`, quoted fields over several lines. Rows without anything in them are left out, and counted.
 */
export async function readCsv(text: string): Promise<ReadCsv> {
  const [, named, rest] = /^\uFEFF?sep=([,;\t])\r?\n([\s\S]*)$/i.exec(text) ?? [];
  const body = rest ?? text;
  const delimiter = named ?? delimiterOf(body);
  try {
    return await tableOf(body, { delimiter, before: rest === undefined ? 0 : 1 });
  } catch (error) {
    if (error instanceof CsvError) return { problems: [fileProblem(error)] };
    throw error;
  }
}

async function tableOf(
  text: string,
  { delimiter, before }: { readonly delimiter: string; readonly before: number },
): Promise<ReadCsv> {
  let headings: readonly string[] | undefined;
  const records: CsvRecord[] = [];
  for await (const { record, info } of recordsOf(text, delimiter)) {
    if (record.every((cell) => cell === '')) continue;
    if (record.length > MOST_COLUMNS) return tooMuch(`more than ${MOST_COLUMNS} columns`);
    if (headings === undefined) headings = record;
    else records.push({ row: before + info.records + info.empty_lines, cells: record });
    if (records.length > MOST_ROWS) return tooMuch(`more than ${MOST_ROWS} people: import them in parts`);
  }
  if (headings === undefined || records.length === 0)
    return tooMuch('nobody: it needs a row for each person');
  return { headings, records };
}

function tooMuch(what: string): { readonly problems: readonly FileProblem[] } {
  return { problems: [{ at: 'file', message: `has ${what}` }] };
}

interface Parsed {
  readonly record: string[];
  readonly info: Info;
}

function recordsOf(text: string, delimiter: string): AsyncIterable<Parsed> {
  const parser = parse({
    ...{ delimiter, bom: true, info: true, trim: true, skip_empty_lines: true },
    ...{ relax_column_count: true, relax_quotes: true, max_record_size: MOST_CHARACTERS_A_ROW },
  });
  const source = Readable.from(portions(text));
  source.pipe(parser);
  return parser;
}

async function* portions(text: string): AsyncGenerator<string> {
  for (let from = 0; from < text.length; from += PORTION) {
    yield text.slice(from, from + PORTION);
    await turn();
  }
}

/** What stands most often between the headings, outside of quotes. */
function delimiterOf(text: string): string {
  const [line = ''] = text.replace(/^[\uFEFF\s]+/, '').split(/[\r\n]/, 1);
  const plain = line.replace(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => plain.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
}

const WORDS: Partial<Record<CsvError['code'], string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quotation mark is not closed',
  CSV_MAX_RECORD_SIZE: `is longer than ${MOST_CHARACTERS_A_ROW} characters: a quotation mark may be missing`,
};

function fileProblem(error: CsvError): FileProblem {
  const lines = (error as { readonly lines?: unknown }).lines;
  const at = typeof lines === 'number' ? `line ${lines}` : 'file';
  return { at, message: WORDS[error.code] ?? 'cannot be read as CSV' };
}
