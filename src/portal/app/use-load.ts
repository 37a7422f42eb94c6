import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, friendly, isAbort } from '../api/client.ts';

export interface Loaded<T> {
  /** The last answer; stays while it is asked again. */
  readonly data: T | undefined;
  readonly error: string | undefined;
  /** There is no such thing, or not any more: asking again is of no use. */
  readonly isGone: boolean;
  readonly loading: boolean;
  /** Asks again. */
  reload(): void;
  /** Puts an answer in that came by another way. */
  set(data: T): void;
}

interface State<T> {
  readonly key: string;
  readonly data?: T;
  readonly error?: string;
  readonly isGone?: boolean;
  readonly loading: boolean;
}

/** Asks for something whenever `key` changes; an older question is given up. */
export function useLoad<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<State<T>>({ key, loading: true });
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
        const isGone = error instanceof ApiError && error.status === 404;
        setState((before) => ({ ...before, key, error: friendly(error), isGone, loading: false }));
      },
    );
    return () => control.abort();
  }, [key, round]);
  const reload = useCallback(() => setRound((value) => value + 1), []);
  const set = useCallback((data: T) => setState({ key, data, loading: false }), [key]);
  const { data, error, loading, isGone = false } = state;
  return { data, error, loading, isGone, reload, set };
}
