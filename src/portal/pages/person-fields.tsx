import { ApiError } from '../api/client.ts';
import type { User } from '../api/types.ts';
import { sites } from '../app/session.ts';
import type { FieldMistakes } from '../app/use-form.ts';
import { texts } from '../texts.ts';
import { AreaField, SelectField, TextField } from '../ui/fields.tsx';

/** What is asked of a person, for who is new and who is there. */

const words = texts.person;

export interface PersonDraft {
  readonly extension: string;
  readonly name: string;
  readonly site: string;
  /** One a line. */
  readonly numbers: string;
  readonly callerId: string;
  readonly email: string;
  readonly plan: User['plan'];
}

export type Mistakes = FieldMistakes<string>;

export function newDraft(): PersonDraft {
  const own = sites.value.length === 1 ? sites.value[0]?.id : undefined;
  const who = { extension: '', name: '', site: own ?? '', email: '' };
  return { ...who, numbers: '', callerId: '', plan: 'connect' };
}

export function draftOf({ extension, name, site, numbers, callerId, email, plan }: User): PersonDraft {
  return { extension, name, site, numbers: numbers.join('\n'), callerId, email: email ?? '', plan };
}

export function linesOf(text: string): string[] {
  return text
    .split(/[\n,;]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Numbers as the API takes them: without the blanks and brackets people write. */
function plain(number: string): string {
  return number.replace(/\(0\)/, '').replace(/[\s().-]/g, '');
}

/** What the API is told, but for the extension. */
export function bodyOf({ name, site, numbers, callerId, email, plan }: PersonDraft) {
  const direct = linesOf(numbers).map(plain);
  return {
    ...{ name: name.trim(), site, numbers: direct, plan },
    callerId: plain(callerId) || direct[0] || '',
    email: email.trim() === '' ? null : email.trim(),
  };
}

/** What is missing before it is worth asking the server. */
export function missingIn(draft: PersonDraft): Mistakes {
  const { callerId } = bodyOf(draft);
  return {
    ...(draft.name.trim() === '' && { name: words.missing.name }),
    ...(draft.extension.trim() === '' && { extension: words.missing.extension }),
    ...(draft.site === '' && { site: words.missing.site }),
    ...(callerId === '' && { callerId: words.missingCaller }),
  };
}

/** What the server says of fields: `body.numbers.0` is about the numbers. */
export function mistakesIn(error: unknown, idField = 'extension'): Mistakes {
  if (!(error instanceof ApiError)) return {};
  const { errors = [], reason } = error.problem;
  const taken = reason === 'alreadyExists' ? { [idField]: texts.reasons.alreadyExists } : {};
  const found = errors.map(({ path, message }) => {
    const [, field] = /^body\.(\w+)/.exec(path) ?? [];
    return [field ?? idField, `${message.charAt(0).toUpperCase()}${message.slice(1)}.`] as const;
  });
  return { ...taken, ...Object.fromEntries(found.reverse()) };
}

/** What others still need is said in words of the page: the API's are for all things at once. */
export async function inWords<T>(work: Promise<T>, inUse: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const isUsed = error instanceof ApiError && error.problem.reason === 'inUse';
    throw isUsed ? new ApiError({ status: 422, title: inUse }) : error;
  }
}

interface FieldsProps {
  readonly draft: PersonDraft;
  readonly mistakes: Mistakes;
  readonly onChange: (draft: PersonDraft) => void;
}

/** Name, extension of who is new, site, plan, e-mail. */
export function WhoFields({ draft, mistakes, isNew, onChange }: FieldsProps & { readonly isNew: boolean }) {
  const set = (change: Partial<PersonDraft>): void => onChange({ ...draft, ...change });
  const options = sites.value.map(({ id, name }) => ({ value: id, text: name }));
  return (
    <>
      <TextField
        label={words.name}
        name="name"
        maxLength={100}
        value={draft.name}
        error={mistakes.name}
        onInput={(name) => set({ name })}
      />
      {isNew && (
        <TextField
          label={words.extension}
          hint={words.extensionHint}
          name="extension"
          inputMode="numeric"
          short
          maxLength={8}
          value={draft.extension}
          error={mistakes.extension}
          onInput={(extension) => set({ extension })}
        />
      )}
      <div class="form-row">
        <SelectField
          label={words.site}
          value={draft.site}
          error={mistakes.site}
          options={draft.site === '' ? [{ value: '', text: words.chooseSite }, ...options] : options}
          onChange={(site) => set({ site })}
        />
        <SelectField
          label={words.plan}
          value={draft.plan}
          error={mistakes.plan}
          options={(['connect', 'collaborate'] as const).map((value) => ({
            value,
            text: texts.user.plans[value],
          }))}
          onChange={(plan) => set({ plan: plan === 'collaborate' ? plan : 'connect' })}
        />
      </div>
      <TextField
        label={words.email}
        name="email"
        type="email"
        inputMode="email"
        maxLength={200}
        value={draft.email}
        error={mistakes.email}
        onInput={(email) => set({ email })}
      />
    </>
  );
}

export function NumberFields({ draft, mistakes, onChange }: FieldsProps) {
  return (
    <>
      <AreaField
        label={words.direct}
        hint={words.directHint}
        name="numbers"
        rows={3}
        value={draft.numbers}
        error={mistakes.numbers}
        onInput={(numbers) => onChange({ ...draft, numbers })}
      />
      <TextField
        label={words.callerId}
        hint={words.callerIdHint}
        name="callerId"
        maxLength={30}
        value={draft.callerId}
        error={mistakes.callerId}
        onInput={(callerId) => onChange({ ...draft, callerId })}
      />
    </>
  );
}
