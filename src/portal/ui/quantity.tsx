import { useId } from 'preact/hooks';

interface QuantityProps {
  readonly label: string;
  readonly fewer: string;
  readonly more: string;
  readonly value: number;
  readonly min?: number;
  readonly max: number;
  readonly invalid?: boolean;
  readonly describedBy?: string | undefined;
  readonly onChange: (value: number) => void;
}

/** How many: one fewer, typed, one more. */
export function Quantity(props: QuantityProps) {
  const { label, value, min = 0, max, onChange } = props;
  const id = useId();
  const within = (wanted: number): number => Math.min(max, Math.max(min, wanted));
  return (
    <div class="quantity">
      <button
        type="button"
        aria-label={props.fewer}
        disabled={value <= min}
        onClick={() => onChange(within(value - 1))}
      >
        −
      </button>
      <input
        id={id}
        aria-label={label}
        inputMode="numeric"
        autocomplete="off"
        maxLength={4}
        value={String(value)}
        aria-invalid={props.invalid || undefined}
        aria-describedby={props.describedBy}
        onFocus={(event) => event.currentTarget.select()}
        onInput={(event) => {
          const typed = event.currentTarget.value.replace(/\D/g, '');
          onChange(within(Number(typed === '' ? min : typed)));
          event.currentTarget.value = String(within(Number(typed === '' ? min : typed)));
        }}
      />
      <button
        type="button"
        aria-label={props.more}
        disabled={value >= max}
        onClick={() => onChange(within(value + 1))}
      >
        +
      </button>
    </div>
  );
}
