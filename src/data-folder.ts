import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes the folder for state and secrets, for its owner only. */
export async function makeDataFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/**
 * A secret kept in a file of the data folder; made at first use, 32 random bytes, readable by the owner only.
 * Two processes that start at once get the same one. A crash or a full disk leaves the whole secret or none.
 * @param onProblem told when an empty file had to be replaced: whatever a secret in it protected is lost already, and
 * a server that does not start would put no emergency call through
 * @throws Error with a sentence for the operator when the file holds something else
 */
export async function keptSecret(
  folder: string,
  name: string,
  onProblem: (text: string) => void,
): Promise<string> {
  const file = join(folder, name);
  const found = await readKept(file);
  if (found) return checked(file, found);
  await withNewSecret(file, found === '' ? replaceEmpty : linkUnlessThere);
  await sync(folder);
  if (found === '')
    onProblem(`${file} was empty and has been replaced: what the old secret protected is void`);
  return checked(file, (await readKept(file)) ?? '');
}

/** Undefined when there is no such file. */
async function readKept(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function checked(file: string, text: string): string {
  const kept = text.trim();
  if (/^[0-9a-f]{64}$/.test(kept)) return kept;
  throw new Error(`${file} does not hold a secret of ours; move it away to get a new one`);
}

/** Writes a new secret beside the file, and when it is on the disk has it put in place. */
async function withNewSecret(
  file: string,
  place: (written: string, file: string) => Promise<void>,
): Promise<void> {
  const written = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(written, 'wx', 0o600);
    try {
      await handle.writeFile(`${randomBytes(32).toString('hex')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await place(written, file);
  } finally {
    await rm(written, { force: true });
  }
}

/** The first of several wins. */
async function linkUnlessThere(written: string, file: string): Promise<void> {
  try {
    await link(written, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** A link does not replace. So the first of several wins a name beside the file, and whoever sees it moves it over. */
async function replaceEmpty(written: string, file: string): Promise<void> {
  const next = `${file}.new`;
  await linkUnlessThere(written, next);
  // Filled meanwhile by another, who may have done with the name before we took it.
  if (await readKept(file)) return rm(next, { force: true });
  await rename(next, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** Or a power cut could take the name of a file away that is on the disk. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
