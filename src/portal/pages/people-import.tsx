import { useEffect, useState } from 'preact/hooks';
import { ApiError, friendly, send } from '../api/client.ts';
import type { PeopleImport } from '../api/types.ts';
import { texts } from '../texts.ts';
import { Head } from '../ui/bits.tsx';
import { ImportPreview } from './people-import-preview.tsx';
import { ImportResult } from './people-import-result.tsx';
import { ImportSource } from './people-import-source.tsx';

const words = texts.peopleImport;
const PATH = '/users/import';

/** What is asked of an import besides the table. */
export interface ImportChoices {
  readonly release: boolean;
  readonly skipProblems: boolean;
}

interface Checked {
  readonly csv: string;
  readonly report: PeopleImport;
  readonly choices: ImportChoices;
  /** The directory is another one since it was checked last. */
  readonly isOther: boolean;
}

/** What is wrong with a table as a whole: a sentence, and where. */
export interface Wrong {
  readonly text: string;
  readonly lines: readonly string[];
}

function wrongIn(error: unknown): Wrong {
  const listed = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  const lines = listed.map(({ path, message }) => `${path}: ${message}`);
  return { text: lines.length > 0 ? words.rowsWrong : friendly(error), lines };
}

/** Users › Import: choose a table, see what would happen, do it. */
export function PeopleImportPage() {
  const [checked, setChecked] = useState<Checked>();
  const [result, setResult] = useState<PeopleImport>();
  const [wrong, setWrong] = useState<Wrong>();

  const check = async (csv: string, choices: ImportChoices, isOther = false): Promise<void> => {
    setWrong(undefined);
    try {
      const { release } = choices;
      const report = await send<PeopleImport>('POST', PATH, { csv, dryRun: true, release });
      setChecked({ csv, report, choices, isOther });
    } catch (error) {
      setWrong(wrongIn(error));
    }
  };
  const carryOut = async ({ csv, report: { plan } }: Checked, choices: ImportChoices): Promise<void> => {
    setWrong(undefined);
    try {
      setResult(await send<PeopleImport>('POST', PATH, { csv, plan, ...choices }));
    } catch (error) {
      const isOther = error instanceof ApiError && error.problem.reason === 'changedMeanwhile';
      if (isOther) return check(csv, choices, true);
      setWrong(wrongIn(error));
    }
  };

  const step = result ? 'done' : checked ? 'preview' : 'source';
  useEffect(() => window.scrollTo(0, 0), [step]);

  return (
    <>
      <Head
        key={step}
        title={words.titles[step]}
        lead={words.lead}
        back={{ href: '/users', text: words.back }}
      />
      {result && <ImportResult report={result} />}
      {!result && checked && (
        <ImportPreview
          key={checked.report.plan}
          report={checked.report}
          choices={checked.choices}
          isOther={checked.isOther}
          wrong={wrong}
          onCheck={(choices) => check(checked.csv, choices)}
          onImport={(choices) => carryOut(checked, choices)}
          onBack={() => {
            setChecked(undefined);
            setWrong(undefined);
          }}
        />
      )}
      {!result && !checked && (
        <ImportSource wrong={wrong} onCheck={(csv) => check(csv, { release: false, skipProblems: false })} />
      )}
    </>
  );
}
