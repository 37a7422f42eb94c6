import { useEffect, useState } from 'preact/hooks';
import type { Page } from '../api/types.ts';
import { navigate, place } from '../app/router.ts';
import { type Loaded, useLoad } from '../app/use-load.ts';

/** A list with search, filters and pages, whose state is in the address: it can be sent and found again. */

export const PAGE_SIZE = 50;
const TYPING_MS = 200;

export interface ListState {
  /** Of a filter, or `q`, or `sort`; '' when it is not set. */
  value(name: string): string;
  /** Sets it, and begins at the first page. */
  set(name: string, value: string): void;
  clear(): void;
  /** Whether anything narrows the list. */
  readonly isNarrowed: boolean;
  readonly cursor: string;
  /** Where this page begins. */
  readonly from: number;
  goTo(cursors: readonly string[]): void;
  readonly cursors: readonly string[];
}

function change(edit: (query: URLSearchParams) => void): void {
  const { path, query } = place.value;
  const after = new URLSearchParams(query);
  edit(after);
  const text = after.toString();
  navigate(text === '' ? path : `${path}?${text}`, { replace: true });
}

export function useListState(filters: readonly string[]): ListState {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const { query } = place.value;
  return {
    value: (name) => query.get(name) ?? '',
    set(name, value) {
      setCursors([]);
      change((after) => (value === '' ? after.delete(name) : after.set(name, value)));
    },
    clear() {
      setCursors([]);
      change((after) => {
        for (const name of filters) after.delete(name);
      });
    },
    isNarrowed: filters.some((name) => query.has(name)),
    cursor: cursors.at(-1) ?? '',
    from: cursors.length * PAGE_SIZE,
    goTo: setCursors,
    cursors,
  };
}

/** What is typed, once the typing pauses. */
export function useTyped(state: ListState): [string, (text: string) => void] {
  const settled = state.value('q');
  const [typed, setTyped] = useState(settled);
  useEffect(() => {
    if (typed === settled) return undefined;
    const timer = setTimeout(() => state.set('q', typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  useEffect(() => setTyped(settled), [settled]);
  return [typed, setTyped];
}

/** Loads the page that the state describes. */
export function useList<T>(key: string, ask: (signal: AbortSignal) => Promise<Page<T>>): Loaded<Page<T>> {
  return useLoad(key, ask);
}
