import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { friendly } from '../api/client.ts';
import { texts } from '../texts.ts';
import { Button, IconButton } from './button.tsx';
import { Icon } from './icons.tsx';

interface DialogProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly actions: ComponentChildren;
  readonly onClose: () => void;
}

/** The browser's own modal dialog: it keeps the focus inside, closes by Esc, and gives the focus back. */
export function Dialog({ title, children, actions, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement;
    shown?.showModal();
    return () => {
      shown?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === dialog.current && onClose()}
    >
      <div class="dialog-box">
        <header>
          <h2 id={id}>{title}</h2>
          <IconButton icon="close" label={texts.common.close} onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        <footer>{actions}</footer>
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  readonly title: string;
  readonly text: ComponentChildren;
  readonly action: string;
  /** On the button that changes nothing; absent: Cancel. */
  readonly keep?: string;
  readonly danger?: boolean;
  /** Whoever asks closes it; otherwise it closes once it is done. */
  readonly staysOpen?: boolean;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** Asks before it hurts. Stays open, with the reason, when the answer is no. */
export function Confirm(props: ConfirmProps) {
  const { title, text, action, danger = false, onConfirm, onClose } = props;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const confirm = async (): Promise<void> => {
    setBusy(true);
    setError('');
    try {
      await onConfirm();
      if (!props.staysOpen) onClose();
    } catch (failure) {
      setError(friendly(failure));
      setBusy(false);
    }
  };
  const actions = (
    <>
      <Button autoFocus={danger} onClick={onClose}>
        {props.keep ?? texts.common.cancel}
      </Button>
      <Button
        kind={danger ? 'danger' : 'primary'}
        busy={busy}
        autoFocus={!danger}
        onClick={() => void confirm()}
      >
        {action}
      </Button>
    </>
  );
  return (
    <Dialog title={title} onClose={onClose} actions={actions}>
      {text}
      {error !== '' && <Notice kind="danger">{error}</Notice>}
    </Dialog>
  );
}

interface NoticeProps {
  readonly kind: 'danger' | 'warn' | 'info';
  readonly children: ComponentChildren;
}

/** A sentence that matters now. */
export function Notice({ kind, children }: NoticeProps) {
  return (
    <div class={`notice ${kind}`} role={kind === 'danger' ? 'alert' : 'status'}>
      <Icon name={kind === 'info' ? 'info' : 'alert'} size={18} />
      <div>{children}</div>
    </div>
  );
}
