import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hotdesk-config-'));
});

afterEach(() => rm(folder, { recursive: true }));

/** Runs src/main.ts to its end. */
function main(args: string[], env: Record<string, string> = {}) {
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const command = ['--import', 'tsx', join(root, 'src/main.ts'), ...args];
    execFile(
      process.execPath,
      command,
      { cwd: root, env: { ...process.env, ...env } },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

async function fileWith(text: string): Promise<string> {
  const path = join(folder, 'hotdesk.yaml');
  await writeFile(path, text);
  return path;
}

test('--check says ok, whatever the environment', async () => {
  const path = await fileWith('company: acme\n');
  expect(await main(['--check', path], { LOG_LEVEL: 'loud' })).toEqual({
    code: 0,
    stdout: 'ok\n',
    stderr: '',
  });
});

test('--check puts each problem on a line of its own', async () => {
  const path = await fileWith('http: { port: x }\nnope: 1\n');
  expect(await main(['--check', path])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'http.port: expected a whole number from 0 to 65535\nnope: unknown setting\n',
  });
});

test('a start with a bad configuration ends with 2 and every problem', async () => {
  const { code, stderr } = await main([], {
    HOTDESK_CONFIG: await fileWith('demo: maybe'),
    LOG_LEVEL: 'loud',
  });
  expect(code).toBe(2);
  expect(stderr).toContain('  demo: expected true or false\n');
  expect(stderr).toContain('  LOG_LEVEL (log.level): expected one of');
});

test('an option it does not know gets the usage and 2', async () => {
  expect(await main(['--help'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Usage:') });
});
