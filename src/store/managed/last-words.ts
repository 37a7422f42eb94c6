import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** How long output may still be under way after the end; a child of Redis may hold the pipe open for much longer. */
const DRAIN_MS = 100;
const KEPT_CHARACTERS = 2000;
/** `12:M 31 Jan 2026 10:00:00.000 # `: process, date, and `#` for a warning. */
const STAMP = /^\d+:\w .{10,40}? ([.\-*#]) /;
/** Advice about the machine, and what its own check of a damaged snapshot went through. */
const ASIDE = / # WARNING |^\[|^---/;

/** Drains the output, or Redis would block. The result waits for the rest, and tells why Redis has ended. */
export function listen(child: ChildProcess): () => Promise<string> {
  let tail = '';
  const closed = once(child, 'close').catch(() => undefined);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-KEPT_CHARACTERS);
    });
  }
  return async () => {
    await Promise.race([closed, delay(DRAIN_MS)]);
    return lastWords(tail);
  };
}

/**
 * The last line without its stamp. After a write error Redis says in one warning what happened and in the next that
 * it ends for it: two warnings in a row are told together.
 */
function lastWords(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !ASIDE.test(line));
  const [before = '', last = ''] = ['', '', ...lines].slice(-2);
  const warned = [before, last].every((line) => STAMP.exec(line)?.[1] === '#');
  return (warned ? [before, last] : [last]).map(bare).join('. ');
}

function bare(line: string): string {
  return line.replace(STAMP, '').trim().replace(/\.+$/, '');
}
