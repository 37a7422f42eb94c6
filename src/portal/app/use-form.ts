import { useRef, useState } from 'preact/hooks';
import { ApiError, friendly } from '../api/client.ts';
import { useMistakeFocusOn } from '../ui/mistake-focus.ts';
import { freshKey } from './fresh-key.ts';

/** What is wrong, by field. */
export type FieldMistakes<Field extends string> = Readonly<Partial<Record<Field, string>>>;

export interface FormOptions<Field extends string> {
  /** What is wrong before anything is sent. */
  readonly check: () => FieldMistakes<Field>;
  /** Sends it, and goes on from there. `key`: the same when the same request is sent once more. */
  readonly send: (key: string) => Promise<void>;
  /** What an answer says of single fields; without it, nothing. */
  readonly fieldsOf?: (error: unknown) => FieldMistakes<Field>;
  /** An answer that is not about fields. */
  readonly inWords?: (error: unknown) => string;
  /** Said beside the button of a long form when fields are wrong. */
  readonly look?: string;
}

/** A form that is checked, sent once at a time, and says what is wrong: at its fields, else in a sentence. */
export function useForm<Field extends string>(options: FormOptions<Field>) {
  const { check, send, fieldsOf = () => NOTHING, inWords = friendly, look = '' } = options;
  const [mistakes, setMistakes] = useState<FieldMistakes<Field>>(NOTHING);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const element = useMistakeFocusOn<HTMLFormElement>(mistakes);
  const key = useRef(freshKey());
  /** True when there are any. */
  const show = (found: FieldMistakes<Field>): boolean => {
    const some = Object.keys(found).length > 0;
    setMistakes(found);
    setProblem(some ? look : '');
    return some;
  };
  const submit = async (): Promise<void> => {
    if (busy || show(check())) return;
    setBusy(true);
    try {
      await send(key.current);
    } catch (error) {
      // Without an answer it may have been made all the same: the next try is the same request.
      if (error instanceof ApiError && error.status > 0) key.current = freshKey();
      if (!show(fieldsOf(error))) setProblem(inWords(error));
    }
    setBusy(false);
  };
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    void submit();
  };
  return { element, mistakes, problem, busy, onSubmit, forget: () => setMistakes(NOTHING) };
}

const NOTHING: Readonly<Record<never, string>> = {};
