import { spawn } from 'node:child_process';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Makes the pages when they are missing or older than what they are made from. */

const OWN_FILE = fileURLToPath(import.meta.url);
const SOURCES = fileURLToPath(new URL('.', import.meta.url));
/** Where the pages are built to, and served from. */
export const PORTAL_FOLDER = fileURLToPath(new URL('../../build/portal', import.meta.url));

async function changedAt(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.mtimeMs ?? 0;
}

async function newestIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const times = await Promise.all(names.map((name) => changedAt(join(folder, name))));
  return Math.max(0, ...times);
}

async function isFresh(): Promise<boolean> {
  const built = await changedAt(join(PORTAL_FOLDER, 'index.html'));
  return built > 0 && built >= (await newestIn(SOURCES));
}

/** Beside the old ones, then put in their place: several may build at once, and a server may be reading. */
async function build(): Promise<void> {
  const { build: buildWith } = await import('vite');
  const outDir = `${PORTAL_FOLDER}.${process.pid}`;
  await buildWith({
    configFile: join(SOURCES, 'vite.config.ts'),
    configLoader: 'runner',
    mode: 'production',
    logLevel: 'error',
    build: { outDir },
  });
  await rm(PORTAL_FOLDER, { recursive: true, force: true });
  await rename(outDir, PORTAL_FOLDER).catch(async (error: NodeJS.ErrnoException) => {
    await rm(outDir, { recursive: true, force: true });
    // Somebody else was quicker, with the same.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}

/**
 * Builds the pages into `PORTAL_FOLDER` unless they are there and fresh. In a process of its own: calls go on here
 * meanwhile. 'failed' leaves what was there; an installation without Vite keeps what its image was built with.
 */
export async function buildPortal(): Promise<'fresh' | 'built' | 'failed'> {
  if (await isFresh()) return 'fresh';
  const child = spawn(process.execPath, ['--import', 'tsx', OWN_FILE], { stdio: 'ignore' });
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  return code === 0 ? 'built' : 'failed';
}

if (process.argv[1] === OWN_FILE && !(await isFresh())) await build();
