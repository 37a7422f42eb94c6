import type { Folder } from './config.ts';

/**
 * Redis does not run here, and what needs no store can go on without it. The message is a sentence for the operator,
 * without its full stop.
 */
export class RedisUnusable extends Error {
  override readonly name = 'RedisUnusable';
}

/** The program could not even be run. */
export function cannotRun(error: NodeJS.ErrnoException, binary: string): RedisUnusable {
  if (error.code === 'ENOENT')
    return new RedisUnusable(
      `Hotdesk needs Redis, and ${binary} was not found: apt-get install redis-server`,
    );
  return new RedisUnusable(`Hotdesk needs Redis, and ${binary} cannot run: ${error.message}`);
}

/** The disk or its rights keep us out of the folder. */
export function cannotUse(folder: Folder, error: Error): RedisUnusable {
  return new RedisUnusable(`The folder ${folder.path} cannot be used for Redis: ${error.message}`);
}

/** It ran and did not come up. @param why its last words, or how it ended */
export function didNotStart(folder: Folder, why: string): RedisUnusable {
  // It also says how to mend a damaged file, at length, without the place, and for its own source folder.
  const fault = why.replace(/[:.]\s+(You can: 1\)\s+)?make a backup of your AOF.*$/i, '');
  const mend = why.includes('redis-check-aof')
    ? `. Copy the folder, then run redis-check-aof --fix ${shellWord(folder.manifest)}`
    : '';
  return new RedisUnusable(`redis-server does not start in ${folder.path}: ${fault}${mend}`);
}

/** To be pasted after a command. */
function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
