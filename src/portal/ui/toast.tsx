import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { friendly } from '../api/client.ts';
import { texts } from '../texts.ts';
import { IconButton } from './button.tsx';
import { Icon } from './icons.tsx';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: 'done' | 'failed';
  readonly undo?: () => Promise<unknown>;
}

const SHOWN_MS = 7_000;
const MOST = 3;
const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

function add(toast: Omit<Toast, 'id'>): void {
  lastId += 1;
  toasts.value = [...toasts.value, { ...toast, id: lastId }].slice(-MOST);
}

function remove(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Says that something is done, and for some seconds how to take it back. */
export function done(text: string, undo?: () => Promise<unknown>): void {
  add({ text, kind: 'done', ...(undo && { undo }) });
}

/** Says why something is not done. */
export function failed(error: unknown): void {
  add({ text: friendly(error), kind: 'failed' });
}

async function takeBack({ id, undo }: Toast): Promise<void> {
  remove(id);
  try {
    await undo?.();
    done(texts.common.undone);
  } catch (error) {
    failed(error);
  }
}

function One({ toast }: { readonly toast: Toast }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return undefined;
    const timer = setTimeout(() => remove(toast.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [held, toast.id]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only stays while somebody reads it
    <div
      class={`toast ${toast.kind}`}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocusIn={() => setHeld(true)}
      onFocusOut={() => setHeld(false)}
    >
      <Icon name={toast.kind === 'done' ? 'check' : 'alert'} />
      <p>{toast.text}</p>
      {toast.undo && (
        <button type="button" class="toast-undo" onClick={() => void takeBack(toast)}>
          {texts.common.undo}
        </button>
      )}
      <IconButton icon="close" label={texts.common.dismiss} onClick={() => remove(toast.id)} />
    </div>
  );
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <One key={toast.id} toast={toast} />
      ))}
    </div>
  );
}
