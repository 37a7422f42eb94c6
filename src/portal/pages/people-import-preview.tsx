import { useState } from 'preact/hooks';
import type { ImportedRow, PeopleImport } from '../api/types.ts';
import { texts } from '../texts.ts';
import { Card, Empty, Pill, type Tone } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { CheckField } from '../ui/fields.tsx';
import type { IconName } from '../ui/icons.tsx';
import { type Column, Pager, Table } from '../ui/table.tsx';
import type { ImportChoices, Wrong } from './people-import.tsx';
import { WrongNotice } from './people-import-source.tsx';

const words = texts.peopleImport;
const PAGE = 50;

const LOOKS: Readonly<Record<ImportedRow['outcome'], readonly [Tone, IconName]>> = {
  new: ['ok', 'plus'],
  changed: ['busy', 'pencil'],
  same: ['quiet', 'circle'],
  problem: ['danger', 'alert'],
};

interface PreviewProps {
  readonly report: PeopleImport;
  readonly choices: ImportChoices;
  readonly isOther: boolean;
  readonly wrong: Wrong | undefined;
  readonly onCheck: (choices: ImportChoices) => Promise<void>;
  readonly onImport: (choices: ImportChoices) => Promise<void>;
  readonly onBack: () => void;
}

/** Row by row what an import would do, and the button that does it. */
export function ImportPreview(props: PreviewProps) {
  const { report, isOther, wrong, onCheck, onImport, onBack } = props;
  const [choices, setChoices] = useState(props.choices);
  const [busy, setBusy] = useState(false);
  const { counts } = report;
  const toDo = counts.new + counts.changed;
  const isReady = toDo > 0 && (counts.problem === 0 || choices.skipProblems);
  const work = async (
    what: (choices: ImportChoices) => Promise<void>,
    wanted: ImportChoices,
  ): Promise<void> => {
    setChoices(wanted);
    setBusy(true);
    await what(wanted);
    setBusy(false);
  };
  const unused = report.columns.filter(({ column }) => column === null).map(({ heading }) => heading);
  return (
    <div class="form">
      {isOther && <Notice kind="warn">{words.changedMeanwhile}</Notice>}
      <Counts report={report} />
      <Card title={words.preview}>
        <div class="choices import-choices">
          {counts.problem > 0 && <Notice kind="warn">{words.problems(counts.problem)}</Notice>}
          {counts.problem > 0 && (
            <CheckField
              label={words.skip(counts.problem)}
              checked={choices.skipProblems}
              onChange={(skipProblems) => setChoices({ ...choices, skipProblems })}
            />
          )}
          {(choices.release || isInUse(report)) && (
            <CheckField
              label={words.release}
              hint={words.releaseHint}
              checked={choices.release}
              disabled={busy}
              onChange={(release) => void work(onCheck, { ...choices, release })}
            />
          )}
          {unused.length > 0 && <Notice kind="info">{words.unused(unused.join(', '))}</Notice>}
          {toDo === 0 && counts.problem === 0 && <Notice kind="info">{words.nothingToDo}</Notice>}
          {wrong && <WrongNotice wrong={wrong} />}
          <div class="form-actions">
            {toDo > 0 && (
              <Button
                kind="primary"
                busy={busy}
                disabled={!isReady}
                onClick={() => void work(onImport, choices)}
              >
                {words.submit(toDo)}
              </Button>
            )}
            <Button onClick={onBack}>{words.another}</Button>
          </div>
        </div>
      </Card>
      <ImportRows report={report} first={counts.problem > 0 ? 'problem' : 'all'} />
    </div>
  );
}

function isInUse({ rows }: PeopleImport): boolean {
  return rows.some(({ problems }) => problems.some(({ message }) => message.endsWith('release first')));
}

function Counts({ report: { counts } }: { readonly report: PeopleImport }) {
  return (
    <ul class="tiles">
      {(['new', 'changed', 'same', 'problem'] as const).map((outcome) => (
        <li key={outcome} class={`tile ${counts[outcome] > 0 ? outcome : ''}`}>
          <strong>{texts.count(counts[outcome])}</strong>
          <span>{words.tiles[outcome]}</span>
        </li>
      ))}
    </ul>
  );
}

const FILTERS = ['all', 'problem', 'new', 'changed'] as const;
type Filter = (typeof FILTERS)[number];

const COLUMNS: readonly Column<ImportedRow>[] = [
  {
    key: 'person',
    title: words.person,
    render: ({ name, extension }) => (
      <span class="stack">
        <span class="strong">{name || texts.common.none}</span>
        <span class="muted small">{extension || texts.common.none}</span>
      </span>
    ),
  },
  { key: 'row', title: words.row, render: ({ row }) => texts.count(row) },
  { key: 'outcome', title: words.outcome, render: (row) => <Outcome row={row} /> },
  { key: 'details', title: words.details, render: (row) => <Details row={row} /> },
];

function Outcome({ row: { outcome } }: { readonly row: ImportedRow }) {
  const [tone, icon] = LOOKS[outcome];
  return (
    <Pill tone={tone} icon={icon}>
      {words.outcomes[outcome]}
    </Pill>
  );
}

function Details({ row: { changes, problems } }: { readonly row: ImportedRow }) {
  if (changes.length + problems.length === 0) return <span class="muted">{texts.common.none}</span>;
  return (
    <ul class="row-details">
      {problems.map(({ column, message }) => (
        <li key={column + message} class="bad">
          <strong>{words.words[column]}</strong> {message}
        </li>
      ))}
      {problems.length === 0 &&
        changes.map(({ column, from, to }) => (
          <li key={column}>
            <strong>{words.words[column]}</strong> {words.change(from, to)}
          </li>
        ))}
    </ul>
  );
}

/** The rows, page by page; the browser has them all. */
export function ImportRows({ report, first }: { readonly report: PeopleImport; readonly first: Filter }) {
  const [filter, setFilter] = useState<Filter>(first);
  const [from, setFrom] = useState(0);
  const { counts, rows } = report;
  const wanted = filter === 'all' ? rows : rows.filter(({ outcome }) => outcome === filter);
  const shown = wanted.slice(from, from + PAGE);
  return (
    <div>
      <div class="tools">
        <fieldset class="segments">
          <legend class="hidden">{words.filterLabel}</legend>
          {FILTERS.map((each) => (
            <label key={each}>
              <input
                type="radio"
                name="rows"
                checked={filter === each}
                onChange={() => {
                  setFilter(each);
                  setFrom(0);
                }}
              />
              <span>
                {words.filters[each]}
                <span class="segment-count">{texts.count(each === 'all' ? rows.length : counts[each])}</span>
              </span>
            </label>
          ))}
        </fieldset>
      </div>
      {wanted.length === 0 ? (
        <div class="card">
          <Empty icon="check" title={words.none} text={words.nothingHere} />
        </div>
      ) : (
        <Table
          label={words.table}
          columns={COLUMNS}
          rows={shown}
          keyOf={({ row }) => String(row)}
          nameOf={({ name }) => name}
        />
      )}
      <Pager
        from={from}
        shown={shown.length}
        total={wanted.length}
        onPrevious={from > 0 ? () => setFrom(from - PAGE) : undefined}
        onNext={from + PAGE < wanted.length ? () => setFrom(from + PAGE) : undefined}
      />
    </div>
  );
}
