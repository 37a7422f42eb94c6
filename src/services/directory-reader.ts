import { Worker } from 'node:worker_threads';
import type { Refusal } from '../domain/reasons.ts';
import {
  type DirectoryFile,
  type FileEntry,
  fileOf,
  type ParsedDocument,
  type Problems,
  parseYaml,
} from './directory-document.ts';

/** Longer texts are read in a thread of their own: ten thousand people take seconds, and calls must not wait. */
const SHORT_TEXT = 32_768;
const LONGEST_MS = 120_000;
/** A hostile text may ask for any amount of memory. */
const LIMITS = { maxOldGenerationSizeMb: 4_096 };
/** Entries in one message: a millisecond or two of work for whoever takes it. */
const PORTION = 100;

export type ReadFile = DirectoryFile | Problems;

/** What the thread says, each time it is asked to. */
export type Told = Problems | (DirectoryFile & { readonly isLast: boolean });

/** Large texts that are read, or wait for that. */
const MOST_AT_ONCE = 4;

let last: Promise<unknown> = Promise.resolve();
let waiting = 0;

/**
 * Reads and checks a directory from YAML, as `parseYaml` does; large ones one after the other, off this thread. Refused
 * with overloaded.
 */
export async function readDirectoryYaml(text: string): Promise<ReadFile | Refusal> {
  if (text.length <= SHORT_TEXT) return asFile(parseYaml(text));
  if (waiting >= MOST_AT_ONCE) return { refused: 'overloaded' };
  waiting += 1;
  const reading = last.then(() => inThread(text));
  last = reading;
  return reading.finally(() => {
    waiting -= 1;
  });
}

function asFile(parsed: ParsedDocument): ReadFile {
  return 'problems' in parsed ? parsed : fileOf(parsed.document);
}

/** What was read, a portion at a time: all of it in one message would hold up the thread that takes it. */
export function* portionsOf(parsed: ParsedDocument): Generator<Told> {
  const file = asFile(parsed);
  if ('problems' in file) return yield file;
  const { entries, hasWebhooks } = file;
  for (let from = 0; from < entries.length; from += PORTION) {
    const isLast = from + PORTION >= entries.length;
    yield { entries: entries.slice(from, from + PORTION), hasWebhooks, isLast };
  }
}

/** Never rejects. */
function inThread(text: string): Promise<ReadFile> {
  const worker = new Worker(new URL('./directory-worker-boot.mjs', import.meta.url), {
    ...{ workerData: text, execArgv: [], name: 'directory', resourceLimits: LIMITS },
  });
  const cannot = { problems: ['document: cannot be read, it takes too much time or memory'] };
  const entries: FileEntry[] = [];
  return new Promise<ReadFile>((resolve) => {
    const timer = setTimeout(() => resolve(cannot), LONGEST_MS);
    const settle = (result: ReadFile): void => {
      clearTimeout(timer);
      resolve(result);
    };
    worker.on('message', (told: Told) => {
      if ('problems' in told) return settle(told);
      entries.push(...told.entries);
      if (told.isLast) settle({ entries, hasWebhooks: told.hasWebhooks });
      else worker.postMessage('next');
    });
    worker.once('error', () => settle(cannot));
    worker.once('exit', () => settle(cannot));
  }).finally(() => void worker.terminate());
}
