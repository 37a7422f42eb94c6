import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { friendly, isAbort } from '../api/client.ts';

export interface Loaded<T> {
  /** The last answer; stays while it is asked again. */
  readonly data: T | undefined;
  readonly error: string | undefined;
  readonly loading: boolean;
  /** Asks again. */
  reload(): void;
  /** Puts an answer in that came by another way. */
  set(data: T): void;
}

/** Asks for something whenever `key` changes; an older question is given up. */
export function useLoad<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: string; loading: boolean }>({
    key,
    loading: true,
  });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const control = new AbortController();
    setState((before) => ({ ...before, key, loading: true }));
    latest.current(control.signal).then(
      (data) => setState({ key, data, loading: false }),
      (error: unknown) => {
        if (isAbort(error)) return;
        setState((before) => ({ ...before, key, error: friendly(error), loading: false }));
      },
    );
    return () => control.abort();
  }, [key, round]);
  const reload = useCallback(() => setRound((value) => value + 1), []);
  const set = useCallback((data: T) => setState({ key, data, loading: false }), [key]);
  return { data: state.data, error: state.error, loading: state.loading, reload, set };
}
