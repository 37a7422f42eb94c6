import { useState } from 'preact/hooks';
import { ApiError, create, send } from '../api/client.ts';
import type { AdministeredAccount, NewAccount, Role } from '../api/types.ts';
import { sites } from '../app/session.ts';
import { type FieldMistakes, useForm } from '../app/use-form.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Choices } from '../ui/choices.tsx';
import { Dialog, Notice } from '../ui/dialog.tsx';
import { SelectField, TextField } from '../ui/fields.tsx';

const words = texts.accounts;
const ROLES: readonly Role[] = ['administrator', 'siteAdministrator', 'readOnly', 'user'];

interface Form {
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly sites: ReadonlySet<string>;
  readonly extension: string;
  readonly subject: string;
}
type Field = keyof Form;
type Mistakes = FieldMistakes<Field>;

function formOf(account: AdministeredAccount | undefined): Form {
  return {
    name: account?.name ?? '',
    email: account?.email ?? '',
    role: account?.role ?? 'siteAdministrator',
    sites: new Set(account?.sites),
    extension: account?.extension ?? '',
    subject: account?.subject ?? '',
  };
}

function mistakesIn({ name, email, role, sites: chosen, extension }: Form): Mistakes {
  return {
    ...(name.trim() === '' && { name: words.missingName }),
    ...(!/^\S+@\S+\.\S+$/.test(email.trim()) && { email: words.missingEmail }),
    ...(role === 'siteAdministrator' && chosen.size === 0 && { sites: words.missingSites }),
    ...(role === 'user' && extension.trim() === '' && { extension: words.missingExtension }),
  };
}

/** What the API finds wrong stands at its field. */
function mistakesOf(error: unknown): Mistakes {
  const errors = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  const found = errors.map(({ path, message }) => [path.split('.').pop() ?? '', message] as const);
  const known = new Set(['name', 'email', 'sites', 'extension', 'subject']);
  return Object.fromEntries(
    found.filter(([field]) => known.has(field)).map(([field, message]) => [field, words.mistakes(message)]),
  );
}

function bodyOf({ name, email, role, sites: chosen, extension, subject }: Form) {
  const isAtSites = role === 'siteAdministrator' || (role === 'readOnly' && chosen.size > 0);
  return {
    ...{ name: name.trim(), email: email.trim(), role },
    sites: isAtSites ? [...chosen] : null,
    extension: role === 'user' ? extension.trim() : null,
    subject: subject.trim() === '' ? null : subject.trim(),
  };
}

interface DialogProps {
  /** Absent: a new one. */
  readonly account?: AdministeredAccount;
  readonly onSaved: (made: NewAccount | undefined) => void;
  readonly onClose: () => void;
}

/** Who it is and what they may. A new one comes with a link for its password. */
export function AccountDialog({ account, onSaved, onClose }: DialogProps) {
  const [form, setForm] = useState(() => formOf(account));
  const { element, mistakes, problem, busy, onSubmit, forget } = useForm<Field>({
    check: () => mistakesIn(form),
    fieldsOf: mistakesOf,
    async send(key) {
      if (account) await send('PATCH', `/accounts/${account.id}`, bodyOf(form));
      onSaved(account ? undefined : await create<NewAccount>('/accounts', bodyOf(form), key));
    },
  });
  const actions = (
    <>
      <Button onClick={onClose}>{texts.common.cancel}</Button>
      <Button kind="primary" type="submit" form="account-form" busy={busy}>
        {account ? texts.common.save : words.add}
      </Button>
    </>
  );
  return (
    <Dialog title={account ? words.edit(account.name) : words.addTitle} onClose={onClose} actions={actions}>
      <form ref={element} id="account-form" class="form" noValidate onSubmit={onSubmit}>
        <Fields
          form={form}
          mistakes={mistakes}
          onChange={(change) => {
            setForm({ ...form, ...change });
            forget();
          }}
        />
      </form>
      {problem !== '' && <Notice kind="danger">{problem}</Notice>}
    </Dialog>
  );
}

interface FieldsProps {
  readonly form: Form;
  readonly mistakes: Mistakes;
  readonly onChange: (change: Partial<Form>) => void;
}

function Fields({ form, mistakes, onChange }: FieldsProps) {
  return (
    <>
      <TextField
        {...{ name: 'name', label: words.name, value: form.name, error: mistakes.name, maxLength: 100 }}
        autoFocus
        onInput={(name) => onChange({ name })}
      />
      <TextField
        {...{ name: 'email', label: words.email, value: form.email, error: mistakes.email, maxLength: 254 }}
        type="email"
        inputMode="email"
        onInput={(email) => onChange({ email })}
      />
      <SelectField
        label={words.role}
        hint={words.roleHints[form.role]}
        value={form.role}
        options={ROLES.map((role) => ({ value: role, text: texts.account.roles[role] }))}
        onChange={(role) => onChange({ role: role as Role })}
      />
      {(form.role === 'siteAdministrator' || form.role === 'readOnly') && (
        <SiteChoice
          chosen={form.sites}
          hint={form.role === 'readOnly' ? words.allWithout : undefined}
          error={mistakes.sites}
          onChange={(chosen) => onChange({ sites: chosen })}
        />
      )}
      {form.role === 'user' && (
        <TextField
          {...{ name: 'extension', label: words.extension, hint: words.extensionHint, short: true }}
          {...{ value: form.extension, error: mistakes.extension, inputMode: 'numeric' }}
          onInput={(extension) => onChange({ extension })}
        />
      )}
      <TextField
        {...{ name: 'subject', label: words.subject, hint: words.subjectHint, maxLength: 255 }}
        {...{ value: form.subject, error: mistakes.subject }}
        onInput={(subject) => onChange({ subject })}
      />
    </>
  );
}

interface SiteProps {
  readonly chosen: ReadonlySet<string>;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
}

/** Some of the company's sites. */
export function SiteChoice(props: SiteProps) {
  const options = sites.value.map(({ id, name }) => ({ value: id, text: name }));
  return <Choices label={words.sites} options={options} {...props} />;
}
