import { useRef, useState } from 'preact/hooks';
import { ApiError, create, friendly } from '../api/client.ts';
import type { NewApiToken, Scope } from '../api/types.ts';
import { freshKey } from '../app/fresh-key.ts';
import { sites } from '../app/session.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Choices } from '../ui/choices.tsx';
import { Dialog, Notice } from '../ui/dialog.tsx';
import { SelectField, Switch, TextField } from '../ui/fields.tsx';
import { useMistakeFocusOn } from '../ui/mistake-focus.ts';
import { SiteChoice } from './account-form.tsx';

const words = texts.tokens;
const SCOPES: readonly Scope[] = ['read', 'phones', 'people', 'write'];
const SCOPE_OPTIONS = SCOPES.map((value) => {
  const { name: text, hint } = words.scopes[value];
  return { value, text, hint };
});
const DAYS = ['30', '90', '365', ''] as const;

interface Form {
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly isForSome: boolean;
  readonly sites: ReadonlySet<string>;
  readonly days: string;
}
type Mistakes = Partial<Record<'name' | 'scopes' | 'sites', string>>;

const EMPTY: Form = { name: '', scopes: new Set(['read']), isForSome: false, sites: new Set(), days: '90' };

function mistakesIn({ name, scopes, isForSome, sites: chosen }: Form): Mistakes {
  return {
    ...(name.trim() === '' && { name: words.missingName }),
    ...(scopes.size === 0 && { scopes: words.missingScopes }),
    ...(isForSome && chosen.size === 0 && { sites: words.missingSites }),
  };
}

function bodyOf({ name, scopes, isForSome, sites: chosen, days }: Form) {
  return {
    name: name.trim(),
    scopes: [...scopes],
    sites: isForSome ? [...chosen] : null,
    expiresInDays: days === '' ? null : Number(days),
  };
}

interface DialogProps {
  readonly onMade: (made: NewApiToken) => void;
  readonly onClose: () => void;
}

export function TokenDialog({ onMade, onClose }: DialogProps) {
  const [form, setForm] = useState(EMPTY);
  const [mistakes, setMistakes] = useState<Mistakes>({});
  const element = useMistakeFocusOn<HTMLFormElement>(mistakes);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const key = useRef(freshKey());
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const found = mistakesIn(form);
    setMistakes(found);
    setProblem('');
    if (Object.keys(found).length > 0 || busy) return;
    setBusy(true);
    try {
      onMade(await create<NewApiToken>('/tokens', bodyOf(form), key.current));
    } catch (error) {
      // Without an answer it may have been made all the same: the next try is the same request.
      if (error instanceof ApiError && error.status > 0) key.current = freshKey();
      const [first] = error instanceof ApiError ? (error.problem.errors ?? []) : [];
      setProblem(first?.message ?? friendly(error));
      setBusy(false);
    }
  };
  const change = (part: Partial<Form>): void => {
    setForm({ ...form, ...part });
    setMistakes({});
  };
  const actions = (
    <>
      <Button onClick={onClose}>{texts.common.cancel}</Button>
      <Button kind="primary" type="submit" form="token-form" busy={busy}>
        {words.add}
      </Button>
    </>
  );
  return (
    <Dialog title={words.addTitle} onClose={onClose} actions={actions}>
      <form ref={element} id="token-form" class="form" noValidate onSubmit={(event) => void submit(event)}>
        <TextField
          {...{ name: 'name', label: words.name, hint: words.nameHint, value: form.name, maxLength: 100 }}
          error={mistakes.name}
          autoFocus
          onInput={(name) => change({ name })}
        />
        <Choices
          label={words.scopesLabel}
          options={SCOPE_OPTIONS}
          chosen={form.scopes}
          error={mistakes.scopes}
          onChange={(scopes) => change({ scopes })}
        />
        {sites.value.length > 1 && (
          <Switch
            label={words.someSites}
            hint={words.someSitesHint}
            checked={form.isForSome}
            onChange={(isForSome) => change({ isForSome })}
          />
        )}
        {form.isForSome && (
          <SiteChoice
            chosen={form.sites}
            error={mistakes.sites}
            onChange={(chosen) => change({ sites: chosen })}
          />
        )}
        <SelectField
          label={words.expiry}
          value={form.days}
          options={DAYS.map((value) => ({
            value,
            text: value === '' ? words.never : words.days(Number(value)),
          }))}
          onChange={(days) => change({ days })}
        />
      </form>
      {problem !== '' && <Notice kind="danger">{problem}</Notice>}
    </Dialog>
  );
}
