import { useEffect, useRef, useState } from 'preact/hooks';

/** Brings whoever sent a form to the first field that is wrong. */
export function useMistakeFocus<E extends HTMLElement>() {
  const form = useRef<E>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (round === 0) return;
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [round]);
  return { form, show: (): void => setRound((value) => value + 1) };
}

/** The same for a form whose mistakes change only when it is sent. */
export function useMistakeFocusOn<E extends HTMLElement>(mistakes: object) {
  const element = useRef<E>(null);
  useEffect(() => {
    element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [mistakes]);
  return element;
}
