import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keptSecret, makeDataFolder } from '../../src/data-folder.ts';

let folder: string;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'hotdesk-data-')), 'data');
  await makeDataFolder(folder);
});

afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

test('the folder and what it keeps are closed to other users', async () => {
  await keptSecret(folder, 'pepper');
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, 'pepper'))).mode & 0o777).toBe(0o600);
});

test('a secret is made once and stays', async () => {
  const secret = await keptSecret(folder, 'pepper');
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(await keptSecret(folder, 'pepper')).toBe(secret);
  expect(await keptSecret(folder, 'admin-token')).not.toBe(secret);
});

test('a file that holds something else is refused, not overwritten', async () => {
  await writeFile(join(folder, 'pepper'), 'salt\n');
  await expect(keptSecret(folder, 'pepper')).rejects.toThrow(/does not hold a secret of ours/);
  expect(await readFile(join(folder, 'pepper'), 'utf8')).toBe('salt\n');
});
