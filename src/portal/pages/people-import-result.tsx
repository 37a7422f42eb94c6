import { useEffect, useRef, useState } from 'preact/hooks';
import { send } from '../api/client.ts';
import type { ImportedRow, PeopleImport } from '../api/types.ts';
import { csvLine, download } from '../app/files.ts';
import { navigate } from '../app/router.ts';
import { texts } from '../texts.ts';
import { Card } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { ImportRows } from './people-import-preview.tsx';

const words = texts.peopleImport;
/** In a row: then it is not about single people. */
const MOST_FAILURES = 5;

/** What an import did, and one-time PINs for who is new. */
export function ImportResult({ report }: { readonly report: PeopleImport }) {
  const { counts, rows } = report;
  const added = rows.filter(({ outcome }) => outcome === 'new');
  const sentences = [
    ...(counts.new > 0 ? [words.added(counts.new)] : []),
    ...(counts.changed > 0 ? [words.changed(counts.changed)] : []),
    ...(counts.same > 0 ? [words.same(counts.same)] : []),
    ...(counts.problem > 0 ? [words.left(counts.problem)] : []),
  ];
  return (
    <div class="form">
      <section class="card finished" role="status">
        <span class="finished-icon">
          <Icon name="check" size={26} />
        </span>
        <div>
          <h2>{words.done}</h2>
          <p class="muted">{sentences.join(' · ')}</p>
        </div>
        <Button onClick={() => navigate('/users')}>{words.toUsers}</Button>
      </section>
      {added.length > 0 && <Pins people={added} />}
      <ImportRows report={report} first="all" />
    </div>
  );
}

interface Given {
  /** Extension → PIN. */
  readonly pins: ReadonlyMap<string, string>;
  readonly failed: number;
}

function Pins({ people }: { readonly people: readonly ImportedRow[] }) {
  const [given, setGiven] = useState<Given>({ pins: new Map(), failed: 0 });
  const [running, setRunning] = useState(false);
  const [saved, setSaved] = useState(0);
  const stopped = useRef(false);
  const left = people.filter(({ extension }) => !given.pins.has(extension));
  useEffect(
    () => () => {
      stopped.current = true;
    },
    [],
  );
  useWarning(given.pins.size > saved);

  const give = async (): Promise<void> => {
    setRunning(true);
    stopped.current = false;
    const pins = new Map(given.pins);
    let failed = 0;
    let inARow = 0;
    for (const { extension } of left) {
      if (stopped.current || inARow >= MOST_FAILURES) break;
      const pin = await giveOne(extension);
      if (pin !== undefined) pins.set(extension, pin);
      failed += pin === undefined ? 1 : 0;
      inARow = pin === undefined ? inARow + 1 : 0;
      setGiven({ pins: new Map(pins), failed });
    }
    setRunning(false);
  };
  const stop = (): void => {
    stopped.current = true;
  };
  const save = (): void => {
    const rows = people.filter(({ extension }) => given.pins.has(extension));
    const lines = rows.map(({ extension, name }) =>
      csvLine([extension, name, given.pins.get(extension) ?? '']),
    );
    const head = csvLine([words.words.extension, words.words.name, texts.pin.title]);
    download('hotdesk-pins.csv', `\uFEFF${head}${lines.join('')}`);
    setSaved(given.pins.size);
  };
  return (
    <Card title={words.pinsTitle} lead={words.pinsLead(people.length)}>
      {given.pins.size > 0 && (
        <div class="progress-line" role="status">
          <progress max={people.length} value={given.pins.size} aria-label={words.pinsTitle} />
          <span>{words.giving(given.pins.size, people.length)}</span>
        </div>
      )}
      {!running && given.failed > 0 && <Notice kind="warn">{words.pinsFailed(left.length)}</Notice>}
      {!running && given.pins.size > 0 && saved >= given.pins.size && (
        <Notice kind="info">{words.downloaded}</Notice>
      )}
      <div class="form-actions pin-actions">
        {running && <Button onClick={stop}>{words.stop}</Button>}
        {!running && left.length > 0 && (
          <Button icon="key" kind={given.pins.size > 0 ? 'plain' : 'primary'} onClick={() => void give()}>
            {words.give(left.length)}
          </Button>
        )}
        {!running && given.pins.size > 0 && (
          <Button icon="download" kind="primary" onClick={save}>
            {words.download}
          </Button>
        )}
      </div>
      <p class="muted small foot-note">{words.pinsNote}</p>
    </Card>
  );
}

/** Undefined: it was refused. */
async function giveOne(extension: string): Promise<string | undefined> {
  try {
    const path = `/users/${encodeURIComponent(extension)}/passcode`;
    return (await send<{ passcode: string }>('POST', path)).passcode;
  } catch {
    return undefined;
  }
}

/** The browser asks before what cannot be had again is left behind. */
function useWarning(isDue: boolean): void {
  useEffect(() => {
    if (!isDue) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [isDue]);
}
