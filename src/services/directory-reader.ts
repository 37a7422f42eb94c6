import { Worker } from 'node:worker_threads';
import { type ParsedDocument, parseYaml } from './directory-document.ts';

/** Longer texts are read in a thread of their own: ten thousand people take seconds, and calls must not wait. */
const SHORT_TEXT = 32_768;
const LONGEST_MS = 120_000;
/** A hostile text may ask for any amount of memory. */
const LIMITS = { maxOldGenerationSizeMb: 4_096 };

let last: Promise<unknown> = Promise.resolve();

/** Reads and checks a directory from YAML, as `parseYaml` does; large ones one after the other, off this thread. */
export function readDirectoryYaml(text: string): Promise<ParsedDocument> {
  if (text.length <= SHORT_TEXT) return Promise.resolve(parseYaml(text));
  const reading = last.then(() => inThread(text));
  last = reading;
  return reading;
}

/** Never rejects. */
function inThread(text: string): Promise<ParsedDocument> {
  const worker = new Worker(new URL('./directory-worker-boot.mjs', import.meta.url), {
    ...{ workerData: text, execArgv: [], name: 'directory', resourceLimits: LIMITS },
  });
  const cannot = { problems: ['document: cannot be read, it takes too much time or memory'] };
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(cannot), LONGEST_MS);
    const settle = (result: ParsedDocument): void => {
      clearTimeout(timer);
      resolve(result);
    };
    worker.once('message', settle);
    worker.once('error', () => settle(cannot));
    worker.once('exit', () => settle(cannot));
  }).finally(() => void worker.terminate()) as Promise<ParsedDocument>;
}
