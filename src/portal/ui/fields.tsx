import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { texts } from '../texts.ts';
import { Icon } from './icons.tsx';

/** Form fields: label above, hint and error below, both tied to the field. */

interface Common {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
}

function Around({ id, label, hint, error, children }: Common & { id: string; children: ComponentChildren }) {
  return (
    <div class={`field${error ? ' wrong' : ''}`}>
      <label for={id}>{label}</label>
      {children}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          <Icon name="alert" size={16} /> {error}
        </p>
      )}
    </div>
  );
}

function described(id: string, { hint, error }: Common) {
  const ids = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return {
    ...(ids !== '' && { 'aria-describedby': ids }),
    ...(error && { 'aria-invalid': true as const }),
  };
}

interface TextProps extends Common {
  readonly value: string;
  readonly type?: 'text' | 'email' | 'password';
  readonly name: string;
  readonly autocomplete?: 'off' | 'username' | 'current-password' | 'new-password' | 'one-time-code';
  readonly inputMode?: 'numeric' | 'email';
  readonly short?: boolean;
  readonly maxLength?: number;
  readonly disabled?: boolean;
  readonly autoFocus?: boolean;
  readonly onInput: (value: string) => void;
}

export function TextField(props: TextProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  const { type = 'text', value, name, autocomplete = 'off', inputMode, short = false } = props;
  return (
    <Around id={id} label={props.label} hint={props.hint} error={props.error}>
      <div class={`input${short ? ' short' : ''}`}>
        <input
          id={id}
          name={name}
          type={(shown ? 'text' : type) as 'text'}
          value={value}
          autocomplete={autocomplete}
          {...(inputMode && { inputMode })}
          {...(props.maxLength !== undefined && { maxLength: props.maxLength })}
          disabled={props.disabled ?? false}
          autofocus={props.autoFocus ?? false}
          spellcheck={false}
          {...described(id, props)}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
        {type === 'password' && (
          <button
            type="button"
            class="icon-button"
            aria-label={shown ? texts.signIn.hidePassword : texts.signIn.showPassword}
            onClick={() => setShown(!shown)}
          >
            <Icon name={shown ? 'off' : 'eye'} />
          </button>
        )}
      </div>
    </Around>
  );
}

interface AreaProps extends Common {
  readonly value: string;
  readonly name: string;
  readonly placeholder?: string;
  readonly rows?: number;
  readonly disabled?: boolean;
  readonly onInput: (value: string) => void;
}

/** Several lines. */
export function AreaField(props: AreaProps) {
  const id = useId();
  return (
    <Around id={id} label={props.label} hint={props.hint} error={props.error}>
      <div class="input">
        <textarea
          id={id}
          name={props.name}
          rows={props.rows ?? 2}
          value={props.value}
          placeholder={props.placeholder}
          disabled={props.disabled ?? false}
          autocomplete="off"
          spellcheck={false}
          {...described(id, props)}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      </div>
    </Around>
  );
}

export interface Option {
  readonly value: string;
  readonly text: string;
  readonly disabled?: boolean;
}

interface SelectProps extends Common {
  readonly value: string;
  readonly options: readonly Option[];
  readonly disabled?: boolean;
  readonly onChange: (value: string) => void;
}

export function SelectField(props: SelectProps) {
  const id = useId();
  return (
    <Around id={id} label={props.label} hint={props.hint} error={props.error}>
      <Select id={id} {...props} {...described(id, props)} />
    </Around>
  );
}

interface PlainSelect extends Omit<SelectProps, keyof Common> {
  readonly id?: string;
  readonly label?: string;
  readonly 'aria-describedby'?: string | undefined;
  readonly 'aria-invalid'?: boolean | undefined;
}

function Select({ id, value, options, disabled = false, onChange, ...rest }: PlainSelect) {
  return (
    <div class="select">
      <select
        id={id}
        value={value}
        disabled={disabled}
        aria-label={id === undefined ? rest.label : undefined}
        aria-describedby={rest['aria-describedby']}
        aria-invalid={rest['aria-invalid']}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled ?? false}>
            {option.text}
          </option>
        ))}
      </select>
      <Icon name="down" size={16} />
    </div>
  );
}

/** A drop-down of a tool bar: what it chooses is read aloud, not shown. */
export function SmallSelect(props: PlainSelect & { readonly label: string }) {
  return <Select {...props} />;
}

interface SwitchProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function Switch({ label, hint, checked, disabled = false, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div class="switch-row">
      <div>
        <span id={id} class="switch-label">
          {label}
        </span>
        {hint && (
          <p class="hint" id={`${id}-hint`}>
            {hint}
          </p>
        )}
      </div>
      <button
        type="button"
        role="switch"
        class="switch"
        aria-checked={checked}
        aria-labelledby={id}
        aria-describedby={hint ? `${id}-hint` : undefined}
        disabled={disabled}
        onClick={() => onChange(!checked)}
      >
        <span class="knob" />
      </button>
    </div>
  );
}

interface CheckProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly checked: boolean;
  readonly error?: string | undefined;
  readonly disabled?: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function CheckField({ label, hint, checked, error, disabled = false, onChange }: CheckProps) {
  const id = useId();
  return (
    <div class="check-row">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        disabled={disabled}
        {...described(id, { label, hint, error })}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <div>
        <label for={id}>{label}</label>
        {hint && (
          <p class="hint" id={`${id}-hint`}>
            {hint}
          </p>
        )}
        {error && (
          <p class="error" id={`${id}-error`}>
            <Icon name="alert" size={16} /> {error}
          </p>
        )}
      </div>
    </div>
  );
}

interface SearchProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function SearchBox({ label, value, onChange }: SearchProps) {
  return (
    <search class="search">
      <Icon name="search" size={18} />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        maxLength={100}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      {value !== '' && (
        <button
          type="button"
          class="icon-button"
          aria-label={texts.common.clearSearch}
          onClick={() => onChange('')}
        >
          <Icon name="close" size={16} />
        </button>
      )}
    </search>
  );
}

/** Whole hours as typed; null for none, undefined for what is not valid. */
export function hoursOf(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const hours = Number(text);
  return /^\d{1,3}$/.test(text.trim()) && hours >= 1 ? hours : undefined;
}
