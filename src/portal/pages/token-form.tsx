import { useState } from 'preact/hooks';
import { ApiError, create, friendly } from '../api/client.ts';
import type { NewApiToken, Scope } from '../api/types.ts';
import { sites } from '../app/session.ts';
import { type FieldMistakes, useForm } from '../app/use-form.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Choices } from '../ui/choices.tsx';
import { Dialog, Notice } from '../ui/dialog.tsx';
import { SelectField, Switch, TextField } from '../ui/fields.tsx';
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
type Field = 'name' | 'scopes' | 'sites';

const EMPTY: Form = { name: '', scopes: new Set(['read']), isForSome: false, sites: new Set(), days: '90' };

function mistakesIn({ name, scopes, isForSome, sites: chosen }: Form): FieldMistakes<Field> {
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

function firstOf(error: unknown): string {
  const [first] = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  return first?.message ?? friendly(error);
}

interface DialogProps {
  readonly onMade: (made: NewApiToken) => void;
  readonly onClose: () => void;
}

export function TokenDialog({ onMade, onClose }: DialogProps) {
  const [form, setForm] = useState(EMPTY);
  const { element, mistakes, problem, busy, onSubmit, forget } = useForm<Field>({
    check: () => mistakesIn(form),
    inWords: firstOf,
    send: async (key) => onMade(await create<NewApiToken>('/tokens', bodyOf(form), key)),
  });
  const change = (part: Partial<Form>): void => {
    setForm({ ...form, ...part });
    forget();
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
      <form ref={element} id="token-form" class="form" noValidate onSubmit={onSubmit}>
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
