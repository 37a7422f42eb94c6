import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes the folder for state and secrets, for its owner only. */
export async function makeDataFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/**
 * A secret kept in a file of the data folder; made at first use, 32 random bytes, readable by the owner only.
 * Two processes that start at once get the same one.
 */
export async function keptSecret(folder: string, name: string): Promise<string> {
  const file = join(folder, name);
  try {
    const handle = await open(file, 'wx', 0o600);
    const secret = randomBytes(32).toString('hex');
    await handle.writeFile(`${secret}\n`);
    await handle.sync();
    await handle.close();
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const kept = (await readFile(file, 'utf8')).trim();
    if (!/^[0-9a-f]{64}$/.test(kept))
      throw new Error(`${file} does not hold a secret of ours; move it away to get a new one`);
    return kept;
  }
}
