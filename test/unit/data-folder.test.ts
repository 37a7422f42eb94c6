import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keptSecret, makeDataFolder } from '../../src/data-folder.ts';

let folder: string;
let problems: string[];

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'hotdesk-data-')), 'data');
  await makeDataFolder(folder);
  problems = [];
});

afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

const kept = (name: string): Promise<string> => keptSecret(folder, name, (text) => problems.push(text));

test('the folder and what it keeps are closed to other users', async () => {
  await kept('pepper');
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, 'pepper'))).mode & 0o777).toBe(0o600);
});

test('a secret is made once and stays', async () => {
  const secret = await kept('pepper');
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(await kept('pepper')).toBe(secret);
  expect(await kept('admin-token')).not.toBe(secret);
});

test('a file that holds something else is refused, not overwritten', async () => {
  await writeFile(join(folder, 'pepper'), 'salt\n');
  await expect(kept('pepper')).rejects.toThrow(/does not hold a secret of ours/);
  expect(await readFile(join(folder, 'pepper'), 'utf8')).toBe('salt\n');
});

test.each(['no file', 'an empty file'])(
  'all that start at once with %s get one secret, on the disk',
  async (what) => {
    if (what === 'an empty file') await writeFile(join(folder, 'pepper'), '');
    const secrets = await Promise.all([kept('pepper'), kept('pepper')]);
    expect(new Set(secrets).size).toBe(1);
    expect(await readFile(join(folder, 'pepper'), 'utf8')).toBe(`${secrets[0]}\n`);
    expect(await readdir(folder)).toEqual(['pepper']);
  },
);

test('who comes while the secret is being put in place gets that one', async () => {
  const started: Promise<string>[] = [];
  // Some look for the file just before the first has put it in place, and come with their own just after.
  for (let n = 0; n < 60; n++) {
    started.push(kept('pepper'));
    await setImmediate();
  }
  const secrets = await Promise.all(started);
  expect(new Set(secrets).size).toBe(1);
});

test('an empty file, left by a crash, is replaced and told', async () => {
  await writeFile(join(folder, 'pepper'), '', { mode: 0o644 });
  const secret = await kept('pepper');
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(problems).toEqual([expect.stringContaining(`${join(folder, 'pepper')} was empty`)]);
  expect((await stat(join(folder, 'pepper'))).mode & 0o777).toBe(0o600);
  expect(await kept('pepper')).toBe(secret);
  expect(problems).toHaveLength(1);
});

test('a crash while an empty file was replaced does not hinder the next start', async () => {
  await writeFile(join(folder, 'pepper'), '');
  await writeFile(join(folder, 'pepper.new'), `${'ab'.repeat(32)}\n`);
  expect(await kept('pepper')).toBe('ab'.repeat(32));
  expect(await readdir(folder)).toEqual(['pepper']);
});

test('a disk that is full leaves no file, and with space again there is a secret', async () => {
  const child = spawnSync('sh', ['-c', `ulimit -f 0; exec "$0" "$@"`, process.execPath, ...keepElsewhere()]);
  expect(child.status).toBe(1);
  expect(child.stderr.toString()).toContain('EFBIG');
  expect(await readdir(folder)).toEqual([]);
  expect(await kept('pepper')).toMatch(/^[0-9a-f]{64}$/);
});

/** Arguments for a node that keeps a secret in the folder. */
function keepElsewhere(): string[] {
  const module = new URL('../../src/data-folder.ts', import.meta.url).href;
  const code = `const { keptSecret } = await import(${JSON.stringify(module)});
    process.on('SIGXFSZ', () => {});
    await keptSecret(${JSON.stringify(folder)}, 'pepper', () => {});`;
  return ['--import', 'tsx', '--input-type=module', '-e', code];
}
