import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { AuditEntry } from './types.ts';

/** Changes as they happen. The browser reconnects by itself; after an answer it does not like, we do. */

const KINDS = ['start', 'end', 'extend', 'directory', 'notice', 'emergency', 'order'] as const;
/** `moment`: some time has passed. Phones that register or fall silent are no change of the log. */
export type LiveKind = (typeof KINDS)[number] | 'moment';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 20_000;
/** Many changes at once are one reason to look again. */
const GATHER_MS = 120;
/** In the morning thousands log in: a page that looks again before it has its answer never shows one. */
const SPACED_MS = 1_000;
const MOMENT_MS = 20_000;

type Listener = (kinds: ReadonlySet<LiveKind>) => void;
const listeners = new Set<Listener>();
type Reader = (entry: AuditEntry | undefined) => void;
/** Those who want to know what it was. */
const readers = new Set<Reader>();
/** Whether changes arrive at the moment. */
export const isLive = signal(false);

let source: EventSource | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
let moments: ReturnType<typeof setInterval> | undefined;
let pause = FIRST_PAUSE_MS;
let gathered = new Set<LiveKind>();
let isGathering = false;
let toldAt = Number.NEGATIVE_INFINITY;

function tell(kind: LiveKind): void {
  gathered.add(kind);
  if (isGathering) return;
  isGathering = true;
  const wait = Math.max(GATHER_MS, toldAt + SPACED_MS - performance.now());
  setTimeout(() => {
    const kinds = gathered;
    gathered = new Set();
    isGathering = false;
    toldAt = performance.now();
    for (const listener of listeners) listener(kinds);
  }, wait);
}

function read(entry: AuditEntry | undefined): void {
  for (const reader of readers) reader(entry);
}

/** Nothing is known of the time before: everything may have changed. */
function tellAll(): void {
  read(undefined);
  for (const kind of KINDS) tell(kind);
}

/** Follows the changes until `stopLive`. */
export function startLive(): void {
  stopLive();
  moments = setInterval(() => {
    if (document.visibilityState === 'visible') tell('moment');
  }, MOMENT_MS);
  pause = FIRST_PAUSE_MS;
  connect();
}

function connect(): void {
  const stream = new EventSource('/api/v1/events');
  source = stream;
  stream.onopen = () => {
    if (pause > FIRST_PAUSE_MS) tellAll();
    pause = FIRST_PAUSE_MS;
    isLive.value = true;
  };
  stream.onerror = () => {
    isLive.value = false;
    // Otherwise the browser comes again, and names the last event it had.
    if (stream.readyState !== EventSource.CLOSED) return;
    tellAll();
    retry = setTimeout(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  };
  for (const kind of KINDS) {
    stream.addEventListener(kind, ({ data }: MessageEvent<string>) => {
      tell(kind);
      if (readers.size > 0) read(JSON.parse(data) as AuditEntry);
    });
  }
  stream.addEventListener('reset', tellAll);
}

export function stopLive(): void {
  clearTimeout(retry);
  clearInterval(moments);
  source?.close();
  source = undefined;
  isLive.value = false;
}

/** Calls back when something of these kinds has changed. */
export function useLive(kinds: readonly LiveKind[], onChange: () => void): void {
  const latest = useRef(onChange);
  latest.current = onChange;
  const wanted = kinds.join();
  useEffect(() => {
    const listener: Listener = (changed) => {
      if (wanted.split(',').some((kind) => changed.has(kind as LiveKind))) latest.current();
    };
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [wanted]);
}

/**
 * Calls back with each change as it happens; undefined: some may be missing, so that all is to be read anew. After a
 * short interruption the browser names the last one it had (Last-Event-ID), and none is missing.
 */
export function useEntries(onEntry: Reader): void {
  const latest = useRef(onEntry);
  latest.current = onEntry;
  useEffect(() => {
    const reader: Reader = (entry) => latest.current(entry);
    readers.add(reader);
    return () => void readers.delete(reader);
  }, []);
}
