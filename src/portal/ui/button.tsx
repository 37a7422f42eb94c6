import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icons.tsx';

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly icon?: IconName;
  readonly kind?: 'primary' | 'plain' | 'danger' | 'quiet';
  readonly small?: boolean;
  readonly type?: 'button' | 'submit';
  readonly busy?: boolean;
  readonly disabled?: boolean;
  readonly form?: string;
  readonly label?: string;
  readonly autoFocus?: boolean;
  readonly onClick?: () => void;
}

/** While busy it cannot be pressed again, and keeps the focus. */
export function Button(props: ButtonProps) {
  const { children, icon, kind = 'plain', small = false, type = 'button', busy = false, onClick } = props;
  return (
    <button
      type={type}
      class={`button ${kind}${small ? ' small' : ''}${busy ? ' busy' : ''}`}
      disabled={props.disabled ?? false}
      aria-disabled={busy || undefined}
      aria-label={props.label}
      autofocus={props.autoFocus ?? false}
      {...(props.form ? { form: props.form } : {})}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.();
      }}
    >
      {icon && <Icon name={icon} size={small ? 16 : 18} />}
      <span>{children}</span>
    </button>
  );
}

interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
}

export function IconButton({ icon, label, onClick }: IconButtonProps) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
