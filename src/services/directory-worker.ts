import { parentPort, workerData } from 'node:worker_threads';
import { parseYaml } from './directory-document.ts';
import { portionsOf } from './directory-reader.ts';

/** Reads one directory and tells it in portions, the first at once; started, asked for more and ended by directory-reader. */
const portions = portionsOf(parseYaml(workerData as string));
const tell = (): void => {
  const { done, value } = portions.next();
  if (!done) parentPort?.postMessage(value);
};
parentPort?.on('message', tell);
tell();
