import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { isAbort } from '../api/client.ts';
import { texts } from '../texts.ts';
import { Icon } from './icons.tsx';

export interface Pick {
  readonly id: string;
  readonly text: string;
  readonly detail?: string | undefined;
}

type Search = (typed: string, signal: AbortSignal) => Promise<readonly Pick[]>;

interface PickerProps {
  readonly label: string;
  readonly placeholder: string;
  /** Id of what is chosen; '' for nothing. */
  readonly value: string;
  readonly search: Search;
  readonly onChange: (id: string) => void;
  /** Id of what says that the choice is wrong; absent: it is not. */
  readonly errorId?: string | undefined;
}

interface PickerFieldProps extends Omit<PickerProps, 'errorId'> {
  readonly error?: string | undefined;
}

/** In a form: with its name above, and what is wrong with it below. */
export function PickerField({ error, ...props }: PickerFieldProps) {
  const errorId = `${useId()}-error`;
  return (
    <div class={`field${error ? ' wrong' : ''}`}>
      <span class="field-name">{props.label}</span>
      <Picker {...props} errorId={error && errorId} />
      {error && (
        <p class="error" id={errorId}>
          <Icon name="alert" size={16} /> {error}
        </p>
      )}
    </div>
  );
}

const TYPING_MS = 180;

/** One of very many, found by typing: a combobox as WAI-ARIA describes it, with arrow keys, Enter and Esc. */
export function Picker({ label, placeholder, value, search, onChange, errorId }: PickerProps) {
  const id = useId();
  const [typed, setTyped] = useState('');
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const [chosen, setChosen] = useNamed(value, search);
  const found = useFound({ typed, open, search, onFound: () => setAt(typed === '' ? -1 : 0) });
  const choose = (pick: Pick | undefined): void => {
    setChosen(pick);
    setTyped('');
    setOpen(false);
    onChange(pick?.id ?? '');
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      setOpen(true);
      setAt(Math.max(-1, Math.min((found?.length ?? 0) - 1, at + step)));
    } else if (event.key === 'Enter' && open) {
      const pick = found?.[at];
      if (pick) choose(pick);
    } else if (event.key === 'Escape' && open) setOpen(false);
    else return;
    event.preventDefault();
  };
  const isListed = open && found !== undefined && found.length > 0;
  return (
    <div class="picker">
      <div class="search">
        <Icon name="search" size={18} />
        <input
          role="combobox"
          aria-label={label}
          aria-expanded={isListed}
          aria-controls={isListed ? `${id}-list` : undefined}
          aria-autocomplete="list"
          aria-activedescendant={isListed && at >= 0 ? `${id}-${at}` : undefined}
          placeholder={placeholder}
          {...(errorId && { 'aria-invalid': true as const, 'aria-describedby': errorId })}
          autocomplete="off"
          spellcheck={false}
          maxLength={100}
          value={open ? typed : chosen?.id === value ? chosen.text : value}
          onClick={() => setOpen(true)}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setOpen(true);
          }}
          onKeyDown={onKeyDown}
          onBlur={() => {
            setOpen(false);
            setTyped('');
          }}
        />
        {value !== '' && (
          <button
            type="button"
            class="icon-button"
            aria-label={`${texts.common.clearSearch}: ${label}`}
            onClick={() => choose(undefined)}
          >
            <Icon name="close" size={16} />
          </button>
        )}
      </div>
      {open && found?.length === 0 && (
        <p class="picks muted small" role="status">
          {texts.pick.none}
        </p>
      )}
      {isListed && <Options id={id} label={label} found={found} at={at} onChoose={choose} />}
    </div>
  );
}

interface FoundOptions {
  readonly typed: string;
  readonly open: boolean;
  readonly search: Search;
  readonly onFound: () => void;
}

/** What the typed finds, once the typing pauses; undefined while nothing was asked. */
function useFound({ typed, open, search, onFound }: FoundOptions): readonly Pick[] | undefined {
  const [found, setFound] = useState<readonly Pick[]>();
  const latest = useRef({ search, onFound });
  latest.current = { search, onFound };
  useEffect(() => {
    if (!open) return undefined;
    const control = new AbortController();
    const timer = setTimeout(() => {
      latest.current.search(typed.trim(), control.signal).then(
        (picks) => {
          setFound(picks);
          latest.current.onFound();
        },
        (error: unknown) => !isAbort(error) && setFound([]),
      );
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [typed, open]);
  return found;
}

/** What came with the address of the page has an id and no name yet. */
function useNamed(value: string, search: Search): [Pick | undefined, (pick: Pick | undefined) => void] {
  const [chosen, setChosen] = useState<Pick>();
  const latest = useRef(search);
  latest.current = search;
  useEffect(() => {
    if (value === '' || chosen?.id === value) return undefined;
    const control = new AbortController();
    latest.current(value, control.signal).then(
      (picks) => setChosen(picks.find(({ id }) => id === value)),
      () => undefined,
    );
    return () => control.abort();
  }, [value]);
  return [chosen, setChosen];
}

interface OptionsProps {
  readonly id: string;
  readonly label: string;
  readonly found: readonly Pick[];
  readonly at: number;
  readonly onChoose: (pick: Pick) => void;
}

function Options({ id, label, found, at, onChoose }: OptionsProps) {
  return (
    <div id={`${id}-list`} role="listbox" aria-label={label} class="picks" tabIndex={-1}>
      {found.map((pick, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the field's
        <div
          key={pick.id}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === at}
          // Before the field loses the focus.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onChoose(pick)}
        >
          <span>{pick.text}</span>
          {pick.detail && <span class="muted small">{pick.detail}</span>}
        </div>
      ))}
    </div>
  );
}
