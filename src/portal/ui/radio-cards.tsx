import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Icon } from './icons.tsx';

export interface Choice {
  readonly value: string;
  readonly text: string;
  readonly hint?: string | undefined;
  readonly aside?: ComponentChildren;
}

interface RadioCardsProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly choices: readonly Choice[];
  readonly error?: string | undefined;
  readonly disabled?: boolean;
  readonly onChange: (value: string) => void;
}

/** One of a few, each with room to say what it is. */
export function RadioCards({ label, name, value, choices, error, disabled, onChange }: RadioCardsProps) {
  const id = useId();
  return (
    <fieldset class={`radio-cards${error ? ' wrong' : ''}`} disabled={disabled ?? false}>
      <legend>{label}</legend>
      <div>
        {choices.map((choice) => (
          <label class="check-row" key={choice.value}>
            <input
              type="radio"
              name={`${name}-${id}`}
              checked={value === choice.value}
              {...(error && { 'aria-invalid': true as const, 'aria-describedby': `${id}-error` })}
              onChange={() => onChange(choice.value)}
            />
            <span class="radio-text">
              <span>{choice.text}</span>
              {choice.hint && <span class="hint">{choice.hint}</span>}
            </span>
            {choice.aside && <span class="radio-aside">{choice.aside}</span>}
          </label>
        ))}
      </div>
      {error && (
        <p class="error" id={`${id}-error`}>
          <Icon name="alert" size={16} /> {error}
        </p>
      )}
    </fieldset>
  );
}
