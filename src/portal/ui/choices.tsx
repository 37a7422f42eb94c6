import { CheckField } from './fields.tsx';

interface ChoicesProps<Value extends string> {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  readonly options: readonly { readonly value: Value; readonly text: string; readonly hint?: string }[];
  readonly chosen: ReadonlySet<Value>;
  readonly onChange: (chosen: ReadonlySet<Value>) => void;
}

/** Any number of these. */
export function Choices<Value extends string>(props: ChoicesProps<Value>) {
  const { label, hint, error, options, chosen, onChange } = props;
  const toggle = (value: Value, checked: boolean): void => {
    const after = new Set(chosen);
    if (checked) after.add(value);
    else after.delete(value);
    onChange(after);
  };
  return (
    <fieldset class="site-choice">
      <legend>{label}</legend>
      {hint && <p class="hint">{hint}</p>}
      <div class="choices">
        {options.map(({ value, text, hint: about }) => (
          <CheckField
            key={value}
            label={text}
            hint={about}
            checked={chosen.has(value)}
            onChange={(checked) => toggle(value, checked)}
          />
        ))}
      </div>
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}
