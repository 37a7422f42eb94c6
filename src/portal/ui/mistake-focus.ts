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
