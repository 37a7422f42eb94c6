import { useEffect, useRef, useState } from 'preact/hooks';
import type { Part } from '../api/audit.ts';
import { friendly, isAbort } from '../api/client.ts';

export interface More<T> {
  /** Undefined: the first have not come yet. */
  readonly rows: readonly T[] | undefined;
  readonly error: string | undefined;
  readonly loading: boolean;
  readonly hasMore: boolean;
  more(): void;
  reload(): void;
}

interface State<T> {
  readonly rows: readonly T[] | undefined;
  readonly next: string | null;
  readonly error: string | undefined;
  readonly loading: boolean;
}

/** A page at most has nothing to show so often in a row before somebody must ask for more. */
const MOST_EMPTY = 10;
/** Older rows are found by narrowing, not by scrolling. */
const MOST_ROWS = 1_000;

/** A list that grows at its end. Starts anew whenever `key` changes. */
export function useMore<T>(
  key: string,
  ask: (cursor: string, signal: AbortSignal) => Promise<Part<T>>,
): More<T> {
  const [state, setState] = useState<State<T>>({
    rows: undefined,
    next: null,
    error: undefined,
    loading: true,
  });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  const control = useRef<AbortController>(undefined);
  const read = async (cursor: string, before: readonly T[]): Promise<void> => {
    control.current?.abort();
    const mine = new AbortController();
    control.current = mine;
    setState((old) => ({ ...old, loading: true, error: undefined }));
    try {
      const part = await readSome(latest.current, cursor, mine.signal);
      const rows = [...before, ...part.rows];
      setState({ rows, next: rows.length < MOST_ROWS ? part.next : null, error: undefined, loading: false });
    } catch (error) {
      if (!isAbort(error)) setState((old) => ({ ...old, error: friendly(error), loading: false }));
    }
  };
  useEffect(() => {
    void read('', []);
    return () => control.current?.abort();
  }, [key, round]);
  return {
    ...{ rows: state.rows, error: state.error, loading: state.loading, hasMore: state.next !== null },
    more: () => void read(state.next ?? '', state.rows ?? []),
    reload: () => setRound((value) => value + 1),
  };
}

async function readSome<T>(
  ask: (cursor: string, signal: AbortSignal) => Promise<Part<T>>,
  from: string,
  signal: AbortSignal,
): Promise<Part<T>> {
  let cursor = from;
  for (let empty = 0; ; empty++) {
    const part = await ask(cursor, signal);
    if (part.rows.length > 0 || part.next === null || empty >= MOST_EMPTY) return part;
    cursor = part.next;
  }
}
