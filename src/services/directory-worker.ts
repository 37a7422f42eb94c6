import { parentPort, workerData } from 'node:worker_threads';
import { parseYaml } from './directory-document.ts';

/** Reads one directory and ends; started by directory-reader. */
parentPort?.postMessage(parseYaml(workerData as string));
