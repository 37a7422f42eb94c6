import { readdirSync } from 'node:fs';

const WAV = /^([a-z0-9-]+)\.wav$/;

/** The prompt ids of one language folder (`…/en-GB`), sorted. Throws when there is no such folder. */
export function promptIds(folder: string): string[] {
  return readdirSync(folder)
    .flatMap((name) => WAV.exec(name)?.[1] ?? [])
    .sort();
}
