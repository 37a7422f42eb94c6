import { useState } from 'preact/hooks';
import { csvLine, download, textOf } from '../app/files.ts';
import { texts } from '../texts.ts';
import { Card } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { AreaField } from '../ui/fields.tsx';
import { Icon } from '../ui/icons.tsx';
import type { Wrong } from './people-import.tsx';

const words = texts.peopleImport;
const MOST_BYTES = 4 * 1024 * 1024;

const SAMPLE = [
  [
    ...['Extension', 'Name', 'Site', 'Numbers', 'Caller ID', 'E-mail', 'Plan'],
    ...['Hot desk licence', 'Host', 'Guest'],
  ],
  [
    ...['2001', 'Nora Field', 'London', '+442079460201', '', 'nora@example.com', 'Connect'],
    ...['yes', 'no', 'yes'],
  ],
  [
    ...['2002', 'Samuel Price', 'Leeds', '+441134960202;+441134960203', '+441134960202', ''],
    ...['Collaborate', 'yes', 'yes', 'no'],
  ],
];

interface SourceProps {
  readonly wrong: Wrong | undefined;
  readonly onCheck: (csv: string) => Promise<void>;
}

interface Chosen {
  readonly name: string;
  readonly size: number;
  readonly text: string;
}

/** Where the table comes from: a file that is chosen or dropped, or rows that are pasted. */
export function ImportSource({ wrong, onCheck }: SourceProps) {
  const [chosen, setChosen] = useState<Chosen>();
  const [pasted, setPasted] = useState('');
  const [mistake, setMistake] = useState('');
  const [busy, setBusy] = useState(false);
  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setMistake(file.size > MOST_BYTES ? words.tooLarge : '');
    if (file.size > MOST_BYTES) return;
    setPasted('');
    setChosen({ name: file.name, size: file.size, text: await textOf(file) });
  };
  const check = async (event: Event): Promise<void> => {
    event.preventDefault();
    const csv = pasted.trim() === '' ? (chosen?.text ?? '') : pasted;
    setMistake(csv.trim() === '' ? words.empty : '');
    if (csv.trim() === '') return;
    setBusy(true);
    await onCheck(csv);
    setBusy(false);
  };
  return (
    <div class="columns">
      <form class="card form" noValidate onSubmit={(event) => void check(event)}>
        <header class="card-head">
          <div>
            <h2>{words.file}</h2>
            <p>{words.fileLead}</p>
          </div>
        </header>
        <Drop chosen={chosen} onFile={(file) => void take(file)} />
        <AreaField
          label={words.paste}
          hint={words.pasteHint}
          name="rows"
          rows={5}
          value={pasted}
          onInput={(text) => {
            setPasted(text);
            if (text.trim() !== '') setChosen(undefined);
          }}
        />
        {mistake !== '' && <Notice kind="danger">{mistake}</Notice>}
        {wrong && <WrongNotice wrong={wrong} />}
        <div class="form-actions">
          <Button type="submit" kind="primary" busy={busy}>
            {words.check}
          </Button>
        </div>
      </form>
      <div>
        <Card
          title={words.columnsTitle}
          aside={
            <Button
              small
              icon="download"
              onClick={() => download('hotdesk-people.csv', SAMPLE.map(csvLine).join(''))}
            >
              {words.sample}
            </Button>
          }
        >
          <dl class="column-help">
            {words.columns.map(([name, text]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
          <p class="muted small foot-note">{words.columnsNote}</p>
        </Card>
      </div>
    </div>
  );
}

interface DropProps {
  readonly chosen: Chosen | undefined;
  readonly onFile: (file: File | undefined) => void;
}

function Drop({ chosen, onFile }: DropProps) {
  const [over, setOver] = useState(false);
  const hold = (event: DragEvent): void => {
    event.preventDefault();
    setOver(true);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    onFile(event.dataTransfer?.files[0]);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is one way of two; the other is the button in it
    <div
      class={`drop${over ? ' over' : ''}`}
      onDragOver={hold}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <Icon name={chosen ? 'check' : 'upload'} size={26} />
      {chosen ? (
        <p role="status">
          <strong>{words.chosen(chosen.name, words.kilobytes(chosen.size))}</strong>
        </p>
      ) : (
        <p>{words.drop}</p>
      )}
      <label class="button plain">
        <input
          type="file"
          accept=".csv,.txt,.tsv,text/csv,text/plain"
          onChange={(event) => onFile(event.currentTarget.files?.[0])}
        />
        <span>{words.choose}</span>
      </label>
    </div>
  );
}

/** What is wrong with the table, line by line. */
export function WrongNotice({ wrong }: { readonly wrong: Wrong }) {
  return (
    <Notice kind="danger">
      <p>{wrong.text}</p>
      {wrong.lines.length > 0 && (
        <ul class="plain-list">
          {wrong.lines.slice(0, 10).map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
